"""A person decides by moving a held file: to approved/, to rejected/, or back to the inbox."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import simulated
from tests.pipeline.conftest import Open, Shop, dispatched, held
from tests.stl import box, open_box
from tests.waiting import until
from workflow.model import HoldReason, Submission, SubmissionState
from workflow.pipeline.commands import cancel_submission, release_submission

PATIENT = 30.0


def hold_one(shop: Shop, path: str, content: bytes) -> Submission:
    """Drop a file that gets held; return its submission."""
    shop.drop(path, content)
    return shop.wait(path, held, PATIENT)


def move(shop: Shop, here: str, there: str) -> None:
    (shop.share / there).parent.mkdir(parents=True, exist_ok=True)
    (shop.share / here).rename(shop.share / there)


def ends(shop: Shop, number: int, state: SubmissionState) -> Submission:
    """Wait until a submission has come to an end, with its file put away."""

    def there() -> bool:
        seen = shop.service.ledger.get(number)
        return seen.state is state and seen.step is None

    assert until(there), shop.service.ledger.events(number)
    return shop.service.ledger.get(number)


def events_of(shop: Shop, number: int) -> list[tuple[str, str]]:
    return [(str(event.event), event.detail) for event in shop.service.ledger.events(number)]


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("ask/a.stl", "approved/ask/a.stl"),
        ("ask/b.stl", "approved/b.stl"),
        ("c.stl", "approved/named anew.stl"),
    ],
)
def test_a_held_file_moved_to_approved_goes_on_as_released(context: Shop, path: str, there: str) -> None:
    first = hold_one(context, path, box(1, 1, 0.5 + len(there) / 1000))
    move(context, f"held/{path}", there)
    sent = ends(context, first.id, SubmissionState.DISPATCHED)
    assert ("released", "by moving the file") in events_of(context, first.id)
    assert (context.sent(sent), sent.claimed_as) == (1, f"done/{path}")
    assert context.places(Path(path).name) == {f"done/{path}"}
    assert not (context.share / there).exists()


def test_a_file_that_is_moved_just_when_it_is_released_goes_on_as_released(
    context: Shop, tmp_path: Path
) -> None:
    first = hold_one(context, "both.stl", box(1, 1, 0.47))
    (context.share / "held/both.stl").rename(tmp_path / "both.stl")
    release_submission(context.service.ledger, first.id)
    context.wait("both.stl", lambda each: each.hold is HoldReason.FILE and held(each), PATIENT)
    (tmp_path / "both.stl").rename(context.share / "approved/both.stl")
    sent = ends(context, first.id, SubmissionState.DISPATCHED)
    assert (context.sent(sent), sent.claimed_as) == (1, "done/both.stl")


def test_a_held_mesh_is_released_too_and_its_note_may_come_along(context: Shop) -> None:
    first = hold_one(context, "with hole.stl", open_box(31))
    assert first.hold is HoldReason.MESH
    move(context, "held/with hole.stl.txt", "approved/with hole.stl.txt")
    move(context, "held/with hole.stl", "approved/with hole.stl")
    sliced = context.wait("with hole.stl", lambda each: each.hold is HoldReason.SLICE and held(each), PATIENT)
    assert (sliced.id, sliced.claimed_as) == (first.id, "held/with hole.stl")
    assert until(lambda: not list((context.share / "approved").rglob("*.txt")))


def test_what_is_dropped_straight_into_approved_is_held(context: Shop) -> None:
    place = context.share / "approved" / "rush" / "straight.stl"
    place.parent.mkdir()
    place.write_bytes(box(27))
    first = context.wait("rush/straight.stl", held, PATIENT)
    assert context.places("straight.stl") == {"held/rush/straight.stl"}
    assert first.reason is not None
    assert "no held file has this content" in first.reason
    assert first.part_version_id is None
    assert first.reason.split(".")[0] in context.note("held/rush/straight.stl")

    move(context, "held/rush/straight.stl", "inbox/rush/straight.stl")
    sent = context.wait("rush/straight.stl", lambda each: each.id != first.id and dispatched(each), PATIENT)
    assert context.sent(sent) == 1
    assert context.service.ledger.get(first.id).state is SubmissionState.CANCELED


def test_a_file_that_changed_is_a_revision_and_is_checked_like_any(context: Shop) -> None:
    first = hold_one(context, "ask/grows.stl", box(1, 1, 0.7))
    (context.share / "held/ask/grows.stl").write_bytes(box(1, 1, 0.71))
    move(context, "held/ask/grows.stl", "approved/ask/grows.stl")
    second = context.wait("ask/grows.stl", lambda each: each.id != first.id and held(each), PATIENT)
    assert any(
        f"submission {first.id} had other content" in said for _, said in events_of(context, second.id)
    )
    assert context.service.ledger.get(first.id).state is SubmissionState.CANCELED
    assert context.places("grows.stl") == {"held/ask/grows.stl"}
    assert second.part_version_id is None


def test_bytes_swapped_after_the_release_are_not_released(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the decision and the copy into the spool: the release is for what was held."""
    shop = open_shop()
    first = hold_one(shop, "swap.stl", box(1, 1, 0.8))
    unbroken = release_submission

    def swapped(*args: Any, **named: Any) -> Submission:
        (shop.share / "approved" / "swap.stl").write_bytes(box(1, 1, 0.81))
        return unbroken(*args, **named)

    monkeypatch.setattr("workflow.pipeline.moved_files.release_submission", swapped)
    move(shop, "held/swap.stl", "approved/swap.stl")
    again = shop.wait("swap.stl", lambda each: each.turn > first.turn and held(each), PATIENT)
    assert again.id == first.id
    assert any("the release does not apply" in said for _, said in events_of(shop, first.id))
    assert again.part_version_id is None


