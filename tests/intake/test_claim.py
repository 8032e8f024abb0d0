import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workflow.intake import Share, claim_file, reclaim_file, undo_claim

pytestmark = pytest.mark.usefixtures("way")


def drop(share: Share, path: str, content: bytes = b"x") -> Path:
    place = share.inbox / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def test_a_claimed_file_leaves_the_inbox(share: Share) -> None:
    dropped = drop(share, "rush/bracket.stl", b"bracket")
    assert claim_file(share, "rush/bracket.stl", 17) == "processing/rush/17~bracket.stl"
    assert not dropped.exists()
    assert (share.root / "processing/rush/17~bracket.stl").read_bytes() == b"bracket"
    assert dropped.parent.is_dir(), "folders of the inbox belong to the people"


def test_a_file_that_is_gone_is_nobodys_fault(share: Share) -> None:
    assert claim_file(share, "bracket.stl", 17) is None
    assert claim_file(share, "no/such/folder/bracket.stl", 17) is None
    assert not any(path.is_file() for path in share.processing.rglob("*"))


def test_a_claim_that_was_made_before_the_reply_was_lost_still_counts(share: Share) -> None:
    drop(share, "bracket.stl")
    assert claim_file(share, "bracket.stl", 17) == claim_file(share, "bracket.stl", 17)


def test_each_file_is_claimed_by_one_only(share: Share) -> None:
    names = [f"part {number}.stl" for number in range(100)]
    for name in names:
        drop(share, name)
    attempts = [(name, 1000 * worker + number) for number, name in enumerate(names) for worker in range(1, 5)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda attempt: claim_file(share, *attempt), attempts))
    assert sum(claimed is not None for claimed in won) == len(names)
    assert len(list(share.processing.iterdir())) == len(names)


def test_a_name_in_the_way_leaves_the_file_in_the_inbox(share: Share) -> None:
    dropped = drop(share, "bracket.stl", b"new")
    (share.processing / "17~bracket.stl").write_bytes(b"another database's")
    with pytest.raises(FileExistsError):
        claim_file(share, "bracket.stl", 17)
    assert dropped.read_bytes() == b"new"
    assert claim_file(share, "bracket.stl", 18) == "processing/18~bracket.stl"


@pytest.mark.parametrize(
    "path",
    ["a" * 251 + ".stl", "größe/ü #3 🚀.stl", "CON .STL", "x/y/z/" * 40 + "deep.stl", "%s {0} $HOME.stl"],
)
def test_unusual_names_survive_the_way_there_and_back(share: Share, path: str) -> None:
    dropped = drop(share, path, b"content")
    claimed_as = claim_file(share, path, 123456)
    assert claimed_as is not None
    assert (share.root / claimed_as).read_bytes() == b"content"
    assert undo_claim(share, claimed_as, path)
    assert dropped.read_bytes() == b"content"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_bytes_that_are_no_text_are_claimed_under_a_readable_name(share: Share) -> None:
    path = b"caf\xe9/caf\xe9\n.stl".decode("utf-8", "surrogateescape")
    drop(share, path, b"content")
    claimed_as = claim_file(share, path, 1)
    unknown = "\N{REPLACEMENT CHARACTER}"
    assert claimed_as == f"processing/caf{unknown}/1~caf{unknown}{unknown}.stl"
    assert (share.root / claimed_as).read_bytes() == b"content"


def test_a_file_comes_back_from_its_outcome_folder(share: Share) -> None:
    (share.held / "bracket (2).stl").write_bytes(b"bracket")
    for _ in range(2):  # also after a crash that forgot the first time
        assert reclaim_file(share, "held/bracket (2).stl", 17, "bracket.stl") == "processing/17~bracket.stl"
    assert (share.processing / "17~bracket.stl").read_bytes() == b"bracket"


def test_a_file_that_came_back_is_on_the_disk(
    share: Share, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (share.held / "bracket.stl").write_bytes(b"x")
    synced = list[int]()
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    reclaim_file(share, "held/bracket.stl", 17, "bracket.stl")
    folders = () if way == "paths" or sys.platform == "win32" else (share.held, share.processing)
    assert set(synced) == {folder.stat().st_ino for folder in folders}


def test_a_file_that_was_taken_away_can_not_come_back(share: Share) -> None:
    with pytest.raises(FileNotFoundError, match=r"held/bracket.stl is gone"):
        reclaim_file(share, "held/bracket.stl", 17, "bracket.stl")


def test_giving_back_never_replaces_a_newer_file(share: Share) -> None:
    drop(share, "bracket.stl", b"old")
    claimed_as = claim_file(share, "bracket.stl", 17)
    assert claimed_as is not None
    newer = drop(share, "bracket.stl", b"new")
    assert not undo_claim(share, claimed_as, "bracket.stl")
    assert newer.read_bytes() == b"new"
    assert (share.root / claimed_as).read_bytes() == b"old"
