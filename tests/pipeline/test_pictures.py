"""Pictures of held and rejected meshes: beside their notes, gone with them, and never in the way."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.pipeline.conftest import Open, Shop, dispatched, held
from tests.stl import box, open_box
from tests.waiting import until
from workflow.mesh import Inspector
from workflow.model import HoldReason, Submission, SubmissionState
from workflow.notes import is_picture as has_our_mark
from workflow.notes import note_path, picture_path, remove_note, write_note, write_picture
from workflow.pipeline.commands import release_submission
from workflow.pipeline.context import now
from workflow.pipeline.pictures import MAX_FILE_BYTES, Pictures, needs_picture


def is_picture(place: Path) -> bool:
    return place.is_file() and place.read_bytes().startswith(b"\x89PNG")


def test_a_held_mesh_gets_a_picture_that_goes_with_its_note(context: Shop) -> None:
    context.drop("gap.stl", open_box(30))
    submission = context.wait("gap.stl", held, 60)
    assert submission.hold is HoldReason.MESH
    picture = context.share / "held" / "gap.stl.png"
    assert until(lambda: is_picture(picture), 60)
    release_submission(context.service.ledger, submission.id)
    context.service.wake()
    assert until(lambda: not picture.exists(), 60)


def test_a_part_that_is_sent_gets_none_unless_all_do(open_shop: Open) -> None:
    shop = open_shop(pictures="all")
    shop.drop("fine.stl", box(20))
    shop.wait("fine.stl", dispatched, 60)
    assert until(lambda: is_picture(shop.share / "done" / "fine.stl.png"), 60)
    assert needs_picture(shop.wait("fine.stl"), of_all=False) is False


def test_only_what_can_be_drawn_and_is_small_needs_a_picture(context: Shop) -> None:
    context.drop("plain.stl", open_box(31))
    submission = context.wait("plain.stl", held, 60)
    assert needs_picture(submission)
    assert not needs_picture(replace(submission, size=MAX_FILE_BYTES + 1))
    assert not needs_picture(replace(submission, hold=HoldReason.ROUTE))
    assert not needs_picture(replace(submission, claimed_as="processing/1~plain.stl")), "it is on its way"
    nothing = Submission(1, "a.stl", SubmissionState.REJECTED, now())
    assert not needs_picture(nothing)


def test_a_persons_own_picture_is_neither_replaced_nor_removed(tmp_path: Path) -> None:
    stl = tmp_path / "a.stl"
    own = picture_path(stl)
    own.write_bytes(b"\x89PNG mine")
    with pytest.raises(FileExistsError):
        write_picture(own, b"\x89PNG ours")
    write_note(note_path(stl), "stlflow note: submission 1\n")
    remove_note(stl)
    assert own.read_bytes() == b"\x89PNG mine"
    assert not has_our_mark(own)
    assert [found.name for found in tmp_path.iterdir()] == ["a.stl.png"]


def test_a_picture_that_was_drawn_is_known_as_ours(tmp_path: Path) -> None:
    stl = tmp_path / "a.stl"
    stl.write_bytes(open_box(10))
    with Inspector() as inspector:
        inspector.draw(stl, picture_path(stl))
    assert has_our_mark(picture_path(stl))
    write_note(note_path(stl), "stlflow note: submission 1\n")
    remove_note(stl)
    assert [found.name for found in tmp_path.iterdir()] == ["a.stl"]


def test_a_full_folder_gets_no_more_pictures(open_shop: Open) -> None:
    shop = open_shop(pictures="none")
    shop.drop("one.stl", open_box(22))
    number = shop.wait("one.stl", held, 60).id
    drawing = [Pictures(shop.service.context, most=most) for most in (0, 1, 1)]
    assert [each.draw(number) for each in drawing] == [False, True, False], "it has one already"
    drawing[1].wake()
    assert is_picture(shop.share / "held" / "one.stl.png")
