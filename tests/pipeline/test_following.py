"""Prints are followed to their end, over a simulated Eiger whose clock is turned."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import Cloud, simulated
from tests.pipeline.conftest import Shop, dispatched, opened, written
from tests.stl import box
from tests.waiting import until
from workflow.ledger import Ledger, deregister_worker, register_worker
from workflow.model import EventKind, Notice, NoticeEvent, PrintPhase, Submission, SubmissionState
from workflow.notes import is_outdated
from workflow.pipeline.compose_notice import Composer
from workflow.pipeline.following import PrintFollower
from workflow.pipeline.print_notes import write_print_notes
from workflow.pipeline.watchdog import Watchdog
from workflow.settings import NoticeSettings
from workflow.simulator import REALISTIC_QUIRKS

RULES = """
version: 1
intake:
  - {name: all, preset: Onyx}
routing:
  - name: twice
    when: {path: "two/**"}
    send_to: device_queue
    device: {name: "*Anvil", material: loaded}
    copies: 2
  - name: asked
    when: {path: "ask/**"}
    send_to: job_request
    follow: true
  - name: not followed
    when: {path: "quiet/**"}
    send_to: device_queue
    device: {name: "*Anvil"}
    follow: false
  - name: due
    when: {path: "due/**"}
    send_to: device_queue
    device: {name: "*Anvil"}
    due: "+1 days"
  - name: now
    when: {path: "now/**"}
    send_to: print_now
    device: {name: "*Anvil", material: loaded}
  - {name: queue, send_to: device_queue, device: {name: "*Anvil", material: loaded}}
"""
MINUTE, HOUR = 60.0, 3600.0


class Floor:
    """A shop whose prints are followed step by step."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.cloud = shop, shop.cloud
        self.follower = PrintFollower(shop.service.context, MINUTE, Watchdog())

    def send(self, path: str, size: float = 20) -> Submission:
        self.shop.drop(path, box(size, size, size))
        return self.shop.wait(path, dispatched)

    def later(self, seconds: float, rounds: int = 1) -> None:
        """Let time pass, and follow after each part of it."""
        for _ in range(rounds):
            self.cloud.advance(seconds / rounds)
            self.follower.follow()

    def state(self, submission: Submission) -> SubmissionState:
        return self.now(submission).state

    def now(self, submission: Submission) -> Submission:
        return self.shop.service.ledger.get(submission.id)

    def phases(self, submission: Submission) -> Sequence[PrintPhase]:
        known = self.shop.service.ledger.prints.read([self.now(submission)])
        return [copy.phase for copy in known[submission.id]]

    def events(self, submission: Submission) -> Sequence[tuple[str, str]]:
        kinds = {str(kind) for kind in EventKind}
        listed = self.shop.service.ledger.events(submission.id)
        sent = next(n for n, event in enumerate(listed) if event.event == EventKind.DISPATCHED)
        return [(event.event, event.detail) for event in listed[sent + 1 :] if event.event in kinds]

    def running(self) -> dict[str, Any]:
        active: dict[str, Any] = self.cloud.device("Mark Two - Anvil")["active_job"]
        return active


@pytest.fixture
def floor(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Floor]:
    quirks = getattr(request, "param", REALISTIC_QUIRKS)
    with ExitStack() as stack:
        cloud: Cloud = stack.enter_context(simulated(slice_seconds=0, quirks=quirks))
        shop = stack.enter_context(
            opened(tmp_path, cloud, rules=written(tmp_path, RULES), print_now_armed=True)
        )
        yield Floor(shop)


def attend(cloud: Cloud) -> None:
    """Let the operator come to Anvil: he clears the bed and starts the next print."""
    cloud.act("attend", device_id=cloud.device_named("Anvil")["id"])


@pytest.mark.parametrize(
    "floor", [REALISTIC_QUIRKS, REALISTIC_QUIRKS | {"queue-keeps-id"}, frozenset()], indirect=True
)
def test_from_the_queue_to_the_printed_part(floor: Floor) -> None:
    sent = floor.send("a.stl")
    floor.later(1)
    assert (floor.state(sent), floor.phases(sent)) == (SubmissionState.DISPATCHED, [PrintPhase.QUEUED])
    attend(floor.cloud)
    floor.later(MINUTE)
    assert (floor.state(sent), floor.phases(sent)) == (SubmissionState.PRINTING, [PrintPhase.PRINTING])
    shown = {each.name: each.running for each in floor.shop.service.ledger.printers.latest()}
    running = shown["Mark Two - Anvil"]
    assert running is not None
    assert running.submission == sent.id
    floor.later(3 * HOUR, rounds=5)
    assert floor.state(sent) is SubmissionState.PRINTED
    assert floor.events(sent) == [("printing", "Mark Two - Anvil"), ("printed", "Mark Two - Anvil")]
    assert floor.now(sent).followed is False


