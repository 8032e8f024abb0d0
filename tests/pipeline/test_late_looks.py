"""A step or a watcher that looked for a file, and acts on what was true a moment before."""

from collections.abc import Iterator
from threading import Event, Thread
from types import ModuleType
from typing import Any

import pytest

from tests.pipeline.at_once import Bench, cleared, content, opened_bench
from tests.pipeline.test_decisions_at_once import CANCELED, GONE, HELD, SENT, ending
from workflow.intake import claim, signature_of
from workflow.ledger import Ledger
from workflow.model import HoldReason, Submission, SubmissionState, evolve
from workflow.notes import has_note_of
from workflow.pipeline import duplicates, finish, ingest, missing_file, moved_files
from workflow.pipeline.context import now
from workflow.pipeline.missing_file import belongs_to_newer


@pytest.fixture(scope="module")
def only_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with opened_bench(tmp_path_factory.mktemp("bench")) as bench:
        bench.shop.service.stop()
        yield bench


@pytest.fixture
def bench(only_bench: Bench) -> Iterator[Bench]:
    """A shop with nothing in it, whose threads are stopped."""
    with cleared(only_bench) as bench:
        yield bench


@pytest.mark.parametrize(("command", "module"), [("cancel", finish), ("retry", ingest)])
def test_a_step_that_looked_just_before_a_newer_file_came_leaves_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, command: str, module: ModuleType
) -> None:
    part = bench.put_on_hold("rule")
    bench.command(part, command)()
    bench.move(part, "inbox")()
    bench.watch(part.path)
    newer = bench.submissions(part.path)[1:]
    looked = belongs_to_newer

    def look_and_be_late(ledger: Ledger, submission: Submission) -> bool:
        found = looked(ledger, submission)
        monkeypatch.setattr(module, "belongs_to_newer", looked)
        bench.run(newer)
        return found

    monkeypatch.setattr(module, "belongs_to_newer", look_and_be_late)
    bench.run(bench.submissions(part.path)[:1])
    bench.rest(part.path)
    assert ending(bench, part) == HELD, bench.history(part.path)


def test_an_end_that_planned_while_a_newer_file_came_to_the_old_place_leaves_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = bench.put_on_hold("rule")
    bench.command(part, "cancel")()
    plan = finish.plan_place

    def plan_and_be_late(*arguments: Any) -> str:
        monkeypatch.undo()
        bench.move(part, "inbox")()
        bench.watch(part.path)
        bench.run(bench.submissions(part.path)[1:])
        return plan(*arguments)

    monkeypatch.setattr(finish, "plan_place", plan_and_be_late)
    bench.run(bench.submissions(part.path)[:1])
    bench.rest(part.path)
    assert ending(bench, part) == HELD, bench.history(part.path)


@pytest.mark.parametrize(("command", "folder"), [("cancel", "rejected"), ("retry", "held")])
def test_a_share_that_is_away_takes_no_file_with_it(bench: Bench, command: str, folder: str) -> None:
    part = bench.put_on_hold("rule")
    bench.command(part, command)()
    share = bench.shop.share
    away = share.rename(share.with_name("away"))
    try:
        bench.run(bench.submissions(part.path))
    finally:
        away.rename(share)
    (waiting,) = bench.submissions(part.path)
    assert waiting.step is not None, bench.history(part.path)
    bench.ledger.schedule_next_step(waiting, waiting.step, now())
    bench.rest(part.path)
    assert bench.places(part.path) == (folder,), bench.history(part.path)
    assert not any("no longer" in each for each in bench.history(part.path))


@pytest.mark.parametrize(
    ("command", "module", "move"), [("cancel", finish, "move_to_outcome"), ("retry", ingest, "reclaim_file")]
)
def test_a_note_of_a_newer_file_that_comes_to_the_old_place_stays(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, command: str, module: ModuleType, move: str
) -> None:
    part = bench.put_on_hold("rule")
    bench.command(part, command)()
    moves = vars(module)[move]

    def move_and_be_late(*arguments: Any) -> Any:
        moved = moves(*arguments)
        monkeypatch.undo()
        newer_revision_held(bench, part)
        return moved

    monkeypatch.setattr(module, move, move_and_be_late)
    bench.run(bench.submissions(part.path)[:1])
    bench.rest(part.path)
    newer = bench.submissions(part.path)[1]
    assert newer.claimed_as == f"held/{part.path}"
    assert has_note_of(bench.shop.share / newer.claimed_as, newer.id), bench.history(part.path)


def test_a_share_that_is_away_does_not_say_that_a_held_file_was_dragged_back(bench: Bench) -> None:
    part = bench.put_on_hold("rule")
    assert duplicates._has_file(bench.context, part)
    away = bench.shop.share.rename(bench.shop.share.with_name("away"))
    try:
        with pytest.raises(OSError, match="share"):
            duplicates._has_file(bench.context, part)
    finally:
        away.rename(bench.shop.share)


@pytest.mark.parametrize(
    ("move", "states"),
    [
        ("approved", [SubmissionState.DISPATCHED, SubmissionState.HELD]),
        ("rejected", [SubmissionState.CANCELED, SubmissionState.HELD]),
        ("inbox", [SubmissionState.CANCELED, SubmissionState.HELD, SubmissionState.HELD]),
    ],
)
def test_a_move_is_obeyed_though_a_newer_file_comes_to_the_old_place_at_that_moment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, move: str, states: list[SubmissionState]
) -> None:
    part = bench.put_on_hold("rule")
    plan = finish.plan_place

    def move_and_plan(*arguments: Any) -> str:
        monkeypatch.undo()
        bench.move(part, move)()
        return plan(*arguments)

    monkeypatch.setattr(finish, "plan_place", move_and_plan)
    newer = newer_revision_held(bench, part)
    assert newer.claimed_as == part.claimed_as
    bench.rest(part.path)
    assert [each.state for each in bench.submissions(part.path)] == states, bench.history(part.path)
    assert has_note_of(bench.shop.share / f"held/{part.path}", newer.id)


