"""The embedded queue's own timing: when it checks, how long it waits, what it restarts, and how it stops."""

from collections.abc import Callable
from contextlib import closing
from threading import Event, Timer
from threading import enumerate as enumerate_threads
from time import monotonic

import pytest

from workflow.ledger import DueSteps, Ledger, Work, take_due_steps, work_of
from workflow.pipeline.local_queue import AUDIT_SECONDS, TICK_SECONDS, LocalQueue, seconds_until_check
from workflow.pipeline.work_queue import QueueLimits


@pytest.mark.parametrize(
    ("due_in_seconds", "waits"),
    [(0.7, 0.7), (4.9, 4.9), (7.0, 5.0), (float("inf"), 5.0), (0.0, TICK_SECONDS), (-3.0, TICK_SECONDS)],
)
def test_the_next_check_is_when_something_is_due(due_in_seconds: float, waits: float) -> None:
    assert seconds_until_check(due_in_seconds) == waits


def make_local(ledger: Ledger, clock: Callable[[], float] = monotonic) -> LocalQueue:
    return LocalQueue(ledger, "here", lambda _: None, QueueLimits(), lambda _: None, clock)


def test_a_local_queue_waits_its_time_unless_it_is_woken(ledger: Ledger) -> None:
    queue, waited = make_local(ledger), list[float]()
    with closing(DueSteps(ledger, "here")) as due:
        due.has_news()
        for wait_seconds in (0.02, 20.0, 0.02):
            if wait_seconds > 1:
                queue.wake()
            began = monotonic()
            queue._wait_for_news(due, wait_seconds)
            waited.append(monotonic() - began)
    assert waited[0] >= 0.02
    assert waited[1] < 10
    assert waited[2] >= 0.02


def test_a_step_that_no_thread_runs_is_restarted_at_the_second_audit(ledger: Ledger) -> None:
    moment = [1000.0]
    queue = make_local(ledger, lambda: moment[0])
    assert queue.stalled_seconds() == 0.0
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl", home="here")
    assert take_due_steps(ledger, [work_of(ledger.get(number))])
    with closing(DueSteps(ledger, "here")) as due:
        for turn, seconds in ((0, 0.0), (0, 4.0), (0, 1.0), (0, 4.0), (1, 1.0)):
            moment[0] += seconds
            assert queue._begin_due_steps(due) == (TICK_SECONDS if turn else AUDIT_SECONDS)
            assert ledger.get(number).turn == turn
    moment[0] += 7.0
    assert queue.stalled_seconds() == 7.0


def test_a_local_queue_ends_its_thread_and_what_was_never_started(ledger: Ledger) -> None:
    before, queue = set(enumerate_threads()), make_local(ledger)
    assert queue.stop(10)
    queue = make_local(ledger)
    queue.start()
    (thread,) = (each for each in set(enumerate_threads()) - before if each.name == "queue")
    assert thread.daemon
    assert queue.stop(10)
    assert not thread.is_alive()


def test_stop_waits_for_what_runs(ledger: Ledger) -> None:
    begun, go_on = Event(), Event()

    def stage(_: Work) -> None:
        begun.set()
        go_on.wait(60)

    queue = LocalQueue(ledger, "here", stage, QueueLimits(), lambda _: None)
    number = ledger.open("a.stl")
    ledger.claimed(number, "processing/1~a.stl", home="here")
    queue.start()
    assert begun.wait(60)
    assert not queue.stop(-1.0)
    Timer(0.1, go_on.set).start()
    assert queue.stop(60.0)
