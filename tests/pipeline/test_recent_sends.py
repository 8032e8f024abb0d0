"""What was given to a device a moment ago counts before Eiger shows it."""

from dataclasses import replace

from tests.routing.test_choose_device import READY
from workflow.ledger import RecentSend
from workflow.model import Destination
from workflow.pipeline.route import with_recent_sends

OTHER = replace(READY, id="2", name="M2-2")


def test_what_was_given_lengthens_the_queue() -> None:
    lately = [RecentSend(READY.id, Destination.DEVICE_QUEUE, copies, 600.0) for copies in (1, 1)]
    given, other = with_recent_sends([READY, OTHER], lately)
    assert (given.queue_seconds, given.queue_length, given.state) == (3600.0 + 1200.0, 3, "Ready")
    assert other == OTHER


def test_a_printer_that_was_told_to_print_is_ready_no_more() -> None:
    told = RecentSend(READY.id, Destination.PRINT_NOW, 1, 600.0)
    assert with_recent_sends([READY], [told])[0].state == "Printing"
    assert with_recent_sends([READY], []) == (READY,)
