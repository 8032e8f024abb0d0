"""A command and a move in the folder that come at the same moment: each pair, in each order.

Nobody works between the two. Then either the workers come first, or the watchers of the folders do.
"""

from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.pipeline.at_once import Act, Bench, cleared, content, opened_bench
from tests.pipeline.conftest import held
from tests.waiting import until
from workflow.model import Submission, SubmissionState

SENT = "sent once, its file in done/"
HELD = "held again, for a person to decide"
CANCELED = "not sent, its file in rejected/"
SET_ASIDE = "sent once, its file in rejected/ with the reason"
GONE = "its file is gone"

AS_MOVED = {"approved": SENT, "inbox": HELD, "rejected": CANCELED, "deleted": GONE}
"""What a move into a folder means by itself: it is obeyed, whatever command comes with it."""
NOT_BOTH = {"inbox": f"{HELD}|{SET_ASIDE}", "rejected": f"{CANCELED}|{SENT}"}
"""Where both can't be obeyed, the first one is; a command may have it sent before the move is seen."""
SENDS = {"inbox": SET_ASIDE, "rejected": f"{CANCELED}|{SENT}"}
EXPECTED = {
    ("rule", "retry"): AS_MOVED,
    ("rule", "release"): AS_MOVED,
    ("rule", "cancel"): {**AS_MOVED, "approved": CANCELED},
    ("mesh", "retry"): AS_MOVED,
    ("units", "retry"): {**AS_MOVED, "inbox": SENT},
    ("route", "retry"): AS_MOVED,
    ("route", "release"): {**AS_MOVED, **NOT_BOTH},
    ("route", "cancel"): {**AS_MOVED, "approved": CANCELED},
    ("route", "attach"): AS_MOVED,
    ("send", "retry"): {**AS_MOVED, **SENDS},
    ("send", "sent"): {**AS_MOVED, "inbox": SET_ASIDE, "rejected": SENT},
    ("send", "not sent"): {**AS_MOVED, **SENDS},
    ("send", "cancel"): {**AS_MOVED, "approved": CANCELED},
    ("rejected", "retry"): {"approved": f"{CANCELED}|{HELD}", "inbox": CANCELED, "deleted": GONE},
}
ALONE = {
    ("rule", "retry"): HELD,
    ("rule", "release"): SENT,
    ("rule", "cancel"): CANCELED,
    ("route", "retry"): HELD,
    ("route", "release"): SENT,
    ("route", "cancel"): CANCELED,
    ("route", "attach"): HELD,
    ("rejected", "retry"): CANCELED,
}
"""What a command does if the file is taken before it can be moved."""
SEEN_FIRST = {("retry", "rejected"): HELD, ("sent", "rejected"): CANCELED}
"""What else may come of a command if the move before it was seen: it is given for what was canceled."""
PAIRS = [(kind, command, move) for (kind, command), ends in EXPECTED.items() for move in ends]


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


@pytest.mark.parametrize("command_first", [True, pytest.param(False, marks=pytest.mark.long)])
@pytest.mark.parametrize(("kind", "command", "move"), PAIRS)
def test_both_are_obeyed_while_nobody_works(
    bench: Bench, kind: str, command: str, move: str, *, command_first: bool
) -> None:
    for workers_first in (True, False):
        part = bench.put_on_hold(kind)
        acts = [bench.command(part, command), bench.move(part, move)]
        for act in acts if command_first else reversed(acts):
            act()
        actors = [bench.work, bench.watch]
        bench.rest(part.path, *(actors if workers_first else reversed(actors)))
        came = f"workers first: {workers_first}, {bench.refusal}, {bench.history(part.path)}"
        assert ending(bench, part) in EXPECTED[kind, command][move].split("|"), came


@pytest.mark.parametrize("between", ["watch", "work", pytest.param("rest", marks=pytest.mark.long)])
@pytest.mark.parametrize(("kind", "command", "move"), PAIRS)
def test_a_command_after_a_move_that_was_seen(
    bench: Bench, kind: str, command: str, move: str, between: str
) -> None:
    part = bench.put_on_hold(kind)
    bench.move(part, move)()
    getattr(bench, between)(part.path)
    bench.command(part, command)()
    bench.rest(part.path)
    came = f"{bench.refusal}, {bench.history(part.path)}"
    assert ending(bench, part) in {
        *EXPECTED[kind, command][move].split("|"),
        SEEN_FIRST.get((command, move)),
    }, came


@pytest.mark.parametrize("command", ["cancel", "release"])
def test_a_late_step_leaves_the_file_that_came_to_the_old_place(bench: Bench, command: str) -> None:
    part = bench.put_on_hold("rule")
    bench.command(part, command)()
    bench.move(part, "inbox")()
    bench.watch(part.path)
    bench.run(bench.submissions(part.path)[1:])  # dragged back, and held again, before the command is begun
    bench.rest(part.path)
    assert ending(bench, part) == HELD, bench.history(part.path)
    bench.command(part, "retry")()
    assert "submission" in bench.refusal
    assert ending(bench, part) == HELD, bench.history(part.path)


