"""Clocks that do not agree: Eiger's front end, Eiger's database, this machine. Each on its own cloud."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from loguru import logger

from tests.cloud import simulated
from tests.pipeline.conftest import Open, dispatched, held, written
from tests.stl import box
from tests.waiting import until
from workflow.model import Destination, HoldReason, SubmissionState
from workflow.pipeline import retry, slice_listing
from workflow.pipeline.clock_skew import Skew, is_news
from workflow.pipeline.time_bounds import ROOM, not_before

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
RULES = """\
version: 1
intake: [{name: rest, preset: Onyx}]
routing: [{name: rest, send_to: DESTINATION, DEVICE}]
"""
CALLS = {
    Destination.BACKLOG: "sendBuildToBacklog",
    Destination.JOB_REQUEST: "sendBuildToJobRequestQueue",
    Destination.DEVICE_QUEUE: "appendToDeviceQueue",
    Destination.PRINT_NOW: "printToPrinter",
}
ON_A_DEVICE = {Destination.DEVICE_QUEUE, Destination.PRINT_NOW}
MINUTES = [-600.0, 600.0]
DAYS = [-2 * 86_400.0, 2 * 86_400.0]


def rules_for(folder: Path, destination: Destination) -> Path:
    device = "device: {name: Mark Two - Anvil}" if destination in ON_A_DEVICE else ""
    return written(
        folder, RULES.replace("DESTINATION", destination).replace(", DEVICE", f", {device}".rstrip(", "))
    )


def turn_machine(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr("workflow.ledger.database.system_time", lambda: time.time() + seconds)


def test_the_earliest_of_all_clocks_counts_with_room() -> None:
    late = NOON + timedelta(minutes=10)
    assert not_before(late, None, NOON) == NOON - ROOM == not_before(NOON, late)
    with pytest.raises(ValueError, match="empty"):
        not_before(None)


@pytest.mark.parametrize("date_ahead", MINUTES)
@pytest.mark.parametrize("title", [None, "named by a person"])
def test_a_build_that_a_person_makes_is_found_by_itself(
    open_shop: Open, date_ahead: float, title: str | None
) -> None:
    with simulated(builds="manual", date_ahead_seconds=date_ahead) as cloud:
        context = open_shop(cloud)
        context.drop("part.stl", box())
        waiting = context.wait("part.stl", held)
        assert waiting.hold is HoldReason.BUILD
        made = {"part_version_id": waiting.part_version_id, "title": title}
        build = requests.post(f"{cloud.control}/builds", json=made, timeout=60).json()["id"]
        done = context.wait("part.stl", dispatched)
        assert (done.build_id, context.sent(done)) == (build, 1)


@pytest.mark.parametrize("machine_ahead", [*MINUTES, *DAYS])
@pytest.mark.parametrize("date_ahead", [0.0, 600.0])
def test_a_build_of_another_title_is_found_however_wrong_this_machine_is(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch, machine_ahead: float, date_ahead: float
) -> None:
    turn_machine(monkeypatch, machine_ahead)
    with simulated(builds="manual", date_ahead_seconds=date_ahead) as cloud:
        context = open_shop(cloud, build_wait_seconds=60.0)
        context.drop("part.stl", box())
        waiting = context.wait("part.stl", lambda seen: seen.state is SubmissionState.SLICED)
        made = {"part_version_id": waiting.part_version_id, "title": "named by a person"}
        requests.post(f"{cloud.control}/builds", json=made, timeout=60).raise_for_status()
        assert context.sent(context.wait("part.stl", dispatched)) == 1


@pytest.mark.parametrize("date_ahead", MINUTES)
def test_one_listing_tells_of_builds_whatever_the_date(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch, date_ahead: float
) -> None:
    monkeypatch.setattr(slice_listing, "MAX_SINGLE_POLLS", 0)
    monkeypatch.setattr(retry, "LISTING_SECONDS", 0.3)
    with simulated(slice_seconds=0.5, date_ahead_seconds=date_ahead) as cloud:
        context = open_shop(cloud, slice_first_poll_seconds=30.0)
        context.drop("part.stl", box())
        assert context.sent(context.wait("part.stl", dispatched)) == 1
        assert not [entry for entry in cloud.journal() if entry["operation"] == "getSliceStatus"]


@pytest.mark.parametrize("destination", list(Destination))
@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
@pytest.mark.parametrize(
    ("date_ahead", "machine_ahead"), [pytest.param(600.0, 0.0, marks=pytest.mark.long), (600.0, DAYS[1])]
)
def test_a_lost_reply_sends_once_whatever_the_clocks_say(
    open_shop: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    destination: Destination,
    kind: str,
    date_ahead: float,
    machine_ahead: float,
) -> None:
    turn_machine(monkeypatch, machine_ahead)
    with simulated(date_ahead_seconds=date_ahead) as cloud:
        context = open_shop(cloud, rules=rules_for(tmp_path, destination), print_now_armed=True)
        cloud.fault(CALLS[destination], kind)
        context.drop("part.stl", box())
        ended = context.wait("part.stl", lambda seen: held(seen) or dispatched(seen))
        never_again = destination is Destination.PRINT_NOW and kind == "cut_before"
        assert (ended.hold, context.sent(ended)) == ((HoldReason.SEND, 0) if never_again else (None, 1))


def test_parts_on_one_bed_are_sent_once_whatever_the_date(open_shop: Open) -> None:
    with simulated(builds="manual", date_ahead_seconds=600) as cloud:
        context = open_shop(cloud, build_wait_seconds=60)
        for name in ("a.stl", "b.stl"):
            context.drop(name, box(10 + ord(name[0])))
        parts = [
            context.wait(name, lambda each: each.state is SubmissionState.SLICED)
            for name in ("a.stl", "b.stl")
        ]
        bed = {"part_version_ids": [part.part_version_id for part in parts], "title": "one bed"}
        build = requests.post(f"{cloud.control}/builds", json=bed, timeout=60).json()["id"]
        receipts = {context.wait(name, dispatched).receipt_id for name in ("a.stl", "b.stl")}
        assert (cloud.dispatches(), len(receipts)) == ({build: 1}, 1)


def test_the_service_says_that_the_clocks_have_come_apart(open_shop: Open) -> None:
    said: list[str] = []
    sink = logger.add(lambda line: said.append(str(line)), format="{message}", level="WARNING")
    try:
        with simulated(date_ahead_seconds=600) as cloud:
            open_shop(cloud)
            assert until(lambda: any("This machine's clock is " in line for line in said), 20), said
    finally:
        logger.remove(sink)
    (line,) = [line for line in said if "clock" in line]
    assert " s behind Eiger's. Let it follow a time server" in line


@pytest.mark.parametrize(
    ("said", "ahead", "news"),
    [(0, 0, False), (0, 119, False), (0, 120, True), (0, -600, True), (600, 610, False), (600, 660, True),
     (600, 0, True), (130, 100, False), (-600, 600, True)],
)  # fmt: skip
def test_only_a_large_skew_and_its_changes_are_news(said: float, ahead: float, news: bool) -> None:
    assert is_news(said, ahead) is news


def test_each_change_is_said_once_and_not_for_every_reply() -> None:
    said: list[str] = []
    sink = logger.add(lambda line: said.append(str(line).strip()), format="{message}", level="INFO")
    now = 0.0
    skew = Skew(lambda: now)
    try:
        for seconds, ahead in [
            (0, None),
            (0, 600),
            (5, 601),
            (5, 0),
            (700, 599),
            (700, -600),
            (1400, 2),
            (2800, 1),
        ]:
            now = float(seconds)
            skew.check(ahead)
    finally:
        logger.remove(sink)
    assert [line.split(". ")[0] for line in said] == [
        "This machine's clock is 600 s behind Eiger's",
        "This machine's clock is 600 s ahead of Eiger's",
        "This machine's clock agrees with Eiger's again.",
    ]
