"""The service goes on when the process that inspects meshes does not."""

import os
import signal

from tests.pipeline.conftest import Open, dispatched, held
from tests.stl import box
from workflow.model import Hold
from workflow.pipeline.orders import retry

SLOW = b"color 0 0 0\n" * 1_000_000
"""Text that is read word by word, for most of a second."""


def slow_text() -> bytes:
    facet = b"facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 9 0 0\nvertex 0 9 0\nendloop\nendfacet\n"
    return b"solid slow\n" + facet + SLOW + b"endsolid slow\n"


def test_a_file_that_takes_too_long_is_held_and_the_others_go_on(open_shop: Open) -> None:
    shop = open_shop(inspection_limit_seconds=0.3)
    shop.drop("slow.stl", slow_text())
    given_up = shop.wait("slow.stl", held)
    assert given_up.hold is Hold.FILE
    assert "0.3 s were not enough to inspect this file." in shop.note("held/slow.stl")
    shop.drop("box.stl", box())
    assert shop.sent(shop.wait("box.stl", dispatched)) == 1
    turn = given_up.turn
    retry(shop.service.ledger, given_up.id)
    assert shop.wait("slow.stl", lambda again: held(again) and again.turn > turn).hold is Hold.FILE


def test_killing_the_inspecting_process_harms_no_file(open_shop: Open) -> None:
    shop = open_shop()
    for number in range(3):
        shop.drop(f"box {number}.stl", box(20 + number))
        assert shop.sent(shop.wait(f"box {number}.stl", dispatched)) == 1
        process = shop.service._shop.inspector.process_id
        assert process is not None
        os.kill(process, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
