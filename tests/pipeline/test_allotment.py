"""What was given to a device a moment ago counts before Eiger shows it."""

from dataclasses import replace

from tests.routing.test_devices import READY
from workflow.pipeline.allotment import SOON_SECONDS, Allotment

OTHER = replace(READY, id="2", name="M2-2")


class Dial:
    """A clock that is turned by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_was_given_lengthens_the_queue_for_a_while() -> None:
    dial = Dial()
    allotment = Allotment(dial)
    allotment.give(READY.id, 600.0, 2, starts_now=False)
    given, other = allotment.as_they_will_be([READY, OTHER])
    assert (given.queue_seconds, given.queue_length, given.state) == (3600.0 + 1200.0, 3, "Ready")
    assert other == OTHER
    dial.now += SOON_SECONDS + 1
    assert allotment.as_they_will_be([READY]) == (READY,)


def test_a_printer_that_was_told_to_print_is_ready_no_more_unless_it_refuses() -> None:
    allotment = Allotment(Dial())
    allotment.give(READY.id, 600.0, 1, starts_now=True)
    assert allotment.as_they_will_be([READY])[0].state == "Printing"
    allotment.take_back(READY.id)
    allotment.take_back(READY.id)
    assert allotment.as_they_will_be([READY]) == (READY,)
