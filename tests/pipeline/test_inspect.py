"""The service goes on when the process that inspects meshes does not."""

import os
import signal

from tests.pipeline.conftest import Open, dispatched, held
from tests.stl import box
from workflow.model import HoldReason
from workflow.pipeline.commands import retry_submission

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
        process = context.service._shop.inspector.process_id
        assert process is not None
        os.kill(process, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