def test_a_build_that_is_missing_can_not_be_approved(open_shop: Open) -> None:
    with simulated(builds="manual") as cloud:
        shop = open_shop(cloud, build_wait_seconds=0.1)
        first = hold_one(shop, "lonely.stl", box(28))
        assert first.hold is HoldReason.BUILD
        move(shop, "held/lonely.stl", "approved/lonely.stl")
        assert until(
            lambda: (
                ("not approved" in dict(events_of(shop, first.id)))
                and (shop.share / "held/lonely.stl").exists()
            )
        )
        shop.wait("lonely.stl", held, PATIENT)
        assert until(lambda: shop.says("held/lonely.stl", "Make one there"))
        assert shop.places("lonely.stl") == {"held/lonely.stl"}
        assert shop.service.ledger.get(first.id).hold is HoldReason.BUILD


def test_a_copy_waits_for_its_original_to_go(context: Shop) -> None:
    """A move between two disks is a copy and a deletion: what is copied alone decides nothing."""
    first = hold_one(context, "copied.stl", box(1, 1, 0.9))
    content = (context.share / "held/copied.stl").read_bytes()
    (context.share / "approved/copied.stl").write_bytes(content)
    approved = context.service.approved
    assert approved is not None
    assert until(lambda: any("still there" in each.why for each in approved.waiting()))
    assert context.service.ledger.get(first.id).state is SubmissionState.HELD
    (context.share / "held/copied.stl").unlink()
    ends(context, first.id, SubmissionState.DISPATCHED)


def test_of_two_decisions_the_first_one_is_carried_out(open_shop: Open) -> None:
    """Canceled by command while the file is on its way to approved/: it stays canceled."""
    shop = open_shop()
    first = hold_one(shop, "both.stl", box(1, 1, 0.6))
    move(shop, "held/both.stl", "approved/both.stl")
    cancel_submission(shop.service.ledger, first.id)
    assert until(lambda: shop.places("both.stl") == {"rejected/both.stl"})
    ends(shop, first.id, SubmissionState.CANCELED)
    assert shop.cloud.dispatches() == {}
    assert "It was canceled before" in shop.note("rejected/both.stl")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_links_and_pipes_in_approved_decide_nothing(context: Shop) -> None:
    first = hold_one(context, "linked.stl", box(1, 1, 0.65))
    (context.share / "approved/linked.stl").symlink_to(context.share / "held/linked.stl")
    os.mkfifo(context.share / "approved/pipe.stl")
    approved = context.service.approved
    assert approved is not None
    assert until(lambda: len([each for each in approved.waiting() if each.left_alone]) == 2)
    assert context.service.ledger.get(first.id).state is SubmissionState.HELD
    (context.share / "approved/linked.stl").unlink()
    (context.share / "approved/pipe.stl").unlink()


def test_a_setting_turns_it_off(open_shop: Open) -> None:
    shop = open_shop(decide_by_moving=False)
    assert shop.service.approved is None
    assert not (shop.share / "approved").exists()


@pytest.mark.parametrize("there", ["rejected/no/gone.stl", "rejected/under another name.stl"])
def test_a_held_file_moved_to_rejected_is_canceled(context: Shop, there: str) -> None:
    first = hold_one(context, f"no/{Path(there).name}", box(1, 1, 0.4 + len(there) / 1000))
    before = sum(context.cloud.dispatches().values())
    move(context, first.claimed_as or "", there)
    ended = ends(context, first.id, SubmissionState.CANCELED)
    assert ended.reason == "Canceled by moving the file to rejected/."
    assert ("canceled", "by moving the file") in events_of(context, first.id)
    assert context.places(Path(there).name) == {f"rejected/no/{Path(there).name}"}
    assert "was CANCELED" in context.note(f"rejected/no/{Path(there).name}")
    assert sum(context.cloud.dispatches().values()) == before


def test_a_file_is_canceled_too_if_a_kill_kept_its_place_in_held_from_being_recorded(context: Shop) -> None:
    """It was moved to held/, stlflow was killed, and a person moved it on before the next start."""
    first = hold_one(context, "unrecorded.stl", box(1, 1, 0.29))
    ledger = context.service.ledger
    ledger.update_submission(ledger.get(first.id), claimed_as=f"processing/gone/{first.id}~unrecorded.stl")
    move(context, "held/unrecorded.stl", "rejected/unrecorded.stl")
    ended = ends(context, first.id, SubmissionState.CANCELED)
    assert ended.reason == "Canceled by moving the file to rejected/."
    assert context.places("unrecorded.stl") == {"rejected/unrecorded.stl"}


