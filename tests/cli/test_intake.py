"""`stlflow intake`: why a file is still in the inbox, crowds, and the share's marker."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from socket import gethostname

import pytest

from tests.cli.command import Ended, said
from tests.stl import box
from workflow.intake import Share, folder_origin
from workflow.ledger import InPlaceFile, Ledger, register_worker

Say = Callable[..., Ended]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    monkeypatch.chdir(tmp_path)
    Share(tmp_path / "share").prepare()
    (tmp_path / "share" / "inbox" / "part.stl").write_bytes(box())
    return lambda *words: said(("intake", *words), capsys, monkeypatch)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    (tmp_path / "state").mkdir()
    return Ledger(f"sqlite:///{tmp_path / 'state' / 'stlflow.db'}")


def now(ended: Ended) -> str:
    return ended.out.splitlines()[2].strip()


def test_without_a_service_nothing_is_taken(say: Say) -> None:
    for name in ("part.stl", "share/inbox/part.stl"):
        ended = say("explain", name)
        assert ended.code == 0
        assert now(ended) == "now: it is taken once stlflow runs: `stlflow run`."


def test_a_name_alone_is_explained_by_its_pattern(say: Say) -> None:
    assert say("explain", "rush/order.zip").out == (
        "rush/order.zip: left where it is, with a note\n"
        "    *.zip  It is not unpacked here: unpack it, and put the STL files inside into the inbox.\n"
    )


def test_a_file_elsewhere_is_not_in_the_inbox(say: Say, tmp_path: Path) -> None:
    Path("mine.stl").write_bytes(box())
    for name in ("mine.stl", "/etc/passwd"):
        ended = say("explain", name)
        assert ended.code == 2
        assert ended.one_line() == (
            f"stlflow: {name} does not lie in the inbox, {tmp_path / 'share' / 'inbox'}."
        )


def test_a_lost_share_is_the_reason(say: Say, ledger: Ledger, tmp_path: Path) -> None:
    with closing(ledger):
        assert say("mark").code == 0
        (tmp_path / "share" / ".stlflow-share").unlink()
        assert now(say("explain", "part.stl")).startswith(
            f"now: everything waits for the share. {tmp_path / 'share'}: the marker .stlflow-share is missing"
        )
        assert "is the share from now on" in say("mark").out
        register_worker(ledger, "home", "home", 17, "0.0.9")  # as kill -9 leaves it
        assert now(say("explain", "part.stl")) == "now: it is taken once stlflow runs: `stlflow run`."


def test_a_mass_arrival_waits_until_it_is_accepted(
    say: Say, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(ledger):
        ledger.mass_arrival.add(["part.stl", "other.stl"])
        assert "`stlflow intake accept`" in now(say("explain", "part.stl"))
        monkeypatch.setenv("LOGNAME", "kim")
        accepted = say("accept")
        assert accepted.out == "Accepted: 2 files, taken as soon as `stlflow run` is started.\n"
        assert accepted.err == ""
        number = ledger.open("part.stl")
        ledger.claimed(number, "processing/part.stl", arrived_as="part.stl")
        assert ledger.events(number)[-1].detail == "2 files at once, by kim"
        assert set(ledger.mass_arrival.read_paths().values()) == {True}
        assert say("accept").out == "No file waits to be accepted.\n"


def test_a_file_of_a_read_only_inbox_was_taken_before(
    say: Say, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "exports" / "part.stl"
    place.parent.mkdir()
    place.write_bytes(box())
    monkeypatch.setenv("STLFLOW_READ_ONLY_INBOX", "exports")
    seen = place.stat()
    with closing(ledger):
        times = (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
        folder = folder_origin(place.parent, gethostname())
        ledger.in_place.begin_read_only(InPlaceFile(folder, "part.stl", str(place), "home"), times, None)
        assert now(say("explain", "part.stl")) == (
            "now: it was taken before as it is, and is taken again only when its content changes."
        )
