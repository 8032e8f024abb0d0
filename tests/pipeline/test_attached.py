"""A build that a person attached: printed before or not, a lost reply sends it once or holds. Own clouds."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
import requests

from tests.cloud import Cloud, simulated
from tests.pipeline.conftest import Open, Shop, dispatched, held
from tests.pipeline.test_clocks import CALLS, rules_for
from tests.stl import box
from tests.waiting import until
from workflow.ledger import Ledger, forget_ended, remember_seen, seen_before
from workflow.model import Destination, Hold, State, Submission
from workflow.pipeline.attached import compared
from workflow.pipeline.orders import attach, retry
from workflow.pipeline.reconcile import Trace, Unclear

HOURS = 3 * 3600


def make_strange_build(shop: Shop) -> str:
    """Make a build of a part that is not ours, as a person may have, days ago."""
    with shop.client() as client:
        onyx = next(preset.id for preset in client.get_org_settings_presets() if preset.title == "Onyx")
        version = client.upload_stl(BytesIO(box(33)), "by hand.stl", settings_preset_id=onyx).part_version_id
        assert until(lambda: client.read_part_version(version).sliced is True)
    return shop.cloud.make_build(version)


def print_by_hand(shop: Shop, build: str) -> None:
    with shop.client() as client:
        client.send_build_to_job_request_queue(build)


def advance(cloud: Cloud, seconds: float) -> None:
    requests.post(f"{cloud.control}/clock", json={"advance_seconds": seconds}, timeout=10).raise_for_status()


def attached(shop: Shop, build: str) -> None:
    shop.drop("part.stl", box(32))
    waiting = shop.wait("part.stl", held)
    assert waiting.hold is Hold.BUILD
    attach(shop.service.ledger, waiting.id, build)


def ended(shop: Shop, build: str) -> Submission:
    return shop.wait("part.stl", lambda seen: seen.build_id == build and (held(seen) or dispatched(seen)))


@pytest.mark.parametrize("destination", list(Destination))
@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
@pytest.mark.parametrize("printed_before", [False, True])
def test_a_lost_reply_sends_it_once_or_holds(
    open_shop: Open, tmp_path: Path, destination: Destination, kind: str, printed_before: bool
) -> None:
    with simulated(builds="manual", date_ahead_seconds=600) as cloud:
        rules = rules_for(tmp_path, destination)
        shop = open_shop(cloud, rules=rules, print_now_armed=True, build_wait_seconds=0.1)
        build = make_strange_build(shop)
        if printed_before:
            print_by_hand(shop, build)
            advance(cloud, HOURS)
        by_hand = cloud.dispatches()[build]
        cloud.fault(CALLS[destination], kind)
        attached(shop, build)
        seen = ended(shop, build)
        never_again = destination is Destination.PRINT_NOW and kind == "cut_before"
        sent = shop.sent(seen) - by_hand
        assert (seen.hold, sent) == ((Hold.SEND, 0) if never_again else (None, 1)), shop.history("part.stl")


@pytest.mark.parametrize("destination", list(Destination))
def test_a_reply_that_times_out_is_never_followed_by_a_second_send(
    open_shop: Open, tmp_path: Path, destination: Destination
) -> None:
    with simulated(builds="manual", date_ahead_seconds=600) as cloud:
        rules = rules_for(tmp_path, destination)
        shop = open_shop(cloud, rules=rules, print_now_armed=True, build_wait_seconds=0.1)
        build = make_strange_build(shop)
        cloud.fault(CALLS[destination], "delay", delay_seconds=2)
        attached(shop, build)
        assert ended(shop, build).hold is Hold.SEND
        assert cloud.dispatches()[build] == 0, "the simulator drops what nobody waits for"
        retry(shop.service.ledger, ended(shop, build).id)
        assert shop.sent(shop.wait("part.stl", dispatched)) == 1


def test_what_was_printed_since_is_shown_to_a_person_before_anything_is_sent(open_shop: Open) -> None:
    with simulated(builds="manual") as cloud:
        shop = open_shop(cloud, build_wait_seconds=0.1)
        build = make_strange_build(shop)
        shop.drop("part.stl", box(32))
        waiting = shop.wait("part.stl", held)
        print_by_hand(shop, build)
        attach(shop.service.ledger, waiting.id, build)
        asked = ended(shop, build)
        assert (asked.hold, shop.sent(asked)) == (Hold.SEND, 1)
        assert (asked.reason or "").startswith(
            f"Eiger shows 1 print(s) of the attached build {build} that may be"
        )
        cloud.fault("sendBuildToJobRequestQueue", "cut_after")
        retry(shop.service.ledger, asked.id)
        assert shop.sent(shop.wait("part.stl", dispatched)) == 2


@pytest.mark.parametrize(
    ("seen", "before", "done", "verdict"),
    [
        ("", "", "", None),
        ("a", "a", "", None),
        ("b", "", "", "b"),
        ("ba", "a", "", "b"),
        ("b", "a", "", Unclear("of 1 earlier prints of this build Eiger shows 1 no more")),
        ("", "a", "", None),
        ("ab", "a", "b", None),
        ("abc", "a", "b", "c"),
        ("abcd", "a", "b", Unclear("1 copies were sent for certain, and Eiger shows 3")),
        ("ac", "a", "b", Unclear("1 copies were sent for certain, and Eiger shows 1")),
    ],
)
def test_only_what_came_on_top_is_ours(
    seen: str, before: str, done: str, verdict: str | Unclear | None
) -> None:
    shown = [Trace(each, datetime(2020, 1, 1, tzinfo=UTC)) for each in seen]
    assert compared(shown, frozenset(before), list(done)) == verdict


def test_what_was_seen_is_kept_for_each_build_and_forgotten_with_its_submission(ledger: Ledger) -> None:
    number = ledger.open("a.stl")
    ledger.claimed(number, f"processing/{number}~a.stl")
    first = ledger.change(ledger.get(number), build_id="first")
    assert seen_before(ledger, first) is None
    remember_seen(ledger, first, ["a", "b"])
    remember_seen(ledger, first, [])
    assert seen_before(ledger, first) == frozenset()
    assert seen_before(ledger, ledger.change(first, build_id="second")) is None
    present = ledger.get(number)
    ledger.change(present, state=State.CANCELED, step=None, ended_at=present.opened_at)
    assert forget_ended(ledger, None, 0) == 1