def test_a_print_that_nobody_saw_running_is_still_found_when_it_has_ended(floor: Floor) -> None:
    sent = floor.send("a.stl")
    attend(floor.cloud)
    floor.later(5 * HOUR)
    assert floor.events(sent) == [("printed", "Mark Two - Anvil")]


@pytest.mark.parametrize(
    ("word", "kind", "state"),
    [
        ("Failed", EventKind.PRINT_FAILED, SubmissionState.FAILED),
        ("Canceled", EventKind.PRINT_CANCELED, SubmissionState.FAILED),
        ("Unknown", EventKind.LOST_TRACK, SubmissionState.LOST_TRACK),
    ],
)
def test_a_print_that_ends_badly(floor: Floor, word: str, kind: EventKind, state: SubmissionState) -> None:
    sent = floor.send("a.stl")
    attend(floor.cloud)
    floor.later(10 * MINUTE)
    floor.cloud.act("prints", print_job_id=floor.running()["id"], state=word)
    floor.later(MINUTE)
    assert floor.state(sent) is state
    assert [event for event, _ in floor.events(sent)] == [EventKind.PRINTING, kind]
    assert floor.now(sent).reason


def test_what_eiger_never_says_is_lost_track_of_and_never_printed(floor: Floor) -> None:
    sent = floor.send("a.stl")
    attend(floor.cloud)
    floor.later(20 * MINUTE, rounds=2)
    floor.cloud.act("prints", print_job_id=floor.running()["id"], state="Printing")
    floor.later(HOUR, rounds=3)
    assert floor.state(sent) is SubmissionState.PRINTING
    floor.later(2 * HOUR, rounds=3)
    assert floor.state(sent) is SubmissionState.LOST_TRACK
    assert "Eiger does not say how the print ended" in str(floor.now(sent).reason)


def test_a_printer_that_is_offline_or_missing_for_a_night(floor: Floor) -> None:
    sent = floor.send("a.stl")
    attend(floor.cloud)
    floor.later(MINUTE)
    anvil = floor.cloud.device_named("Anvil")["id"]
    floor.cloud.act("devices", device_id=anvil, state="Offline")
    floor.later(8 * HOUR, rounds=4)
    floor.cloud.act("devices", device_id=anvil, state="Offline", listed=False)
    floor.later(8 * HOUR, rounds=4)
    assert floor.state(sent) is SubmissionState.PRINTING
    floor.cloud.act("devices", device_id=anvil, state="Print Finished")
    floor.later(11 * MINUTE, rounds=11)
    assert floor.state(sent) is SubmissionState.PRINTED


def test_what_a_person_takes_out_of_the_queue(floor: Floor) -> None:
    sent = floor.send("a.stl")
    floor.later(1)
    with floor.shop.client() as client:
        client.remove_from_device_queue(str(sent.device_id), str(sent.receipt_id))
    floor.later(MINUTE)
    assert floor.events(sent) == [
        ("print canceled", "A person took it out of the queue of Mark Two - Anvil in Eiger.")
    ]


def test_a_print_of_the_same_build_by_hand_is_not_ours(floor: Floor) -> None:
    sent = floor.send("a.stl")
    floor.later(1)
    with floor.shop.client() as client:
        other = client.print_to_printer(str(sent.device_id), str(sent.build_id)).id
    floor.later(MINUTE)
    assert floor.running()["id"] == other
    assert floor.state(sent) is SubmissionState.DISPATCHED
    floor.later(HOUR + 15 * MINUTE)  # it has ended, and the operator has started ours
    assert floor.running()["id"] != other
    assert floor.events(sent) == [("printing", "Mark Two - Anvil")]


