"""The contract of the work queue, for both adapters: real ledgers, and stages that are plain functions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Event, Lock

import pytest

from tests.waiting import until
from workflow.ledger import Ledger, Superseded, Work, deregister_worker, register_worker
from workflow.model import EventKind, Step, Submission, SubmissionState, Worker
from workflow.pipeline import local_queue, postgres_queue
from workflow.pipeline.context import now
from workflow.pipeline.local_queue import LocalQueue
from workflow.pipeline.postgres_queue import PostgresQueue
from workflow.pipeline.work_queue import QueueLimits, RunStage, WorkQueue

FAR_FUTURE = timedelta(days=400)


@dataclass
class Floor:
    """One process's queue over a ledger, and what its stages did."""

    ledger: Ledger
    home: str = "here"
    stage: RunStage | None = None
    limits: QueueLimits = field(default_factory=QueueLimits)
    begun: list[Work] = field(default_factory=list)
    interrupted: list[int] = field(default_factory=list)
    queue: WorkQueue | None = None
    me: Worker = field(init=False)
    on_workers: Callable[[frozenset[int]], None] = lambda _: None
    _lock: Lock = field(default_factory=Lock)

    def start(self, stage: RunStage | None = None, limits: QueueLimits | None = None) -> WorkQueue:
        """Start a process; a stage ends its submission unless another one is given."""
        self.stage, self.limits = stage or self.end, limits or self.limits
        self.queue = self._make()
        self.queue.start()
        return self.queue

    def crash(self) -> None:
        """Let the process be gone for all others; its threads go on, as those of a frozen one would."""
        assert self.queue is not None
        self.queue.stop(0.1)
        deregister_worker(self.ledger, self.me)

    def _make(self) -> WorkQueue:
        self.me = register_worker(self.ledger, self.home, "host", 1, "1.0")
        if self.ledger.url.startswith("sqlite"):
            return LocalQueue(self.ledger, self.home, self._run, self.limits, self._note_interrupted)
        return PostgresQueue(
            self.ledger, self.home, self._run, self.limits, self._note_interrupted, self._note_workers
        )

    def _note_workers(self, workers: frozenset[int]) -> None:
        self.on_workers(workers)
        self.me = replace(self.me, queue_workers=tuple(workers | set(self.me.queue_workers)))

    def _run(self, work: Work) -> None:
        """Run a stage, if the turn is not over: on Postgres a job of an earlier turn may come first."""
        if self.ledger.get(work.number).turn != work.turn:
            return
        with self._lock:
            self.begun.append(work)
        assert self.stage is not None
        self.stage(work)

    def _note_interrupted(self, submission: Submission) -> None:
        self.interrupted.append(submission.id)

    def end(self, work: Work) -> None:
        """Be a stage that leaves nothing to do."""
        submission = self.ledger.get(work.number)
        if submission.turn == work.turn:
            self.ledger.schedule_next_step(submission, None, None)

    def claim(self, count: int = 1, **where: str) -> list[int]:
        """Submit files; their intake is due at once."""
        numbers = [self.ledger.open(f"{place}.stl") for place in range(count)]
        for number in numbers:
            self.ledger.claimed(number, f"processing/{number}~a.stl", **where)  # type: ignore[arg-type]  # home
        return numbers

    def schedule(self, step: Step, seconds: float = 0.0) -> int:
        """Submit a file whose next step is due in a while."""
        (number,) = self.claim(home="nowhere")  # so that nobody begins it before
        self.ledger.schedule_next_step(self.ledger.get(number), step, now() + timedelta(seconds=seconds))
        return number

    def has_ended(self, number: int) -> bool:
        """True if nothing is left to do for a submission."""
        return self.ledger.get(number).step is None


@pytest.fixture(params=["sqlite", "postgres"])
def floor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Floor]:
    """A ledger with nothing in it, and a queue that is not started."""
    for module in (local_queue, postgres_queue):
        monkeypatch.setattr(module, "AUDIT_SECONDS", 0.2)
    if request.param == "postgres":
        ledger = Ledger(request.getfixturevalue("postgres_url"))
    else:
        ledger = Ledger(f"sqlite:///{request.getfixturevalue('tmp_path') / 'ledger.db'}")
    floor = Floor(ledger)
    yield floor
    if floor.queue is not None:
        floor.queue.stop(10)
    ledger.close()


def test_each_due_step_begins_once_and_ends(floor: Floor) -> None:
    numbers = floor.claim(40)
    queue = floor.start()
    assert until(lambda: all(map(floor.has_ended, numbers)))
    assert queue.stop(10)
    assert sorted(work.number for work in floor.begun) == numbers
    assert {(work.turn, work.step) for work in floor.begun} == {(0, Step.INTAKE)}
    assert queue.running() == ()


def test_many_new_files_hold_up_no_delivery_and_limits_are_kept(floor: Floor) -> None:
    hold, side_by_side = Event(), list[int]()

    def stage(work: Work) -> None:
        assert floor.queue is not None
        side_by_side.append(sum(each.step is Step.INTAKE for each in floor.queue.running()))
        if work.step is Step.INTAKE:
            hold.wait(60)
        floor.end(work)

    crowd, late = floor.claim(6), floor.schedule(Step.DELIVER)
    floor.start(stage, QueueLimits(intake=2, deliver=1))
    try:
        assert until(lambda: floor.has_ended(late))
        assert until(lambda: sum(work.step is Step.INTAKE for work in floor.begun) == 2)
    finally:
        hold.set()
    assert until(lambda: all(map(floor.has_ended, crowd)))
    assert max(side_by_side) == 2


