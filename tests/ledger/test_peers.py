"""Workers: nobody takes what another has, and a removed one has nothing any more."""

from pathlib import Path
from threading import Barrier, Thread

import pytest

from tests.ledger.queue_worker import QueueWorker, is_sqlite, take_over
from workflow.errors import StateFolderError
from workflow.ledger import (
    CLOCK,
    Ledger,
    Superseded,
    deregister_worker,
    list_abandoned_claims,
    list_steps_of,
    list_workers,
    read_backpressure,
    read_heartbeats,
    register_worker,
    remove_dead_worker,
    send_heartbeat,
)
from workflow.model import Backpressure, EventKind, Step, Submission


def claimed(ledger: Ledger, count: int = 1) -> list[int]:
    numbers = [ledger.open(f"{place}.stl") for place in range(count)]
    for number in numbers:
        ledger.claimed(number, f"processing/{number}~a.stl")
    return numbers


def taken(ledger: Ledger, worker: QueueWorker) -> Submission:
    claimed(ledger)
    (submission,) = worker.take(Step.INTAKE)
    return submission


def test_rivals_never_take_the_same(ledger: Ledger) -> None:
    numbers = claimed(ledger, 60)
    workers = [QueueWorker(ledger, f"home {place}") for place in range(4)]
    shares: list[list[int]] = [[] for _ in workers]
    start = Barrier(len(workers))

    def rival(place: int) -> None:
        start.wait()
        while some := workers[place].take(Step.INTAKE, 7):
            shares[place] += [submission.id for submission in some]

    rivals = [Thread(target=rival, args=(place,)) for place in range(len(workers))]
    for thread in rivals:
        thread.start()
    for thread in rivals:
        thread.join()
    assert sorted(number for share in shares for number in share) == numbers


def test_a_dead_workers_steps_begin_again_and_it_can_change_nothing(ledger: Ledger) -> None:
    silent, heir = QueueWorker(ledger), QueueWorker(ledger, "elsewhere")
    late = taken(ledger, silent)
    assert is_sqlite(ledger) or take_over(ledger) == ()
    silent.die()
    assert take_over(ledger) == (late,)
    (again,) = heir.take(Step.INTAKE)
    assert (again.id, again.turn) == (late.id, late.turn + 1)
    with pytest.raises(Superseded):
        ledger.record_event(late, EventKind.INSPECTED)
    with pytest.raises(Superseded):
        ledger.sends.begin(late, 1, 60)
    assert ledger.events(late.id)[-1].event == EventKind.TAKEN_OVER


def test_a_worker_that_sent_a_heartbeat_meanwhile_is_not_removed(ledger: Ledger) -> None:
    worker = QueueWorker(ledger).me
    earlier = read_heartbeats(ledger)[worker.name]
    assert send_heartbeat(ledger, worker)
    assert not remove_dead_worker(ledger, worker.name, earlier)
    assert [each.name for each in list_workers(ledger)] == [worker.name]


def test_a_removed_worker_learns_it_and_registers_beside_the_others(ledger: Ledger) -> None:
    worker = QueueWorker(ledger)
    worker.die()
    assert not send_heartbeat(ledger, worker.me)
    restarted = QueueWorker(ledger).me
    again = register_worker(ledger, "here", "host", 1, "1.0", again=True)
    assert {each.name for each in list_workers(ledger)} == {restarted.name, again.name}


def test_a_restart_on_the_same_state_folder_waits_for_nobody(ledger: Ledger) -> None:
    cut_off = taken(ledger, QueueWorker(ledger))
    QueueWorker(ledger)
    assert take_over(ledger) == (cut_off,)


def test_what_a_worker_that_leaves_has_is_free_at_once(ledger: Ledger) -> None:
    worker, other = QueueWorker(ledger), QueueWorker(ledger, "elsewhere")
    submission = taken(ledger, worker)
    deregister_worker(ledger, worker.me)
    assert take_over(ledger) == (submission,)
    assert [each.id for each in other.take(Step.INTAKE)] == [submission.id]
    assert [each.name for each in list_workers(ledger)] == [other.me.name]