@pytest.mark.parametrize("kind", ["rule", "route"])
def test_what_goes_on_as_a_newer_submission_is_not_retried(bench: Bench, kind: str) -> None:
    part = bench.put_on_hold(kind)
    bench.move(part, "inbox")()
    bench.rest(part.path)
    newer = bench.submissions(part.path)[1]
    bench.command(part, "retry")()
    assert f"It was dropped again, and is submission {newer.id} (held)." in bench.refusal
    assert ending(bench, part) == HELD
    bench.command(newer, "cancel")()
    bench.rest(part.path)
    bench.command(part, "retry")()
    assert (bench.refusal == "") == (kind == "route"), bench.refusal  # a sliced part needs no file


def test_what_was_moved_while_it_was_sent_is_printed_again_once_it_is_dragged_back(bench: Bench) -> None:
    part = bench.put_on_hold("units")
    bench.command(part, "release")()
    bench.move(part, "inbox")()
    bench.rest(part.path)
    aside = bench.submissions(part.path)[-1]
    assert ending(bench, part) == SET_ASIDE, bench.history(part.path)
    bench.move(aside, "inbox")()
    bench.rest(part.path)
    again = bench.submissions(part.path)[-1]
    assert (again.state, again.claimed_as) == (SubmissionState.DISPATCHED, f"done/{part.path}")


def test_both_are_obeyed_while_all_work(tmp_path: Path) -> None:
    pairs = [(pair, first) for pair in PAIRS if pair[0] in {"rule", "route", "rejected"} for first in (0, 1)]
    with opened_bench(tmp_path) as bench:
        parts = [bench.dropped(kind) for (kind, _, _), _ in pairs]
        assert until(lambda: all(bench.is_at_rest(path) for path in parts), 60)
        found = [bench.submissions(path)[0] for path in parts]
        refused = {
            part.id
            for part, ((_, command, move), first) in zip(found, pairs, strict=True)
            if not _moved(*(bench.command(part, command), bench.move(part, move))[:: 1 - 2 * first])
        }
        for part, ((kind, command, move), first) in zip(found, pairs, strict=True):
            expected = ALONE[kind, command] if part.id in refused else EXPECTED[kind, command][move]
            expected += f"|{SEEN_FIRST.get((command, move))}" * first
            until(partial(_has_ended, bench, part, expected.split("|")))
            came = f"{kind}, {command}, {move}, move first: {first}, {bench.history(part.path)}"
            assert bench.is_at_rest(part.path), (came, bench.submissions(part.path))
            assert ending(bench, part) in expected.split("|"), came


@pytest.mark.parametrize("workers_first", [True, False])
def test_a_note_that_is_moved_at_the_moment_of_a_retry_approves_too(
    tmp_path: Path, *, workers_first: bool
) -> None:
    inbox, decisions = tmp_path / "exports", tmp_path / "decisions"
    (inbox / "rule").mkdir(parents=True)
    with opened_bench(tmp_path, read_only_inbox=inbox, decisions=decisions) as bench:
        (inbox / "rule/part.stl").write_bytes(content("rule", 1))
        part = bench.shop.wait("rule/part.stl", held)
        note = bench.shop.share / "held/rule" / f"{part.id}~part.stl.txt"
        assert until(note.exists)
        bench.shop.service.stop()
        bench.moves.home = part.home or ""
        bench.command(part, "retry")()
        note.rename(decisions / "approved" / note.name)
        actors = [bench.work, bench.watch]
        bench.rest(part.path, *(actors if workers_first else reversed(actors)))
        assert bench.ledger.get(part.id).state is SubmissionState.DISPATCHED, bench.history(part.path)


def _has_ended(bench: Bench, part: Submission, expected: Collection[str]) -> bool:
    try:
        return bench.is_at_rest(part.path) and ending(bench, part) in expected
    except AssertionError:
        return False


def _moved(*acts: Act) -> bool:
    """Carry out both; False if a worker took the file before it could be moved."""
    try:
        for act in acts:
            act()
    except FileNotFoundError:
        return False
    return True


def ending(bench: Bench, part: Submission) -> str:
    """Return how a part ended, after a check that nothing is left over of it."""
    found, folders = bench.submissions(part.path), bench.places(part.path)
    sent = sum(each.receipt_id is not None for each in found)
    waiting = [each for each in found if each.state is SubmissionState.HELD]
    assert all(each.step is None for each in found), found
    assert (sent <= 1, bench.sent(part) <= 1, len(folders) <= 1) == (True, True, True), (found, folders)
    if not folders:
        return GONE
    assert bench.places(f"{part.path}.txt") == folders, f"its note, and no other: {bench.history(part.path)}"
    assert folders[0] in {str(each.claimed_as).partition("/")[0] for each in found}
    assert [each.claimed_as for each in waiting] == [f"held/{part.path}"] * (folders == ("held",)), waiting
    return {"done": SENT, "held": HELD, "rejected": SET_ASIDE if sent else CANCELED}[folders[0]]