def test_two_copies(floor: Floor) -> None:
    sent = floor.send("two/a.stl")
    floor.later(1)
    attend(floor.cloud)
    floor.later(MINUTE)
    assert sorted(floor.phases(sent)) == [PrintPhase.PRINTING, PrintPhase.QUEUED]
    told = Notice(1, NoticeEvent.PRINTED, "event 1", sent.opened_at, submission=sent.id)
    seen = set()
    for _ in range(12):
        floor.later(20 * MINUTE)
        seen.add((floor.state(sent), is_outdated(told, floor.now(sent))))
    assert seen == {(SubmissionState.PRINTING, True), (SubmissionState.PRINTED, False)}, "told at the end"
    composer = Composer(floor.shop.service.ledger, NoticeSettings())
    text = composer.compose([told], {sent.id: floor.now(sent)})
    assert dict(text.paragraphs)["What"] == "a.stl was printed: 2 copies printed on Mark Two - Anvil."
    assert [event for event, _ in floor.events(sent)] == ["printing", "printed", "printing", "printed"]
    assert floor.events(sent)[0][1].startswith("copy 1 of 2: Mark Two - Anvil")


@pytest.mark.parametrize("floor", [REALISTIC_QUIRKS, REALISTIC_QUIRKS | {"request-makes-job"}], indirect=True)
def test_a_job_request_is_followed_once_an_operator_starts_it(floor: Floor) -> None:
    sent = floor.send("ask/a.stl")
    floor.later(24 * HOUR, rounds=3)
    assert (floor.state(sent), floor.phases(sent)) == (SubmissionState.DISPATCHED, [PrintPhase.QUEUED])
    anvil = floor.cloud.device_named("Anvil")["id"]
    floor.cloud.act("start", print_job_id=sent.receipt_id, device_id=anvil)
    floor.later(MINUTE)
    assert floor.events(sent) == [("printing", "Mark Two - Anvil")]
    floor.later(5 * HOUR)
    assert floor.state(sent) is SubmissionState.PRINTED


def test_a_job_request_that_somebody_takes_away(floor: Floor) -> None:
    sent = floor.send("ask/a.stl")
    floor.later(MINUTE)
    floor.cloud.act("prints", print_job_id=sent.receipt_id, state="Removed")
    floor.later(6 * HOUR, rounds=6)
    assert floor.state(sent) is SubmissionState.LOST_TRACK
    assert str(floor.now(sent).reason).startswith("It is no longer in Eiger's job requests")


def test_a_rule_may_leave_it_at_the_send(floor: Floor) -> None:
    sent = floor.send("quiet/a.stl")
    attend(floor.cloud)
    floor.later(5 * HOUR, rounds=2)
    assert (floor.state(sent), floor.now(sent).followed) == (SubmissionState.DISPATCHED, False)
    assert floor.events(sent) == []


def test_all_is_asked_in_two_lists_while_nothing_happens(floor: Floor) -> None:
    for name in ("a", "b", "c"):
        floor.send(f"{name}.stl", {"a": 20, "b": 21, "c": 22}[name])
    floor.later(1)
    attend(floor.cloud)
    floor.later(MINUTE)
    before = len(floor.cloud.journal())
    floor.later(5 * MINUTE, rounds=5)
    asked = [entry["operation"] for entry in floor.cloud.journal()[before:]]
    assert sorted(asked) == ["listDevices"] * 5 + ["listPrintJobs"] * 5


def test_a_due_date_that_will_be_missed_is_said_before_and_once(floor: Floor) -> None:
    big = floor.send("quiet/big.stl", 100)
    sent = floor.send("due/a.stl")
    floor.cloud.change_device("Mark Two - Anvil", "Material Jam")
    floor.later(1)
    (late,) = floor.events(sent)
    assert late[0] == EventKind.LATE
    assert late[1].startswith("Due ")
    assert "By queue of Mark Two - Anvil and estimate it is ready on" in late[1]
    first = floor.now(sent).late_on
    assert first is not None
    assert sent.due_date is not None
    assert first > sent.due_date
    floor.later(5 * MINUTE, rounds=3)
    assert floor.events(sent) == [late]
    floor.later(30 * HOUR, rounds=3)
    later = floor.now(sent).late_on
    assert later is not None
    assert later > first
    assert {event for event, _ in floor.events(sent)} == {EventKind.LATE}
    assert big.late_on is None


def test_a_due_date_that_is_in_time_again(floor: Floor) -> None:
    big = floor.send("quiet/big.stl", 100)
    floor.cloud.change_device("Mark Two - Anvil", "Print Bed Needs Clearing")
    sent = floor.send("due/a.stl")
    floor.later(1)
    with floor.shop.client() as client:
        client.remove_from_device_queue(str(big.device_id), str(big.receipt_id))
    floor.later(1)
    assert [event for event, _ in floor.events(sent)] == [EventKind.LATE, EventKind.ON_TIME]
    assert floor.now(sent).late_on is None


