"""Builds that wait for their time of day: the rule decides once, and the build goes when its window opens."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.pipeline.conftest import Open, Shop, dispatched, turn_clock, written
from tests.stl import box
from tests.waiting import until
from workflow.model import EventKind, SubmissionState
from workflow.pipeline.context import now
from workflow.pipeline.route import window_opening

NIGHT, EVENING = (22 * 60, 6 * 60), (17 * 60, 24 * 60 - 1)
BERLIN = ZoneInfo("Europe/Berlin")
RULES = """\
version: 1
intake: [{name: rest, preset: Onyx}]
routing:
  - {name: at once, when: {path: "now/**"}, send_to: backlog}
  - {name: later, when: {time: 12:00..13:05}, send_to: job_request, not_before: "15:00"}
  - {name: rest, send_to: backlog}
"""


@pytest.mark.parametrize(
    ("window", "local", "opens"),
    [
        (EVENING, "2026-12-01T09:00", "2026-12-01T17:00"),
        (EVENING, "2026-12-01T17:00", None),
        (EVENING, "2026-12-01T23:59", None),
        (EVENING, "2026-12-02T00:00", "2026-12-02T17:00"),
        (NIGHT, "2026-12-01T21:59", "2026-12-01T22:00"),
        (NIGHT, "2026-12-02T03:00", None),
        (NIGHT, "2026-12-02T06:01", "2026-12-02T22:00"),
        ((8 * 60, 9 * 60), "2026-12-31T10:00", "2027-01-01T08:00"),
        (EVENING, "2026-10-25T01:00", "2026-10-25T17:00"),
    ],
)
def test_a_window_opens_at_the_time_of_the_shop(
    window: tuple[int, int], local: str, opens: str | None
) -> None:
    moment = datetime.fromisoformat(local).replace(tzinfo=BERLIN).astimezone(UTC)
    found = window_opening(window, moment, BERLIN)
    assert found == (None if opens is None else datetime.fromisoformat(opens).replace(tzinfo=BERLIN))


def test_a_build_waits_for_its_window_and_goes_by_itself(
    open_shop: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule is for the hour of the drop. It still applies when the window opens, three hours later."""
    shop = shop_with_window(open_shop, tmp_path)
    shop.drop("part.stl", box(31))
    reason = "Rule 'later' sends from 15:00. It goes by itself then."
    waiting = shop.wait("part.stl", lambda found: found.reason == reason and found.due_at is not None)
    assert (waiting.state, waiting.destination, waiting.hold) == (SubmissionState.SLICED, None, None)
    events = [event for event in shop.history("part.stl") if event.event == EventKind.WAITING]
    assert len(events) == 1, "it sleeps instead of asking again and again"
    assert shop.cloud.dispatches() == {}
    turn_clock(shop, monkeypatch, 3.1 * 3600)
    done = shop.wait("part.stl", dispatched)
    assert (str(done.destination), done.routing_rule, shop.sent(done)) == ("job_request", "later", 1)


def test_other_builds_go_past_one_that_waits(open_shop: Open, tmp_path: Path) -> None:
    shop = shop_with_window(open_shop, tmp_path)
    shop.drop("part.stl", box(32))
    shop.drop("now/part.stl", box(33))
    assert str(shop.wait("now/part.stl", dispatched).destination) == "backlog"
    assert until(lambda: (found := shop.submission("part.stl")) is not None and found.reason is not None)


def shop_with_window(open_shop: Open, folder: Path) -> Shop:
    """Open a shop where it is between noon and one, with a rule for this hour that sends from three."""
    offset = 12 - now().hour
    zone = f"Etc/GMT{-offset:+d}" if offset else "UTC"  # these zones count westwards
    return open_shop(rules=written(folder, RULES), timezone=zone)
