"""Hostile conditions against the real command: one clear line, the right exit code, nothing lost."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from loguru import logger

from tests.cli.command import Desk, Ended, said
from tests.cloud import Cloud, simulated
from tests.disks import fill, small_disk
from tests.stl import box
from tests.waiting import until
from workflow.model import SubmissionState
from workflow.simulator import SimulatorOptions, running_simulator

SECRET = "hemmelig-5e0f91c7"
NOBODY = "http://127.0.0.1:9/api/v3"
NO_POSTGRES = f"postgresql://stlflow:{SECRET}@127.0.0.1:9/stlflow"
INTAKE = "version: 1\nintake:\n  - name: all\n    preset: {preset}\n"
ROUTING = "routing:\n  - name: all\n    send_to: {send_to}\n"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with simulated(slice_seconds=0.3) as cloud:
        yield cloud


@pytest.fixture
def desk(tmp_path: Path, cloud: Cloud) -> Desk:
    return Desk(tmp_path, cloud.url)


@pytest.fixture
def start(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Ended]]:
    """Say `run` where it is going to be refused; leaves neither signals nor logs behind."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def start(**changes: str) -> Ended:
        for name, value in {**desk.environment, **changes}.items():
            monkeypatch.setenv(name, value)
        return said(("run",), capsys, monkeypatch)

    yield start
    for each, action in before.items():
        signal.signal(each, action)
    logger.remove()
    logger.add(sys.__stderr__ or sys.stderr)


def more_than(count: int, cloud: Cloud) -> bool:
    return len(cloud.dispatches()) > count


def secrets_in(desk: Desk) -> list[str]:
    """Return every file of share, state and outputs that holds the secret key."""
    files = (found for found in desk.folder.rglob("*") if found.is_file())
    return [str(found) for found in files if SECRET.encode() in found.read_bytes()]


# -- refusals at the start ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code", "line"),
    [
        ({"STLFLOW_SECRET_KEY": SECRET}, 3, "stlflow: 401: Eiger refuses the access keys."),
        ({"STLFLOW_SECRET_KEY": ""}, 2, "stlflow: No keys for Eiger: set STLFLOW_ACCESS_KEY"),
        ({"STLFLOW_EIGER_URL": NOBODY}, 3, "stlflow: No connection to http://127.0.0.1:9/api/v3"),
        ({"STLFLOW_RULES": "nowhere.yaml"}, 2, "stlflow: nowhere.yaml:1:1: the rules can't be read"),
        ({"STLFLOW_STATE": "share/state"}, 2, "stlflow: The state folder share/state is in the share."),
        ({"STLFLOW_STATE": "a file/state"}, 2, "stlflow: The state folder a file/state can't be written"),
        ({"STLFLOW_SHARE": "unmounted/share"}, 2, "Is the share mounted?"),
        ({"STLFLOW_DATABASE_URL": NO_POSTGRES}, 3, "stlflow: The ledger can't be opened: connection failed"),
    ],
    ids=[
        "wrong keys",
        "no keys",
        "no server",
        "no rules",
        "state in share",
        "no state",
        "no share",
        "no database",
    ],
)
def test_it_does_not_start_and_says_why_in_one_line(
    desk: Desk, start: Callable[..., Ended], changes: dict[str, str], code: int, line: str
) -> None:
    (desk.share / "inbox").mkdir(parents=True)
    desk.drop("lid.stl", box())
    (desk.folder / "a file").write_text("no folder")
    ended = start(**changes)
    assert ended.code == code
    assert line in ended.one_line()
    assert SECRET not in ended.err
    assert secrets_in(desk) == []
    assert desk.stls() == ["inbox/lid.stl"]
    assert not (desk.share / "state").exists()


