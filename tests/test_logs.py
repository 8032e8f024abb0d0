"""The log file is private, and is made again when it is removed or moved away."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from loguru import logger

from tests.disks import fill, small_disk
from workflow.ledger import draft_of
from workflow.logs import LogFile, names_no_submission, set_up_logs
from workflow.model import HoldReason, Submission, SubmissionState
from workflow.pipeline.transitions import held
from workflow.state_folder import make_private_file, prepare_state_folder


def test_a_log_that_is_removed_or_rotated_from_outside_is_made_again(tmp_path: Path) -> None:
    set_up_logs("INFO", as_json=False, folder=tmp_path / "logs")
    file = tmp_path / "logs" / "stlflow.log"
    try:
        logger.info("first")
        file.rename(tmp_path / "logs" / "stlflow.log.1")
        logger.info("second")
        assert file.read_text("utf-8").endswith("second\n")
        file.unlink()
        logger.info("third")
        assert file.read_text("utf-8").endswith("third\n")
    finally:
        logger.remove()
    assert (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_the_state_folder_and_the_database_are_private(tmp_path: Path) -> None:
    state = tmp_path / "state"
    prepare_state_folder(state, tmp_path / "share")
    make_private_file(state / "stlflow.db")
    make_private_file(state / "stlflow.db")
    modes = {place.name: place.stat().st_mode & 0o777 for place in (state, *state.iterdir())}
    assert modes == {"state": 0o700, "spool": 0o700, "stlflow.db": 0o600}


def test_log_lines_are_in_the_shops_time_with_its_zone(tmp_path: Path) -> None:
    zone = ZoneInfo("Asia/Kathmandu")  # no machine runs there by chance, and no other zone has +05:45
    set_up_logs("INFO", as_json=False, folder=tmp_path, zone=zone)
    before = datetime.now(zone).replace(microsecond=0)
    try:
        logger.info("here")
    finally:
        set_up_logs("INFO", as_json=False, folder=None)
        logger.remove()
    written = datetime.fromisoformat((tmp_path / "stlflow.log").read_text("utf-8").split()[0])
    assert written.utcoffset() == timedelta(hours=5, minutes=45)
    assert written.replace(microsecond=0) - before < timedelta(seconds=30)


def test_json_lines_have_the_submission_as_fields(tmp_path: Path) -> None:
    submission = Submission(17, "rush/bracket.stl", SubmissionState.INSPECTED, datetime.now(UTC))
    set_up_logs("INFO", as_json=True, folder=tmp_path)
    try:
        held(draft_of(submission), HoldReason.RULE, "Is it in inches?")
        logger.info("not about a submission")
    finally:
        logger.remove()
    first, second = map(json.loads, (tmp_path / "stlflow.log").read_text("utf-8").splitlines())
    assert first["record"]["extra"] == {
        "submission": 17, "path": "rush/bracket.stl", "state": "held", "reason": "Is it in inches?",
    }  # fmt: skip
    assert first["record"]["message"] == "Submission 17 (rush/bracket.stl) held: Is it in inches?"
    assert second["record"]["extra"] == {}


def test_lines_go_to_what_is_stderr_now_so_that_a_progress_bar_stays_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_up_logs("INFO", as_json=False, folder=None, filter_by=names_no_submission)
    shown = io.StringIO()
    monkeypatch.setattr("sys.stderr", shown)
    try:
        logger.info("above the bar")
        logger.bind(submission=1).info("told by the table")
    finally:
        logger.remove()
    assert shown.getvalue().endswith("above the bar\n")
    assert "told by the table" not in shown.getvalue()
    assert "\x1b" not in shown.getvalue()


def test_a_full_disk_is_told_in_one_line_a_minute(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 0.0, 59.0, 60.0, 60.0])
    with small_disk(tmp_path / "disk", 1):
        set_up_logs("INFO", as_json=False, folder=None)
        file = LogFile(tmp_path / "disk/stlflow.log", lambda: next(times))
        logger.add(file, level="INFO", format="{message}", filter=lambda record: "log" not in record["extra"])
        try:
            filler = fill(tmp_path / "disk")
            for number in range(3):
                logger.info("lost {}" + "." * 5000, number)
            told = capsys.readouterr().err
            filler.unlink()
            logger.info("room again")
        finally:
            logger.remove()
        assert (tmp_path / "disk/stlflow.log").read_text("utf-8").endswith("room again\n")
    assert "Traceback" not in told
    assert told.count("The log can't be written") == 2
    assert "No space left on device. Make room there, or give stlflow the right to write; the work" in told


def test_the_log_of_a_full_disk_leaves_the_service_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk", 1):
        set_up_logs("INFO", as_json=True, folder=tmp_path / "disk/logs")
        try:
            filler = fill(tmp_path / "disk")
            for number in range(50):
                logger.info("line {}", number)
            filler.unlink()
        finally:
            logger.remove()
        told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    about = [each["record"]["message"] for each in told if "log" in each["record"]["extra"]]
    assert len(about) == 1
    assert len(told) == 51
