"""What was seen before and what is seen now decide how far a print is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.model import ENDED_PHASES, Destination, FollowedPrint, PrintPhase
from workflow.pipeline.print_matching import is_candidate, match_jobs
from workflow.pipeline.print_phase import (
    LOST_AFTER,
    LOST_AFTER_OFFLINE,
    SeenJob,
    Sighting,
    next_print_state,
)

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
QUEUED = FollowedPrint(
    7, 1, "b-1", "r-1", Destination.DEVICE_QUEUE, NOON, NOON, device_id="d-1", device="Anvil"
)  # fmt: skip
PRINTING = replace(QUEUED, phase=PrintPhase.PRINTING, job_id="j-1")
RUNNING = SeenJob("j-1", "b-1", "Printing", True, False, "d-1", "Anvil", 55.0, NOON + timedelta(minutes=5))
LATER = NOON + timedelta(hours=1)


def ended(state: str) -> SeenJob:
    return replace(RUNNING, state=state, is_active=False, has_ended=True)


def seen(**changes: object) -> Sighting:
    return replace(Sighting(LATER), **changes)  # type: ignore[arg-type]


def test_a_waiting_copy_stays_queued() -> None:
    after = next_print_state(QUEUED, seen(is_waiting=True, ahead=(2, 600.0)))
    assert after == replace(QUEUED, waited_at=LATER, ahead_jobs=2, ahead_seconds=600.0)


def test_a_copy_that_was_not_looked_for_is_as_before() -> None:
    assert next_print_state(QUEUED, seen()) == QUEUED


def test_a_running_job_prints_it() -> None:
    after = next_print_state(replace(QUEUED, missing_since=NOON, ahead_jobs=1), seen(job=RUNNING))
    assert after == replace(PRINTING, since=LATER)
    assert next_print_state(after, replace(seen(job=RUNNING), at=LATER + timedelta(hours=1))) == after


@pytest.mark.parametrize("before", [QUEUED, PRINTING], ids=["queued", "printing"])
@pytest.mark.parametrize(
    ("word", "phase"),
    [
        ("Completed", PrintPhase.PRINTED), ("COMPLETED", PrintPhase.PRINTED), ("Failed", PrintPhase.FAILED),
        ("Canceled", PrintPhase.CANCELED), ("Cancelled", PrintPhase.CANCELED), ("Unknown", PrintPhase.LOST),
        ("Printing", PrintPhase.LOST), ("Vaporized", PrintPhase.LOST),
    ],
)  # fmt: skip
def test_the_end_is_what_eiger_calls_it(before: FollowedPrint, word: str, phase: PrintPhase) -> None:
    after = next_print_state(before, seen(job=ended(word), last_percent=40.0))
    assert (after.phase, after.since, after.job_id) == (phase, LATER, "j-1")
    assert (after.reason is None) is (phase is PrintPhase.PRINTED)
    assert next_print_state(after, seen(job=ended("Failed"))) == after


def test_how_far_it_was_is_said_of_a_failure() -> None:
    after = next_print_state(PRINTING, seen(job=ended("Failed"), last_percent=40.4))
    assert after.reason == "The print failed at Anvil. Last seen at 40 %."
    assert (
        next_print_state(PRINTING, seen(job=ended("Canceled"))).reason == "The print was canceled at Anvil."
    )


def test_what_a_person_took_out_of_the_queue_is_canceled() -> None:
    after = next_print_state(QUEUED, seen(is_waiting=False, was_removed=True))
    assert (after.phase, after.reason) == (
        PrintPhase.CANCELED, "A person took it out of the queue of Anvil in Eiger.",
    )  # fmt: skip


def test_a_print_that_is_not_shown_is_missing_first_and_lost_after_a_while() -> None:
    missing = next_print_state(PRINTING, seen(last_percent=98.0, device_state="Print Finished"))
    assert missing == replace(PRINTING, missing_since=LATER, online_since=LATER, percent=98.0)
    before = Sighting(LATER + LOST_AFTER - timedelta(seconds=1))
    assert next_print_state(missing, before) == missing
    assert next_print_state(missing, replace(before, job=RUNNING)).missing_since is None
    lost = next_print_state(missing, Sighting(LATER + LOST_AFTER, device_state="Ready"))
    assert lost.phase is PrintPhase.LOST
    assert lost.reason == (
        "Last seen at 98 %. Eiger does not say how the print ended. Anvil shows Ready now. "
        "Look at the printer."
    )


def test_a_printer_that_is_offline_has_longer() -> None:
    missing = replace(PRINTING, missing_since=LATER, percent=20.0)
    back = Sighting(LATER + 3 * LOST_AFTER)
    returned = next_print_state(missing, back)
    assert returned == replace(missing, online_since=back.at)
    assert next_print_state(returned, replace(back, is_online=False)) == missing
    assert next_print_state(returned, Sighting(back.at + LOST_AFTER)).phase is PrintPhase.LOST
    assert next_print_state(missing, Sighting(LATER + LOST_AFTER, is_online=False)) == missing
    lost = next_print_state(missing, Sighting(LATER + LOST_AFTER_OFFLINE, is_online=False))
    assert lost.reason == "Last seen at 20 %. Anvil is offline since then. Look at the printer."


def test_what_left_the_queue_without_a_print_is_lost() -> None:
    missing = next_print_state(QUEUED, seen(is_waiting=False))
    assert missing == replace(QUEUED, missing_since=LATER, online_since=LATER)
    assert next_print_state(missing, seen()) == missing
    assert next_print_state(missing, seen(is_waiting=True)) == replace(QUEUED, waited_at=LATER)
    lost = next_print_state(missing, Sighting(LATER + LOST_AFTER, is_waiting=False))
    assert (lost.phase, lost.reason) == (
        PrintPhase.LOST,
        "It is no longer in the queue of Anvil, and Eiger shows no print of it. Look at the printer.",
    )


# -- which job prints which copy -----------------------------------------------------------------------


def test_a_job_with_the_id_of_the_receipt_is_its_own() -> None:
    mine = replace(RUNNING, id="r-1", build_id=None, began_at=None)
    assert match_jobs([QUEUED], [mine], ()) == {"r-1": _match(mine)}


def test_by_the_build_only_what_has_left_the_queue_is_printed() -> None:
    assert match_jobs([QUEUED], [RUNNING], ()) == {}
    assert match_jobs([QUEUED], [RUNNING], {"r-1"}) == {"r-1": _match(RUNNING)}
    assert match_jobs([QUEUED], [RUNNING], {"r-1"}, taken={"j-1"}) == {}


@pytest.mark.parametrize(
    "job",
    [
        replace(RUNNING, build_id="b-2"),
        replace(RUNNING, device_id="d-2"),
        replace(RUNNING, device_id=None, is_active=False, has_ended=True),
        replace(RUNNING, began_at=None),
        replace(RUNNING, began_at=NOON - timedelta(hours=1)),
    ],
    ids=["build", "printer", "no printer", "no time", "before the send"],
)
def test_a_print_of_others_is_not_ours(job: SeenJob) -> None:
    assert match_jobs([QUEUED], [job], {"r-1"}) == {}


def test_a_print_that_began_while_ours_was_waiting_is_not_ours() -> None:
    assert is_candidate(QUEUED, RUNNING)
    assert not is_candidate(replace(QUEUED, waited_at=NOON + timedelta(hours=1)), RUNNING)


def test_a_stale_row_says_nothing() -> None:
    stale = replace(RUNNING, is_active=False)
    assert match_jobs([PRINTING], [stale], {"r-1"}) == {}


def test_copies_of_one_build_are_printed_in_the_order_in_which_they_were_sent() -> None:
    second = replace(QUEUED, submission=8, receipt_id="r-2", sent_at=NOON + timedelta(seconds=1))
    failed = replace(ended("Failed"), began_at=NOON + timedelta(hours=1))
    printed = replace(ended("Completed"), id="j-2", began_at=NOON + timedelta(hours=2))
    matches = match_jobs([second, QUEUED], [printed, failed], {"r-1", "r-2"})
    assert {receipt: match.job.id for receipt, match in matches.items()} == {"r-1": "j-1", "r-2": "j-2"}
    assert matches["r-1"].others == 1
    after = next_print_state(QUEUED, seen(job=RUNNING, others=1))
    assert after.reason == "2 copies of this build were sent: Eiger does not say which of them this is."


def test_parts_on_one_bed_have_one_print() -> None:
    other = replace(QUEUED, submission=8)
    assert match_jobs([QUEUED, other], [RUNNING], {"r-1"}) == {"r-1": _match(RUNNING)}


def _match(job: SeenJob) -> object:
    from workflow.pipeline.print_matching import Match

    return Match(job)


JOBS = st.one_of(
    st.none(),
    st.builds(
        replace,
        st.just(RUNNING),
        state=st.sampled_from(
            ["Printing", "Completed", "Failed", "Canceled", "Unknown", "Paused", "Backlogged"]
        ),
        is_active=st.booleans(),
        has_ended=st.booleans(),
    ),
)


@given(
    st.lists(st.tuples(JOBS, st.sampled_from([None, True, False]), st.booleans(), st.booleans()), max_size=30)
)
def test_whatever_is_seen_only_a_completed_job_makes_it_printed(
    steps: list[tuple[SeenJob | None, bool | None, bool, bool]],
) -> None:
    copy, completed = QUEUED, False
    for number, (job, waiting, removed, online) in enumerate(steps):
        at = LATER + timedelta(hours=number)
        ended = copy.phase in ENDED_PHASES
        after = next_print_state(copy, Sighting(at, job, waiting, removed, is_online=online))
        completed |= job is not None and job.has_ended and job.state == "Completed" and not ended
        assert after == copy or not ended, "an end is an end"
        assert (after.phase is not PrintPhase.PRINTED) or completed
        assert after.reason or after.phase not in ENDED_PHASES - {PrintPhase.PRINTED}
        copy = after