def give_absurd_estimate(floor: Floor, submission: Submission) -> None:
    """No date can be reckoned with it; an older release may have stored one."""
    ledger = floor.shop.service.ledger
    decided = ledger.decisions.read(submission.id)["routing"]
    facts = {**decided.facts, "build.print_hours": 1e300}
    ledger.record_decision(floor.now(submission), replace(decided, facts=facts), EventKind.ROUTED, "")


def test_a_fault_with_one_submission_stops_no_other(floor: Floor) -> None:
    poison, other = floor.send("due/a.stl"), floor.send("b.stl", 21)
    give_absurd_estimate(floor, poison)
    floor.later(MINUTE)
    attend(floor.cloud)
    floor.later(MINUTE)
    attend(floor.cloud)
    floor.later(9 * HOUR, rounds=9)
    assert floor.state(other) is not SubmissionState.DISPATCHED


def test_a_note_that_can_not_be_made_keeps_no_other(floor: Floor) -> None:
    poison, other = floor.send("a.stl"), floor.send("b.stl", 21)
    give_absurd_estimate(floor, poison)
    attend(floor.cloud)
    floor.later(5 * HOUR, rounds=5)
    attend(floor.cloud)
    floor.later(5 * HOUR, rounds=5)
    assert [floor.state(each) for each in (poison, other)] == [SubmissionState.PRINTED] * 2
    write_print_notes(floor.shop.service.context)
    assert floor.shop.service.ledger.prints.list_unnoted() == ()


def test_killed_between_two_rounds_it_goes_on(floor: Floor) -> None:
    """A follower keeps nothing that the ledger does not have."""
    sent = floor.send("a.stl")
    floor.later(1)
    attend(floor.cloud)
    floor.later(MINUTE)
    floor.follower = PrintFollower(floor.shop.service.context, MINUTE, Watchdog())
    floor.later(5 * HOUR)
    assert floor.events(sent) == [("printing", "Mark Two - Anvil"), ("printed", "Mark Two - Anvil")]


def test_the_note_says_how_it_went_with_few_writes(floor: Floor) -> None:
    sent = floor.send("a.stl")
    assert "is in the queue of Mark Two - Anvil." in floor.shop.note("done/a.stl")
    attend(floor.cloud)
    floor.later(MINUTE)
    write_print_notes(floor.shop.service.context)
    assert "a.stl is being printed on Mark Two - Anvil." in floor.shop.note("done/a.stl")
    written_at = (floor.shop.share / "done" / "a.stl.txt").stat().st_mtime_ns
    floor.later(20 * MINUTE, rounds=4)
    write_print_notes(floor.shop.service.context)
    assert (floor.shop.share / "done" / "a.stl.txt").stat().st_mtime_ns == written_at
    floor.cloud.act("prints", print_job_id=floor.running()["id"], state="Failed")
    floor.later(MINUTE)
    write_print_notes(floor.shop.service.context)
    note = floor.shop.note("done/a.stl")
    assert "was sent, and was NOT PRINTED: failed on Mark Two - Anvil." in note
    assert "The print failed at Mark Two - Anvil. Last seen at" in note
    assert "drag this note into the inbox" in note
    assert floor.shop.service.ledger.prints.list_unnoted() == ()
    assert floor.now(sent).state is SubmissionState.FAILED


def test_a_note_that_a_person_took_away_is_not_written_again(floor: Floor) -> None:
    floor.send("a.stl")
    (floor.shop.share / "done" / "a.stl.txt").unlink()
    attend(floor.cloud)
    floor.later(MINUTE)
    write_print_notes(floor.shop.service.context)
    assert not (floor.shop.share / "done" / "a.stl.txt").exists()
    assert floor.shop.service.ledger.prints.list_unnoted() == ()