def test_a_file_left_on_one_machine_is_taken_there_only(ledger: Ledger) -> None:
    here, elsewhere = QueueWorker(ledger), QueueWorker(ledger, "elsewhere")
    number = ledger.open("a.stl")
    ledger.claimed(number, "/parts/a.stl", left_in_place=True, home="here")
    assert elsewhere.take(Step.INTAKE) == ()
    assert [each.id for each in here.take(Step.INTAKE)] == [number]
    ledger.schedule_next_step(ledger.get(number), Step.DELIVER, ledger.get(number).opened_at)
    assert [each.id for each in elsewhere.take(Step.DELIVER)] == [number]


def test_a_claim_whose_worker_is_gone_is_abandoned(ledger: Ledger) -> None:
    worker = QueueWorker(ledger)
    number = ledger.open("a.stl", worker.me.name)
    assert list_abandoned_claims(ledger) == ()
    worker.die()
    assert [each.id for each in list_abandoned_claims(ledger)] == [number]


def test_a_claim_that_comes_late_is_written_down_all_the_same(ledger: Ledger) -> None:
    """Its worker was thought dead, and its number forgotten, while it moved the file."""
    number = ledger.open("rush/a.stl")
    ledger.forget(number)
    ledger.claimed(number, f"processing/{number}~a.stl", path="rush/a.stl")
    submission = ledger.get(number)
    assert (submission.path, submission.step) == ("rush/a.stl", Step.INTAKE)
    assert ledger.open("b.stl") > number


def test_a_claim_that_another_worker_recorded_is_not_begun_again(ledger: Ledger) -> None:
    worker = QueueWorker(ledger)
    submission = taken(ledger, worker)
    ledger.claimed(submission.id, submission.claimed_as or "", path=submission.path)
    assert list_steps_of(ledger, worker.me) == (submission,)


def test_a_number_that_was_forgotten_is_not_given_out_again(ledger: Ledger) -> None:
    late, _, highest = (ledger.open(path) for path in ("a.stl", "b.stl", "c.stl"))
    ledger.forget(late)
    ledger.forget(highest)
    ledger.claimed(late, "processing/1~a.stl", path="a.stl")
    assert ledger.open("d.stl") > highest


def test_services_that_start_with_the_same_rules_at_once_all_keep_them(ledger: Ledger) -> None:
    troubles: list[StateFolderError] = []

    def start(together: Barrier, revision: str) -> None:
        together.wait()
        try:
            ledger.decisions.store_rules(revision, "rules")
        except StateFolderError as trouble:
            troubles.append(trouble)

    for revision in map(str, range(10)):
        together = Barrier(4)
        threads = [Thread(target=start, args=(together, revision)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ledger.decisions.read_rules(revision) == "rules"
    assert troubles == []


def test_a_file_goes_by_this_machines_clock_even_after_a_database_with_its_own(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Ledger(postgres_url).close()
    monkeypatch.setattr("workflow.ledger.database.system_time", lambda: 5.0)
    assert CLOCK.seconds() > 1e9
    Ledger(f"sqlite:///{tmp_path / 'ledger.db'}").close()
    assert CLOCK.seconds() == 5.0


def test_signs_carry_what_the_cloud_told(ledger: Ledger) -> None:
    one, other = QueueWorker(ledger, "one").me, QueueWorker(ledger, "other").me
    assert send_heartbeat(ledger, one, Backpressure(complaints=2, pause_seconds=60.0))
    told = read_backpressure(ledger)
    assert told[other.name] == Backpressure()
    assert told[one.name].complaints == 2
    assert 50.0 < told[one.name].pause_seconds <= 60.0
    assert send_heartbeat(ledger, one, Backpressure(complaints=2))
    assert read_backpressure(ledger)[one.name] == Backpressure(2, 0.0)