def test_a_due_time_is_kept(floor: Floor) -> None:
    at: list[float] = []

    def stage(work: Work) -> None:
        at.append(now().timestamp())
        floor.end(work)

    floor.start(stage)
    due_at = now().timestamp() + 0.7
    number = floor.schedule(Step.DELIVER, seconds=0.7)
    assert until(lambda: floor.has_ended(number))
    assert floor.begun[-1].step is Step.DELIVER
    assert -0.01 <= at[-1] - due_at < 5


def test_a_time_that_a_wrong_clock_wrote_is_due_now(floor: Floor) -> None:
    number = floor.schedule(Step.FINISH, FAR_FUTURE.total_seconds())
    floor.start()
    assert until(lambda: floor.has_ended(number))


def test_what_another_process_makes_due_is_seen(floor: Floor) -> None:
    floor.start()
    other = Ledger(floor.ledger.url)
    number = other.open("other.stl")
    other.claimed(number, "processing/1~other.stl")
    other.close()
    assert until(lambda: floor.has_ended(number))


def test_polls_are_left_to_the_poller(floor: Floor) -> None:
    parked, number = floor.schedule(Step.POLL), floor.schedule(Step.DELIVER)
    floor.start()
    assert until(lambda: floor.has_ended(number))
    assert floor.ledger.get(parked).step is Step.POLL
    assert {work.step for work in floor.begun} == {Step.DELIVER}


def test_a_file_on_another_machines_disk_is_left_to_that_machine(floor: Floor) -> None:
    (elsewhere,), (here,) = floor.claim(home="elsewhere"), floor.claim(home="here")
    floor.start()
    assert until(lambda: floor.has_ended(here))
    assert [work.number for work in floor.begun] == [here]
    assert not floor.has_ended(elsewhere)


def test_a_step_that_was_canceled_before_its_turn_came_is_not_run(floor: Floor) -> None:
    hold = Event()

    def stage(work: Work) -> None:
        hold.wait(60)
        floor.end(work)

    first, second = floor.claim(2)
    queue = floor.start(stage, QueueLimits(intake=1, deliver=1))
    try:
        assert until(lambda: floor.begun)
        floor.ledger.schedule_next_step(floor.ledger.get(second), None, None)
    finally:
        hold.set()
    assert until(lambda: floor.has_ended(first))
    assert queue.stop(10)
    assert [work.number for work in floor.begun] == [first]


def test_a_stage_whose_turn_is_over_can_write_nothing(floor: Floor) -> None:
    hold, refused = Event(), list[Superseded]()
    (number,) = floor.claim()
    canceled = floor.ledger.get(number)

    def stage(_: Work) -> None:
        mine = floor.ledger.get(number)
        hold.wait(60)
        try:
            floor.ledger.record_event(mine, EventKind.INSPECTED, state=SubmissionState.INSPECTED)
        except Superseded as error:
            refused.append(error)

    floor.start(stage)
    assert until(lambda: floor.begun)
    floor.ledger.schedule_next_step(canceled, None, None, EventKind.CANCELED)
    hold.set()
    assert until(lambda: refused)
    assert floor.ledger.get(number).state is SubmissionState.CLAIMED


@pytest.mark.parametrize("fails", [True, False], ids=["raises", "moves nothing"])
def test_a_stage_that_does_not_move_its_row_is_run_again_under_a_new_turn(
    floor: Floor, *, fails: bool
) -> None:
    def stage(work: Work) -> None:
        if work.turn > 0:
            floor.end(work)
        elif fails:
            raise OSError("disk full")

    (number,) = floor.claim()
    floor.start(stage)
    assert until(lambda: floor.has_ended(number))
    assert [work.turn for work in floor.begun] == [0, 1]


def test_stop_begins_nothing_new_and_tells_what_is_left(floor: Floor) -> None:
    hold = Event()

    def stage(work: Work) -> None:
        hold.wait(60)
        floor.end(work)

    first, second = floor.claim(2)
    queue = floor.start(stage, QueueLimits(intake=1, deliver=1))
    try:
        assert until(lambda: floor.begun)
        assert not queue.stop(0.2)
        assert [work.number for work in queue.running()] == [first]
    finally:
        hold.set()
    assert until(lambda: queue.running() == ())
    assert not floor.has_ended(second)
    floor.start()
    assert until(lambda: floor.has_ended(second))


def test_what_a_crash_cut_off_is_run_again_under_a_new_turn_that_alone_may_write(floor: Floor) -> None:
    hold, late = Event(), list[Submission]()

    def stage(work: Work) -> None:
        late.append(floor.ledger.get(work.number))
        hold.wait(60)

    floor.claim(3)
    floor.start(stage)
    try:
        assert until(lambda: len(late) == 3)
        floor.crash()
        floor.start()
        assert until(lambda: all(floor.has_ended(submission.id) for submission in late))
        assert sorted(floor.interrupted) == sorted(submission.id for submission in late)
        for submission in late:
            with pytest.raises(Superseded):
                floor.ledger.record_event(submission, EventKind.INSPECTED)
            taken_over = [
                event for event in floor.ledger.events(submission.id) if event.event == "taken over"
            ]
            assert len(taken_over) == 1
    finally:
        hold.set()


def test_it_checks_often_while_nothing_is_due(floor: Floor) -> None:
    queue = floor.start()
    assert until(lambda: queue.stalled_seconds() < 1.0)
    floor.schedule(Step.DELIVER, seconds=1000)
    queue.wake()
    assert until(lambda: queue.stalled_seconds() < 0.1)
    assert floor.begun == []