def test_a_failed_print_is_ordered_again_by_its_note(floor: Floor) -> None:
    sent = floor.send("a.stl")
    attend(floor.cloud)
    floor.later(MINUTE)
    floor.cloud.act("prints", print_job_id=floor.running()["id"], state="Failed")
    floor.later(MINUTE)
    write_print_notes(floor.shop.service.context)
    (floor.shop.share / "done" / "a.stl.txt").rename(floor.shop.share / "inbox" / "a.stl.txt")
    again = floor.shop.wait("a.stl", lambda each: each.id != sent.id and dispatched(each))
    assert again.build_id == sent.build_id
    floor.later(2 * HOUR, rounds=8)
    assert floor.state(again) is SubmissionState.PRINTED
    assert floor.state(sent) is SubmissionState.FAILED


def test_a_dropped_file_knows_how_earlier_prints_of_it_went(floor: Floor) -> None:
    floor.send("a.stl")
    attend(floor.cloud)
    floor.later(5 * HOUR)
    again = floor.send("b.stl")
    facts = floor.shop.service.ledger.decisions.read(again.id)["intake"].facts
    assert (facts["sent_before"], facts["printed_before"], facts["failed_before"]) == (1, 1, 0)


def test_what_is_followed_is_not_forgotten(floor: Floor) -> None:
    sent = floor.send("a.stl")
    quiet = floor.send("quiet/b.stl", 21)
    retention = floor.shop.service.ledger.retention
    assert retention.delete_ended(None, keep=0) == 1
    assert [each.id for each in floor.shop.service.ledger.all()] == [sent.id]
    assert quiet.id != sent.id
    attend(floor.cloud)
    floor.later(5 * HOUR)
    assert retention.delete_ended(None, keep=0) == 1
    assert floor.shop.service.ledger.all() == ()


def test_the_service_follows_by_itself_and_again_after_a_restart(tmp_path: Path) -> None:
    rules = written(tmp_path, RULES)
    with simulated(slice_seconds=0, quirks=REALISTIC_QUIRKS, operator_seconds=60) as cloud:
        with opened(tmp_path, cloud, rules=rules, follow_seconds=0.1) as shop:
            shop.drop("a.stl", box())
            shop.wait("a.stl", dispatched)
        cloud.act("clock", rate=600)
        with opened(tmp_path, cloud, rules=rules, follow_seconds=0.1) as shop:
            shop.wait("a.stl", lambda each: each.state is SubmissionState.PRINTED)
            assert until(lambda: shop.says("done/a.stl", "a.stl was PRINTED on Mark Two - Anvil."), 60)


def test_following_may_be_switched_off(tmp_path: Path) -> None:
    rules = written(tmp_path, RULES)
    with simulated(slice_seconds=0) as cloud:
        with opened(tmp_path, cloud, rules=rules) as shop:
            shop.drop("a.stl", box())
            assert shop.wait("a.stl", dispatched).followed is True
        database = f"sqlite:///{tmp_path / 'state/stlflow.db'}"
        with closing(Ledger(database)) as ledger:
            other = register_worker(ledger, "elsewhere", "host", 1, "1.0")
        with opened(tmp_path, cloud, rules=rules, follow_prints=False) as shop:
            assert shop.wait("a.stl", dispatched).followed is True, "another worker may follow it"
        with closing(Ledger(database)) as ledger:
            deregister_worker(ledger, other)
        with opened(tmp_path, cloud, rules=rules, follow_prints=False) as shop:
            assert shop.wait("a.stl", dispatched).followed is False
            shop.drop("b.stl", box(21))
            assert shop.wait("b.stl", dispatched).followed is False


def test_a_print_that_was_started_at_once(floor: Floor) -> None:
    sent = floor.send("now/a.stl")
    floor.later(MINUTE)
    assert floor.events(sent) == [("printing", "Mark Two - Anvil")]
    floor.later(5 * HOUR)
    assert floor.state(sent) is SubmissionState.PRINTED


def test_a_request_that_is_started_on_a_printer_without_contact(floor: Floor) -> None:
    """Eiger says that it was started, and shows it nowhere until the printer is back."""
    sent = floor.send("ask/a.stl")
    floor.later(MINUTE)
    anvil = floor.cloud.device_named("Anvil")["id"]
    floor.cloud.act("start", print_job_id=sent.receipt_id, device_id=anvil)
    floor.cloud.act("devices", device_id=anvil, state="Offline")
    floor.later(12 * HOUR, rounds=4)
    assert floor.state(sent) is SubmissionState.DISPATCHED
    floor.cloud.act("devices", device_id=anvil, state="Print Finished")
    floor.later(24 * MINUTE, rounds=3)
    assert floor.state(sent) is SubmissionState.PRINTED