def test_the_same_moment_and_a_move_to_approved_releases_it(context: Shop) -> None:
    first = hold_one(context, "unrecorded too.stl", box(1, 1, 0.28))
    ledger = context.service.ledger
    ledger.update_submission(
        ledger.get(first.id), claimed_as=f"processing/gone/{first.id}~unrecorded too.stl"
    )
    move(context, "held/unrecorded too.stl", "approved/unrecorded too.stl")
    sent = ends(context, first.id, SubmissionState.DISPATCHED)
    assert (context.sent(sent), sent.claimed_as) == (1, "done/unrecorded too.stl")


def test_a_file_in_rejected_that_was_changed_cancels_nothing(context: Shop) -> None:
    first = hold_one(context, "kept.stl", box(1, 1, 0.31))
    second = hold_one(context, "twin.stl", box(1, 1, 0.32))
    (context.share / "held/kept.stl").unlink()
    (context.share / "rejected/kept.stl").write_bytes(box(1, 1, 0.33))
    move(context, "held/twin.stl", "rejected/twin.stl")
    ends(context, second.id, SubmissionState.CANCELED)
    assert context.service.ledger.get(first.id).state is SubmissionState.HELD


def test_the_note_names_the_folder_first_and_a_command_that_works(
    open_shop: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").touch()
    monkeypatch.chdir(tmp_path)
    shop = open_shop()
    first = hold_one(shop, "asks.stl", box(1, 1, 0.5))
    said = shop.note("held/asks.stl").partition("What to do next\n")[2]
    assert said.startswith("  If the part is right as it is, move the file to approved/.")
    assert "To end it, move it to rejected/." in said
    assert f"`stlflow -C {tmp_path} release {first.id}`" in said


def test_the_note_of_a_read_only_inbox_decides_in_place_of_its_file(open_shop: Open, tmp_path: Path) -> None:
    inbox, decisions = tmp_path / "exports", tmp_path / "decisions"
    inbox.mkdir()
    shop = open_shop(read_only_inbox=inbox, decisions=decisions)
    numbers = {}
    for name, size in (("yes.stl", 0.5), ("no.stl", 0.51), ("changed.stl", 0.52)):
        (inbox / name).write_bytes(box(1, 1, size))
        numbers[name] = shop.wait(name, held, PATIENT).id
    notes = {name: f"{number}~{name}.txt" for name, number in numbers.items()}
    assert until(lambda: all((shop.share / "held" / note).exists() for note in notes.values()))
    assert "move this note to approved/" in (shop.share / "held" / notes["yes.stl"]).read_text("utf-8-sig")
    (shop.share / "held" / notes["no.stl"]).rename(decisions / "rejected" / notes["no.stl"])
    (shop.share / "held" / notes["yes.stl"]).rename(decisions / "approved" / notes["yes.stl"])
    ends(shop, numbers["yes.stl"], SubmissionState.DISPATCHED)
    ends(shop, numbers["no.stl"], SubmissionState.CANCELED)
    assert until(lambda: not [each for each in decisions.rglob("*") if each.is_file()])
    assert (inbox / "yes.stl").read_bytes() == box(1, 1, 0.5)

    before = shop.service.ledger.get(numbers["changed.stl"])
    (inbox / "changed.stl").write_bytes(box(1, 1, 0.53))
    (shop.share / "held" / notes["changed.stl"]).rename(decisions / "approved" / notes["changed.stl"])
    assert until(lambda: "not approved" in dict(events_of(shop, before.id)))
    assert shop.cloud.dispatches().total() == 1


def test_the_note_alone_decides_too_while_its_file_is_as_it_was_held(context: Shop) -> None:
    numbers = [
        hold_one(context, f"note/{name}.stl", box(1, 1, 0.2 + number / 100)).id
        for number, name in enumerate("abc")
    ]
    (context.share / "held/note/c.stl").write_bytes(box(1, 1, 0.25))
    for name, where in (("a", "approved"), ("b", "rejected"), ("c", "approved")):
        move(context, f"held/note/{name}.stl.txt", f"{where}/{name}.stl.txt")
    ends(context, numbers[0], SubmissionState.DISPATCHED)
    ends(context, numbers[1], SubmissionState.CANCELED)
    assert until(lambda: "not approved" in dict(events_of(context, numbers[2])))
    assert until((context.share / "held/note/c.stl.txt").exists)
    assert context.service.ledger.get(numbers[2]).state is SubmissionState.HELD


def test_a_decision_made_while_the_share_was_away_is_carried_out_later(open_shop: Open) -> None:
    shop = open_shop()
    first = hold_one(shop, "far.stl", box(1, 1, 0.5))
    away = shop.share.with_name("away")
    shop.share.rename(away)
    (away / "held/far.stl").rename(away / "approved/far.stl")
    approved = shop.service.approved
    assert approved is not None
    approved.wake()
    assert shop.service.ledger.get(first.id).state is SubmissionState.HELD
    away.rename(shop.share)
    ends(shop, first.id, SubmissionState.DISPATCHED)
