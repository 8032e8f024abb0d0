"""The service goes on when the process that inspects meshes does not."""

import os
import signal
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from tests.pipeline.conftest import Open, dispatched, held
from tests.stl import box
from workflow.model import HoldReason, MeshReport
from workflow.pipeline.commands import retry_submission
from workflow.pipeline.ingest import is_still_as_taken

SLOW = b"color 0 0 0\n" * 1_000_000
"""Text that is read word by word, for most of a second."""


def slow_text() -> bytes:
    facet = b"facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 9 0 0\nvertex 0 9 0\nendloop\nendfacet\n"
    return b"solid slow\n" + facet + SLOW + b"endsolid slow\n"


def test_a_file_that_takes_too_long_is_held_and_the_others_go_on(open_shop: Open) -> None:
    context = open_shop(inspection_limit_seconds=0.3)
    context.drop("slow.stl", slow_text())
    given_up = context.wait("slow.stl", held)
    assert given_up.hold is HoldReason.FILE
    assert "0.3 s were not enough to inspect this file." in context.note("held/slow.stl")
    context.drop("box.stl", box())
    assert context.sent(context.wait("box.stl", dispatched)) == 1
    turn = given_up.turn
    retry_submission(context.service.ledger, given_up.id)
    assert context.wait("slow.stl", lambda again: held(again) and again.turn > turn).hold is HoldReason.FILE


def test_killing_the_inspecting_process_harms_no_file(open_shop: Open) -> None:
    context = open_shop()
    for number in range(3):
        context.drop(f"box {number}.stl", box(20 + number))
        assert context.sent(context.wait(f"box {number}.stl", dispatched)) == 1
        worker = context.service._context.inspector._worker
        assert worker is not None
        os.kill(worker.process.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


def test_a_file_that_was_written_on_after_it_was_taken_is_not_rejected(open_shop: Open) -> None:
    """On a network mount nobody can tell whether its writer is left."""
    context = open_shop().service.context
    context.share.inbox.joinpath("late.stl").touch()
    number = context.ledger.open("late.stl")
    place = context.share.claimed_path("late.stl", number)
    claimed = context.share.root / place
    claimed.parent.mkdir(parents=True, exist_ok=True)
    context.share.inbox.joinpath("late.stl").rename(claimed)
    empty = replace(context.ledger.get(number), claimed_as=place, size=0, sha256=sha256(b"").hexdigest())
    assert is_still_as_taken(context, empty)
    claimed.write_bytes(box())
    assert not is_still_as_taken(context, empty)
    claimed.unlink()
    assert is_still_as_taken(context, empty), "what is gone can't have been written on"


def test_what_is_wrong_with_an_early_copy_is_not_held_against_the_file(open_shop: Open) -> None:
    shop = open_shop()
    context = shop.service.context
    written_on: list[int] = []

    class WritingOn:
        """Inspects as usual; the first file's program goes on writing just before."""

        def inspect(self, spool_file: Path, path: str) -> MeshReport:
            submission = shop.submission(path)
            if not written_on and submission is not None:
                written_on.append(submission.id)
                (context.share.root / str(submission.claimed_as)).write_bytes(box())
            return usual.inspect(spool_file, path)

    usual = context.inspector
    object.__setattr__(context, "inspector", WritingOn())
    shop.drop("late.stl", b"")
    assert shop.sent(shop.wait("late.stl", dispatched)) == 1
    assert shop.places("late.stl") == {"done/late.stl"}
    assert written_on
