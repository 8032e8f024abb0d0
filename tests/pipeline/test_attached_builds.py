"""A build that a person attached: printed before or not, a lost reply sends it once or holds. Own clouds."""

from io import BytesIO
from pathlib import Path

import pytest
import requests

from tests.cloud import Cloud, simulated
from tests.pipeline.conftest import Open, Shop, dispatched, held
from tests.pipeline.test_clocks import CALLS, rules_for
from tests.stl import box
from tests.waiting import until
from workflow.ledger import Ledger
from workflow.model import Destination, HoldReason, Submission, SubmissionState
from workflow.pipeline.commands import attach_build, retry_submission

HOURS = 3 * 3600


def make_strange_build(context: Shop) -> str:
    """Make a build of a part that is not ours, as a person may have, days ago."""
    with context.client() as client:
        onyx = next(preset.id for preset in client.get_org_settings_presets() if preset.title == "Onyx")
        version = client.upload_stl(BytesIO(box(33)), "by hand.stl", settings_preset_id=onyx).part_version_id
        assert until(lambda: client.read_part_version(version).sliced is True)
    return context.cloud.make_build(version)


def print_by_hand(context: Shop, build: str) -> None:
    with context.client() as client:
        client.send_build_to_job_request_queue(build)


def advance(cloud: Cloud, seconds: float) -> None:
    requests.post(f"{cloud.control}/clock", json={"advance_seconds": seconds}, timeout=60).raise_for_status()


def attached(context: Shop, build: str) -> None:
    context.drop("part.stl", box(32))
    waiting = context.wait("part.stl", held)
    assert waiting.hold is HoldReason.BUILD
    attach_build(context.service.ledger, waiting.id, build)


def ended(context: Shop, build: str) -> Submission:
    return context.wait("part.stl", lambda seen: seen.build_id == build and (held(seen) or dispatched(seen)))


@pytest.mark.parametrize("destination", list(Destination))
@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
@pytest.mark.parametrize("printed_before", [pytest.param(False, marks=pytest.mark.long), True])
def test_a_lost_reply_sends_it_once_or_holds(
    open_shop: Open, tmp_path: Path, destination: Destination, kind: str, printed_before: bool
) -> None:
    with simulated(builds="manual", date_ahead_seconds=600) as cloud:
        rules = rules_for(tmp_path, destination)
        context = open_shop(cloud, rules=rules, print_now_armed=True, build_wait_seconds=0.1)
        build = make_strange_build(context)
        if printed_before:
            print_by_hand(context, build)
            advance(cloud, HOURS)
        by_hand = cloud.dispatches()[build]
        cloud.fault(CALLS[destination], kind)
        attached(context, build)
        seen = ended(context, build)
        never_again = destination is Destination.PRINT_NOW and kind == "cut_before"
        sent = context.sent(seen) - by_hand
        assert (seen.hold, sent) == ((HoldReason.SEND, 0) if never_again else (None, 1)), context.history(
            "part.stl"
        )


@pytest.mark.parametrize("destination", list(Destination))
def test_a_reply_that_times_out_is_never_followed_by_a_second_send(
    open_shop: Open, tmp_path: Path, destination: Destination
) -> None:
    with simulated(builds="manual", date_ahead_seconds=600) as cloud:
        rules = rules_for(tmp_path, destination)
        context = open_shop(cloud, rules=rules, print_now_armed=True, build_wait_seconds=0.1)
        build = make_strange_build(context)
        cloud.fault(CALLS[destination], "delay", delay_seconds=2)
        attached(context, build)
        assert ended(context, build).hold is HoldReason.SEND
        assert cloud.dispatches()[build] == 0, "the simulator drops what nobody waits for"
        retry_submission(context.service.ledger, ended(context, build).id)
        assert context.sent(context.wait("part.stl", dispatched)) == 1


def test_what_was_printed_since_is_shown_to_a_person_before_anything_is_sent(open_shop: Open) -> None:
    with simulated(builds="manual") as cloud:
        context = open_shop(cloud, build_wait_seconds=0.1)
        build = make_strange_build(context)
        context.drop("part.stl", box(32))
        waiting = context.wait("part.stl", held)
        print_by_hand(context, build)
        attach_build(context.service.ledger, waiting.id, build)
        asked = ended(context, build)
        assert (asked.hold, context.sent(asked)) == (HoldReason.SEND, 1)
        assert (asked.reason or "").startswith(
            f"Eiger shows 1 print(s) of the attached build {build} that may be"
        )
        print_by_hand(context, build)  # once more: that one is no effect of ours, either
        retry_submission(context.service.ledger, asked.id)
        again = context.wait("part.stl", lambda seen: held(seen) and seen.reason != asked.reason)
        assert (again.hold, context.sent(again)) == (HoldReason.SEND, 2)
        cloud.fault("sendBuildToJobRequestQueue", "cut_after")
        retry_submission(context.service.ledger, asked.id)
        assert context.sent(context.wait("part.stl", dispatched)) == 3


def test_a_print_of_unknown_age_is_shown_to_a_person(open_shop: Open) -> None:
    """Eiger does not say when the part was made: nobody knows whether the print is older."""
    with simulated(builds="manual") as cloud:
        context = open_shop(cloud, build_wait_seconds=0.1)
        build = make_strange_build(context)
        print_by_hand(context, build)
        advance(cloud, HOURS)
        cloud.fault("readPart", "status", times=1000, status=404)
        attached(context, build)
        seen = ended(context, build)
        assert (seen.hold, context.sent(seen)) == (HoldReason.SEND, 1)


def test_what_was_seen_is_kept_for_each_build_and_forgotten_with_its_submission(ledger: Ledger) -> None:
    number = ledger.open("a.stl")
    ledger.claimed(number, f"processing/{number}~a.stl")
    first = ledger.update_submission(ledger.get(number), build_id="first")
    assert ledger.earlier_prints.read(first) is None
    ledger.earlier_prints.remember(first, ["a", "b"])
    ledger.earlier_prints.remember(first, [])
    assert ledger.earlier_prints.read(first) == frozenset()
    assert ledger.earlier_prints.read(ledger.update_submission(first, build_id="second")) is None
    present = ledger.get(number)
    ledger.update_submission(present, state=SubmissionState.CANCELED, step=None, ended_at=present.opened_at)
    assert ledger.retention.delete_ended(None, 0) == 1