@pytest.mark.parametrize(
    ("rules", "place", "hint"),
    [
        (INTAKE.format(preset="Onyks") + ROUTING.format(send_to="backlog"), "4:13", "did you mean `Onyx`?"),
        (
            INTAKE.format(preset="Onyx") + ROUTING.format(send_to="backlock"),
            "7:14",
            "did you mean `backlog`?",
        ),
        (INTAKE.format(preset="Onyx") + "routing: [\n", "", ""),
    ],
    ids=["preset the cloud lacks", "unknown destination", "no yaml"],
)
def test_wrong_rules_are_shown_where_they_are(
    desk: Desk, start: Callable[..., Ended], rules: str, place: str, hint: str
) -> None:
    (desk.share / "inbox").mkdir(parents=True)
    desk.drop("lid.stl", box())
    (desk.folder / "mine.yaml").write_text(rules)
    ended = start(STLFLOW_RULES="mine.yaml")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"stlflow: mine.yaml:{place}")
    assert hint in ended.err
    assert "Traceback" not in ended.err
    assert desk.stls() == ["inbox/lid.stl"]


# -- while it runs --------------------------------------------------------------------------------


def test_a_second_run_is_refused_and_odd_things_in_the_inbox_stay(desk: Desk) -> None:
    elsewhere = desk.folder / "elsewhere.stl"
    elsewhere.write_bytes(box(77))
    inbox = desk.share / "inbox"
    (inbox / "folder.stl").mkdir(parents=True)
    (inbox / "link.stl").symlink_to(elsewhere)
    os.mkfifo(inbox / "pipe.stl")
    with desk.serving() as service:
        desk.drop("lid.stl", box())
        assert desk.ended(1), service.said()
        second = desk.run("run")
        assert second.code == 2
        assert second.one_line().startswith("stlflow: Another stlflow is running on the state folder")
        assert service.stop() == 0
    assert {found.name for found in inbox.iterdir()} == {"folder.stl", "link.stl", "pipe.stl"}
    assert elsewhere.read_bytes() == box(77)
    assert list(desk.submissions()) == ["lid.stl"]
    assert "Traceback" not in service.said()


def test_stopped_while_uploading_and_slicing_it_goes_on_and_sends_nothing_twice(desk: Desk) -> None:
    with simulated(slice_seconds=1.5) as cloud:
        desk = Desk(desk.folder, cloud.url)
        (desk.share / "inbox").mkdir(parents=True)
        for number in range(6):
            desk.drop(f"part{number}.stl", box(10 + number))
        cloud.fault("uploadStl", "delay", times=2, delay_seconds=1.0)
        with desk.serving() as service:

            def under_way() -> bool:
                states = [each.state for each in desk.submissions().values()]
                return SubmissionState.SLICING in states and SubmissionState.INSPECTED in states

            assert until(under_way), service.said()
            assert service.stop() == 0
        assert "Traceback" not in service.said()
        with desk.serving() as service:
            assert desk.ended(6), desk.submissions()
            assert service.stop() == 0
        sent = cloud.dispatches()
    assert (len(sent), set(sent.values())) == (6, {1})
    assert desk.stls() == [f"done/part{number}.stl" for number in range(6)]


def test_a_stop_says_what_it_waits_for_and_a_second_one_leaves_at_once(desk: Desk) -> None:
    with simulated(slice_seconds=0.3) as cloud:
        desk = Desk(desk.folder, cloud.url, {"STLFLOW_UPLOAD_TIMEOUT_SECONDS": "60"})
        (desk.share / "inbox").mkdir(parents=True)
        desk.drop("slow.stl", box())
        cloud.fault("uploadStl", "delay", times=1, delay_seconds=40)
        with desk.serving() as service:
            assert until(
                lambda: any(each.state is SubmissionState.INSPECTED for each in desk.submissions().values())
            )
            service.process.send_signal(signal.SIGINT)
            assert until(lambda: "Waiting up to 20 s for submission 1 (intake)." in service.said()), (
                service.said()
            )
            assert service.process.poll() is None

            def left_at_a_further_signal() -> bool:
                service.process.send_signal(signal.SIGINT)
                return service.process.poll() == 130

            assert until(left_at_a_further_signal)
        assert service.said().splitlines()[-1] == (
            "stlflow: stopped at once; interrupted work is continued at the next start."
        )
        with desk.serving() as service:
            assert desk.ended(1), service.said()
            assert service.stop() == 0
        sent = cloud.dispatches()
    assert (len(sent), set(sent.values())) == (1, {1})
    assert desk.stls() == ["done/slow.stl"]


