"""The log file is private, and is made again when it is removed or moved away."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from loguru import logger

from workflow.logs import set_up_logs
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
