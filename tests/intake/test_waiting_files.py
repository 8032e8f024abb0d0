"""What is in the inbox and not taken: listed from the folder, with the words that explain one file."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stl import box
from workflow.intake import InboxFile, StabilityTimes, WaitingKind, list_waiting_files

TIMES = StabilityTimes()
Listed = Callable[..., dict[str, InboxFile]]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox" / "rush").mkdir(parents=True)
    return tmp_path / "inbox"


def by_path(inbox: Path, **options: object) -> dict[str, InboxFile]:
    return {each.path: each for each in list_waiting_files(inbox, TIMES, **options).files}  # type: ignore[arg-type]


def test_each_file_that_is_not_taken_says_why(inbox: Path) -> None:
    (inbox / "rush" / "truncated.stl").write_bytes(box()[:-100])
    (inbox / "order.zip").write_bytes(b"PK")
    (inbox / "clip.stl.part").write_bytes(b"x")
    (inbox / "twice.stl").write_bytes(box())
    os.link(inbox / "twice.stl", inbox.parent / "elsewhere.stl")
    for name in (".stlflow-0a.tmp", ".DS_Store", "note.txt"):
        (inbox / name).write_bytes(b"x")
    found = by_path(inbox)
    assert set(found) == {"rush/truncated.stl", "order.zip", "clip.stl.part", "twice.stl"}
    cut = found["rush/truncated.stl"]
    assert cut.kind is WaitingKind.SETTLING
    assert cut.why == "it is incomplete: 584 of 684 bytes; if that stays so for 600 s, it is rejected."
    assert abs(cut.since.timestamp() - time.time()) < 60
    assert found["order.zip"].kind is WaitingKind.BLOCKED
    assert found["order.zip"].why.startswith("It is not unpacked here")
    assert found["clip.stl.part"].why.endswith("it waits for the name that it gets when it is finished.")
    assert found["twice.stl"].kind is WaitingKind.BLOCKED
    assert "2 names (hard links). Copy it into the inbox instead" in found["twice.stl"].why


def test_links_and_folders_that_are_links_are_listed(inbox: Path) -> None:
    (inbox / "link.stl").symlink_to(inbox.parent / "somewhere.stl")
    (inbox / "orders").symlink_to(inbox.parent)
    found = by_path(inbox)
    assert set(found) == {"link.stl", "orders"}
    assert {each.kind for each in found.values()} == {WaitingKind.BLOCKED}
    assert found["orders"].why == (
        "it is a link, and links are not followed. Copy the folder itself into the inbox."
    )


def test_of_thousands_only_some_are_opened_and_a_bulk_arrival_comes_last(inbox: Path) -> None:
    names = [f"part {n}.stl" for n in range(2000)]
    for name in names:
        (inbox / name).write_bytes(b"solid x")
    (inbox / "old.step").write_bytes(b"x")
    began = time.process_time()
    listing = list_waiting_files(inbox, TIMES, set_aside=frozenset(names), most=30)
    assert time.process_time() - began < 5
    assert (listing.count, listing.bulk_arrival, len(listing.files)) == (2001, 2000, 30)
    assert (listing.files[0].path, listing.files[0].kind) == ("old.step", WaitingKind.BLOCKED)
    assert listing.files[1].kind is WaitingKind.BULK_ARRIVAL
    assert "`stlflow intake accept`" in listing.files[1].why


def test_without_an_inbox_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list_waiting_files(tmp_path / "inbox", TIMES)