def test_keys_revoked_while_running_files_wait_and_no_key_is_shown(tmp_path: Path) -> None:
    with running_simulator(SimulatorOptions(slice_seconds=0, secret_key=SECRET)) as url:
        cloud = Cloud(url)
        desk = Desk(tmp_path, url, {"STLFLOW_SECRET_KEY": SECRET, "STLFLOW_LOG_LEVEL": "DEBUG"})
        with desk.serving() as service:
            assert until((desk.share / "held").is_dir), service.said()
            cloud.fault("uploadStl", "status", times=1, status=503)
            cloud.fault("uploadStl", "status", times=1, status=401)
            desk.drop("lid.stl", box())

            def waits() -> bool:
                return any("401" in line and "waits" in line for line in service.said().splitlines())

            assert until(waits), service.said()
            assert desk.submissions()["lid.stl"].state not in {SubmissionState.HELD, SubmissionState.REJECTED}
            assert desk.ended(1), service.said()
            assert service.stop() == 0
        said = service.said()
        assert [reason for reason in ("503", "401") if f"waits: {reason}" not in said] == [], "each is news"
        assert "Submission 1 (lid.stl) sent to job request." in said
        assert said.splitlines()[-1].endswith("Stopped.")
        shown = desk.run("show", "1", "--json")
    assert desk.stls() == ["done/lid.stl"]
    assert shown.document()["state"] == "dispatched"
    assert SECRET not in shown.out + shown.err
    assert secrets_in(desk) == []


@pytest.mark.long
def test_a_share_that_goes_and_comes_back_loses_nothing(desk: Desk) -> None:
    away = desk.folder / "away"
    with desk.serving() as service:
        assert until((desk.share / "held").is_dir), service.said()
        desk.drop("first.stl", box(11))
        assert desk.ended(1), service.said()
        desk.share.rename(away)
        assert until(lambda: "Share lost" in service.said()), service.said()
        (away / "inbox" / "second.stl").write_bytes(box(12))
        away.rename(desk.share)
        assert desk.ended(2), service.said()
        assert service.stop() == 0
    assert desk.stls() == ["done/first.stl", "done/second.stl"]
    assert "Traceback" not in service.said()


@pytest.mark.long
def test_a_cloud_that_goes_and_comes_back_is_waited_for(desk: Desk) -> None:
    with simulated(slice_seconds=0.5) as cloud:
        desk = Desk(desk.folder, cloud.url)
        with desk.serving() as service:
            assert until((desk.share / "held").is_dir), service.said()
            for number in range(12):
                desk.drop(f"part{number}.stl", box(10 + number))
            for _ in range(3):
                assert until(partial(more_than, len(cloud.dispatches()), cloud)), service.said()
                cloud.fault("*", "status", times=30, status=503)
            assert desk.ended(12, 120), service.said()
            assert service.stop() == 0
        sent = cloud.dispatches()
    assert (len(sent), set(sent.values())) == (12, {1})
    assert len(desk.stls()) == 12
    assert all(place.startswith("done/") for place in desk.stls())


