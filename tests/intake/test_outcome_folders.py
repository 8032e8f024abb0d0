from pathlib import Path

import pytest

from workflow.intake import Outcome, Share, move_to_outcome, plan_and_move, plan_outcome_path


@pytest.fixture
def claimed(share: Share) -> str:
    (share.processing / "rush").mkdir()
    (share.processing / "rush" / "17~x.stl").write_bytes(b"seventeen")
    return "processing/rush/17~x.stl"


@pytest.mark.parametrize("outcome", list(Outcome))
def test_outcome_folders_mirror_the_inbox(share: Share, claimed: str, outcome: Outcome) -> None:
    assert plan_and_move(share, claimed, "rush/x.stl", outcome) == f"{outcome}/rush/x.stl"
    assert (share.root / outcome / "rush" / "x.stl").read_bytes() == b"seventeen"
    assert list(share.processing.iterdir()) == []


def test_a_name_that_is_taken_gets_a_number(share: Share, claimed: str) -> None:
    (share.done / "rush").mkdir()
    (share.done / "rush" / "x.stl").write_bytes(b"first")
    (share.done / "rush" / "x (2).stl").symlink_to("nowhere")
    assert plan_outcome_path(share, claimed, "rush/x.stl", Outcome.DONE) == "done/rush/x (3).stl"


def test_a_part_and_an_unpacked_folder_of_its_name_do_not_meet(share: Share, claimed: str) -> None:
    (share.done / "bracket.stl").write_bytes(b"a part")
    place = plan_and_move(share, claimed, "bracket.stl/bracket.stl", Outcome.DONE)
    assert place == "done/bracket/bracket.stl"
    assert (share.root / place).read_bytes() == b"seventeen"


def test_a_planned_move_may_be_repeated(share: Share, claimed: str) -> None:
    target = plan_outcome_path(share, claimed, "rush/x.stl", Outcome.DONE)
    for _ in range(3):
        move_to_outcome(share, claimed, target)
    move_to_outcome(share, target, target)
    assert (share.root / target).is_file()
    assert (share.root / target).read_bytes() == b"seventeen"


def test_a_name_that_is_taken_after_the_plan_gets_a_number(share: Share, claimed: str) -> None:
    target = plan_outcome_path(share, claimed, "rush/x.stl", Outcome.DONE)
    (share.done / "rush").mkdir()
    (share.root / target).write_bytes(b"somebody was faster")
    with pytest.raises(FileExistsError):
        move_to_outcome(share, claimed, target)
    assert plan_and_move(share, claimed, "rush/x.stl", Outcome.DONE) == "done/rush/x (2).stl"
    assert (share.root / target).read_bytes() == b"somebody was faster"


def test_a_file_that_was_taken_away_is_missed(share: Share, claimed: str) -> None:
    (share.root / claimed).unlink()
    with pytest.raises(FileNotFoundError):
        move_to_outcome(share, claimed, "done/rush/x.stl")


def test_the_longest_name_finds_room_for_its_number(share: Share) -> None:
    name = "x" * 251 + ".stl"
    for number in (1, 2):
        (share.processing / f"{number}~y.stl").write_bytes(b"y")
    first = plan_and_move(share, "processing/1~y.stl", name, Outcome.DONE)
    second = plan_and_move(share, "processing/2~y.stl", name, Outcome.DONE)
    assert first == f"done/{name}"
    assert second.endswith("xxx (2).stl")
    assert len(Path(second).name) == 255


def test_a_file_where_the_outcome_folder_should_be_is_waited_for(share: Share, claimed: str) -> None:
    share.done.rmdir()
    share.done.write_text("in the way")
    with pytest.raises(NotADirectoryError):
        move_to_outcome(share, claimed, "done/rush/x.stl")
    assert (share.root / claimed).exists()