@pytest.mark.parametrize(
    ("move", "expected"), [("inbox", HELD), ("rejected", CANCELED), ("deleted", GONE), ("held", HELD)]
)
def test_an_approved_file_that_is_moved_on_before_it_is_taken(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, move: str, expected: str
) -> None:
    monkeypatch.setattr(ingest, "STILL_CHANGING_SECONDS", 0.0)
    part = bench.put_on_hold("rule")
    bench.move(part, "approved")()
    reclaim = claim.reclaim_file

    def reclaim_late(*arguments: Any) -> str:
        bench.move(evolve(part, claimed_as=f"approved/{part.path}"), move)()
        return reclaim(*arguments)

    monkeypatch.setattr(moved_files, "reclaim_file", reclaim_late)
    bench.watch(part.path)
    bench.rest(part.path)
    assert ending(bench, part) == expected, bench.history(part.path)
    if move == "deleted":
        bench.shop.drop(part.path, content("rule", int(part.path[5:-4])))
        bench.rest(part.path)
        assert ending(bench, part) == HELD, bench.history(part.path)


def test_a_file_that_two_services_put_back_from_approved_is_known_where_it_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = bench.put_on_hold("rule")
    bench.command(part, "cancel")()
    bench.move(part, "approved")()
    find = vars(moved_files)["find_moved"]

    def find_and_be_late(*arguments: Any) -> Any:
        found = find(*arguments)
        monkeypatch.undo()
        bench.watch(part.path)
        bench.work(part.path)
        return found

    monkeypatch.setattr(moved_files, "find_moved", find_and_be_late)
    bench.watch(part.path)
    bench.rest(part.path)
    assert ending(bench, part) == CANCELED, bench.history(part.path)


@pytest.mark.parametrize("command", ["retry", "release", "cancel"])
def test_a_command_at_the_moment_when_the_file_is_put_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    path = bench.dropped("rule")
    move = vars(finish)["move_to_outcome"]

    def move_and_be_late(*arguments: Any) -> None:
        monkeypatch.undo()
        move(*arguments)
        bench.command(bench.submissions(path)[0], command)()

    monkeypatch.setattr(finish, "move_to_outcome", move_and_be_late)
    bench.rest(path)
    (part,) = bench.submissions(path)
    expected = {"retry": HELD, "release": SENT, "cancel": CANCELED}[command]
    assert (ending(bench, part), bench.refusal) == (expected, ""), bench.history(path)
    assert part.hold is not HoldReason.FILE


def newer_revision_held(bench: Bench, part: Submission) -> Submission:
    """Drop a file with another content and the name of a held one, and have it held in its place."""
    bench.shop.drop(part.path, content("rule", 5000 + part.id))
    bench.claimer.submit_file(part.path, signature_of((bench.shop.share / "inbox" / part.path).lstat()))
    bench.run(bench.submissions(part.path)[1:])
    return bench.submissions(part.path)[1]


@pytest.mark.parametrize("has_ended", [True, False])
def test_an_end_that_looks_for_its_file_while_that_is_taken_from_approved(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, has_ended: bool
) -> None:
    part = bench.put_on_hold("route")
    bench.command(part, "release")()
    bench.move(part, "approved")()
    seen, looked = Event(), Event()
    end = Thread(target=bench.work, args=(part.path,))
    reclaim, find = claim.reclaim_file, missing_file.find_moved_file

    def find_and_be_late(*arguments: Any) -> str | None:
        found = find(*arguments)
        looked.set()
        assert has_ended or seen.wait(60)
        return found

    def reclaim_late(*arguments: Any) -> str:
        end.start()
        assert looked.wait(60)
        if has_ended:
            end.join()
        return reclaim(*arguments)

    monkeypatch.setattr(finish, "find_moved_file", find_and_be_late)
    monkeypatch.setattr(moved_files, "reclaim_file", reclaim_late)
    bench.watch(part.path)
    seen.set()
    end.join()
    bench.rest(part.path)
    assert ending(bench, part) == SENT, bench.history(part.path)


@pytest.mark.parametrize("looks", ["hash_file", "signature_of", "find_moved", None])
@pytest.mark.parametrize("command", ["release", "retry"])
def test_an_approved_file_that_is_seen_again_before_it_is_taken(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, command: str, looks: str | None
) -> None:
    part = bench.put_on_hold("route")
    bench.command(part, command)()
    bench.move(part, "approved")()
    if command == "release":
        bench.work(part.path)  # sent, and its file not found in held/
    bench.watch(part.path)
    if looks is not None:
        look = vars(moved_files)[looks]

        def look_and_be_late(*arguments: Any) -> Any:
            found = look(*arguments)
            bench.work(part.path)
            return found

        monkeypatch.setattr(moved_files, looks, look_and_be_late)
    bench.watch(part.path)
    monkeypatch.undo()
    bench.rest(part.path)
    assert len(bench.submissions(part.path)) == 1
    assert ending(bench, part) == SENT, bench.history(part.path)