# -- disks ----------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("full", ["state", "share"])
def test_a_full_disk_is_waited_out(desk: Desk, full: str) -> None:
    disk = desk.folder / full
    with small_disk(disk, 24), desk.serving() as service:
        assert until((desk.share / "held").is_dir), service.said()
        desk.drop("first.stl", box(11))
        assert desk.ended(1), service.said()
        staged = desk.share / "staged"
        staged.mkdir()
        for number in range(5):
            (staged / f"part{number}.stl").write_bytes(box(20 + number))
        filler = fill(disk)
        for part in sorted(staged.glob("*.stl")):
            part.rename(desk.share / "inbox" / part.name)
        until(lambda: desk.ended(6, 0), 8)  # as far as it comes
        assert "full" in service.said() or "No space left" in service.said()
        assert service.process.poll() is None, service.said()
        assert len(desk.stls()) == 6
        filler.unlink()
        assert desk.ended(6, 90), (desk.submissions(), service.said())
        assert service.stop() == 0
        assert all(place.startswith("done/") for place in desk.stls())
        assert len(desk.stls()) == 6
        assert "Traceback" not in service.said()


def test_a_state_folder_on_a_read_only_disk_is_one_line(desk: Desk, start: Callable[..., Ended]) -> None:
    (desk.share / "inbox").mkdir(parents=True)
    desk.drop("lid.stl", box())
    with small_disk(desk.state, 1):
        subprocess.run(["mount", "-o", "remount,ro", str(desk.state)], check=True)
        ended = start()
    assert ended.code == 2
    assert ended.one_line().endswith("can't be written: Read-only file system.")
    assert desk.stls() == ["inbox/lid.stl"]


@pytest.mark.long
def test_a_database_that_is_deleted_while_it_runs_loses_no_file(desk: Desk) -> None:
    with desk.serving() as service:
        assert until((desk.share / "held").is_dir), service.said()
        desk.drop("first.stl", box(11))
        assert desk.ended(1), service.said()
        for found in desk.state.glob("stlflow.db*"):
            found.unlink()
        desk.drop("second.stl", box(12))
        until(lambda: "done/second.stl" in desk.stls(), 10)  # or it stays where it is
        assert len(desk.stls()) == 2
        service.stop()
    before = len(service.said())
    with desk.serving() as service:
        assert until(lambda: "Watching" in service.said()[before:]), service.said()
        assert until(lambda: desk.stls() == ["done/first.stl", "done/second.stl"]), service.said()
        assert service.stop() == 0


@pytest.mark.long
def test_a_database_that_is_damaged_stops_the_start_in_one_line(desk: Desk) -> None:
    desk.state.mkdir()
    (desk.share / "inbox").mkdir(parents=True)
    desk.drop("lid.stl", box())
    with sqlite3.connect(desk.state / "stlflow.db") as other:
        other.execute("create table submissions (id integer primary key)")
    other.close()
    ended = desk.run("run")
    assert ended.code == 2
    assert ended.one_line().startswith("stlflow: The ledger can't be ")
    assert desk.stls() == ["inbox/lid.stl"]


# -- sizes ----------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_a_part_of_300_megabytes_costs_no_memory(desk: Desk) -> None:
    small = box(40, 1, 1)  # thin: half a million thick ones print for longer than stlflow believes
    facets = small[84:]
    count = 300 * 1024 * 1024 // len(facets)
    place = desk.folder / "big.stl"
    with place.open("wb") as file:
        file.write(small[:80] + (count * 12).to_bytes(4, "little"))
        for _ in range(count):
            file.write(facets)
    with desk.serving(STLFLOW_REQUEST_TIMEOUT_SECONDS="300") as service:
        assert until((desk.share / "held").is_dir), service.said()
        desk.drop("small.stl", small)
        assert desk.ended(1), service.said()
        before = peak_megabytes(service.process.pid)
        shutil.move(place, desk.share / "inbox" / "big.stl")
        assert desk.ended(2, 600), (desk.submissions(), service.said())
        after = peak_megabytes(service.process.pid)
        assert service.stop() == 0
    print(f"300 MB part: peak {after:.0f} MB, {before:.0f} MB before it")
    assert after - before < 150


def peak_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
