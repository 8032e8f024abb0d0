"""The printers' page: what each does, when it is free, and taking one out of choice with a reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.console.browser import Browser
from tests.console.conftest import OpenSite, Site, bearer
from tests.waiting import until
from workflow.console.printers import draw_printers_timeline, list_printers, seconds_until_free, state_kind
from workflow.model import (
    DecisionRecord,
    Destination,
    EventKind,
    LoadedMaterial,
    PrinterOutage,
    PrinterSnapshot,
    RunningPrint,
    SubmissionState,
)  # fmt: skip
from workflow.pipeline.context import now

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOSTILE = '<script>alert("x")</script> \N{WRENCH} \N{RIGHT-TO-LEFT OVERRIDE}'


def busy(seen_at: datetime) -> PrinterSnapshot:
    return PrinterSnapshot(
        "d-1", "Mark Two - Anvil", "Mark Two", "Desktop Series", seen_at, "Printing",
        RunningPrint("j-1", "bracket", "b-1", 55.0, 3600.0), 2, 7200.0,
        loaded=(LoadedMaterial("material", "Onyx", 612.5), LoadedMaterial("fiber", "Carbon Fiber")),
    )  # fmt: skip


def fill(site: Site) -> None:
    moment = now()
    idle = PrinterSnapshot(
        "d-2", "Onyx Pro - Dowel", "Onyx Pro", "Desktop Series", moment, "Ready", None, 0, 0.0
    )
    odd = PrinterSnapshot("d-3", HOSTILE, "X7", "Industrial Series", moment - timedelta(days=2), "Melting")
    site.ledger.printers.write([busy(moment), idle, odd])


def send(site: Site, path: str, device: str, hours: float) -> int:
    number = site.ledger.open(path)
    site.ledger.claimed(number, f"processing/{path}")
    for state in (SubmissionState.INSPECTED, SubmissionState.SLICED):
        site.ledger.update_submission(site.ledger.get(number), state=state)
    decided = DecisionRecord("routing", now(), "r", "rush", {"build.print_hours": hours}, device_id=device)
    site.ledger.record_decision(
        site.ledger.get(number), decided, EventKind.ROUTED, "", state=SubmissionState.ROUTED,
        destination=Destination.DEVICE_QUEUE, device_id=device,
    )  # fmt: skip
    return number


def test_it_says_what_each_printer_does_and_when_it_is_free(site: Site) -> None:
    fill(site)
    number = send(site, "rush/pin.stl", "d-2", 1.5)
    anvil, dowel, odd = sorted(site.get("/api/printers").json()["printers"], key=lambda each: each["id"])
    assert (anvil["kind"], anvil["running"]["percent"], anvil["queue_length"]) == ("busy", 55.0, 2)
    free = datetime.fromisoformat(anvil["free_at"]) - datetime.fromisoformat(anvil["seen_at"])
    assert free == timedelta(hours=3)
    assert dowel["coming"] == [{"id": number, "path": "rush/pin.stl", "seconds": 5400.0, "is_queued": False}]
    assert (odd["kind"], odd["is_stale"], odd["queue_length"]) == ("trouble", True, None)
    page = site.get("/printers").text
    assert "612 cm³ left" in page
    assert "<script>alert" not in page
    assert '<rect class="bar bar-coming"' in page
    assert "The next 7 days" in site.get("/printers?hours=168").text


def test_out_of_choice_and_back(site: Site) -> None:
    fill(site)
    fields = {"name": "d-1", "reason": "new nozzle", "until": "2100-01-04T08:00", "next": "/printers"}
    page = site.post("/printers/out", fields).text
    assert (
        "Mark Two - Anvil is out of choice until Mon 04 Jan 08:00: new nozzle (a person at the console)."
        in page
    )
    assert "Put back into choice" in page
    (outage,) = site.ledger.outages.list_current(now())
    assert (outage.device_id, outage.reason) == ("d-1", "new nozzle")
    assert "is back in choice" in site.post("/printers/back", {"name": "d-1"}).text
    assert site.ledger.outages.list_current(now()) == ()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "d-1", "reason": " "}, "Say why"),
        ({"name": "d-1", "reason": "x", "until": "soon"}, "is no time"),
        ({"name": "d-1", "reason": "x", "until": "2001-01-01T08:00"}, "over already"),
        ({"name": "d-9", "reason": "x"}, "There is no printer"),
        ({}, "Say why"),
    ],
)
def test_what_is_refused_is_said_and_changes_nothing(site: Site, fields: dict[str, str], says: str) -> None:
    fill(site)
    reply = site.post("/printers/out", fields)
    assert (reply.status_code, says in reply.text) == (400, True)
    assert site.ledger.outages.list_current(now()) == ()


def test_what_was_typed_is_still_there_after_a_refusal(site: Site) -> None:
    fill(site)
    late = {
        "name": "d-2",
        "reason": "new <nozzle>",
        "until": "2001-01-01T08:00",
        "next": "/printers?hours=168",
    }
    page = site.post("/printers/out", late).text
    assert "The next 7 days" in page
    opened = page.partition('<details class="take-out" open>')[2].partition("</details>")[0]
    assert page.count('<details class="take-out" open>') == 1
    assert 'name="name" value="d-2"' in opened
    assert 'name="reason" value="new &lt;nozzle&gt;" required' in opened
    assert 'name="until" value="2001-01-01T08:00" aria-invalid="true"' in opened
    assert "2001-01-01 08:00 is over already. Give a later time.</span>" in opened
    assert page.count("is over already") == 1
    site.post("/printers/out", {"name": "d-2", "reason": "bed"})
    page = site.post("/printers/out", late).text
    assert page.count("is over already") == 1, "its form is gone, and the refusal is above everything"


def test_who_may_only_look_sees_no_form_and_is_refused(open_site: OpenSite) -> None:
    site = open_site(console_login=True)
    fill(site)
    page = site.get("/printers", headers=bearer("Vera")).text
    assert "Mark Two - Anvil" in page
    assert "Take out of choice" not in page
    sent = {"name": "d-1", "reason": "x"}
    for name, status in (("Vera", 403), ("Willi", 403), ("Ada", 200)):
        url = f"{site.url}/api/printers/out"
        reply = site.session.post(url, json=sent, headers=bearer(name), timeout=60)
        assert reply.status_code == status, name
    assert [each.by for each in site.ledger.outages.list_current(now())] == ["Ada"]


def test_the_timeline_is_in_percent_of_the_next_hours(site: Site) -> None:
    site.ledger.printers.write([busy(NOON)])
    site.ledger.outages.begin(PrinterOutage("d-1", "bed", "anna", NOON, NOON + timedelta(hours=12)))
    rows = list_printers(site.ledger, NOON)
    drawn = draw_printers_timeline(rows, NOON, 24, UTC)
    assert [(bar.kind, bar.x, bar.width) for bar in drawn.bars] == [
        ("out", 0.0, 50.0), ("running", 0.0, 4.17), ("queued", 4.17, 8.33),
    ], "what is drawn later is on top"  # fmt: skip
    assert [(tick.text, tick.x) for tick in drawn.ticks][:2] == [("15:00", 12.5), ("18:00", 25.0)]
    week = draw_printers_timeline(rows, NOON, 168, UTC)
    assert [tick.text for tick in week.ticks][:2] == ["Sat 28", "Sun 29"]


def test_what_is_not_known_is_not_guessed() -> None:
    assert seconds_until_free(replace(busy(NOON), queue_seconds=None), ()) is None
    assert seconds_until_free(replace(busy(NOON), running=RunningPrint("j-1")), ()) is None
    idle = replace(busy(NOON), state="Ready", running=None, queue_length=0, queue_seconds=0.0)
    assert seconds_until_free(idle, ()) == 0


def test_a_queue_that_includes_the_running_print_is_not_counted_twice(site: Site) -> None:
    """Another printer shows it: it prints, has nothing queued, and its queue takes the time of the print."""
    telling = replace(busy(NOON), id="d-2", queue_length=0, queue_seconds=3600.0)
    site.ledger.printers.write([busy(NOON), telling])
    first, second = list_printers(site.ledger, NOON)
    assert (first.queue_seconds, first.free_at) == (3600.0, NOON + timedelta(hours=2))
    assert (second.queue_seconds, second.free_at) == (0.0, NOON + timedelta(hours=1))
    drawn = draw_printers_timeline([second], NOON, 24, UTC)
    assert [bar.kind for bar in drawn.bars] == ["running"]
    assert [state_kind(each) for each in (None, "READY", "Print Paused", "Offline")] == [
        "unknown", "ok", "wait", "trouble",
    ]  # fmt: skip


def test_a_printer_that_needs_a_person_is_not_free_and_it_says_what_it_needs(site: Site) -> None:
    full = replace(busy(NOON), state="Print Bed Needs Clearing", running=None)
    cleaning = replace(busy(NOON), id="d-2", state="Running Utility", running=None, queue_length=0)
    site.ledger.printers.write([full, cleaning])
    first, second = list_printers(site.ledger, NOON)
    assert (first.needs, first.free_at) == ("clear the bed", None)
    assert (second.needs, second.free_at) == (None, None)
    assert "<dt>Free</dt><dd>not yet: clear the bed</dd>" in site.get("/printers").text
    later = NOON + timedelta(hours=1)
    drawn = draw_printers_timeline(list_printers(site.ledger, later)[:1], later, 24, UTC)
    assert [row.name for row in drawn.rows] == ["Mark Two - Anvil: clear the bed"]
    assert [(bar.kind, bar.x, bar.width) for bar in drawn.bars] == [("queued", 0.0, 8.33)], "not begun"
    site.ledger.printers.write([replace(full, queue_length=0, queue_seconds=0.0)])
    assert "<dd>now</dd>" not in site.get("/printers").text


@pytest.mark.browser
@pytest.mark.parametrize("without", [True, False])
def test_a_refusal_leads_back_to_the_field(site: Site, browser: Browser, *, without: bool) -> None:
    fill(site)
    browser.block_javascript(blocked=without)
    browser.open(f"{site.url}/printers")
    browser.find("details.take-out summary").click()
    browser.find("input[name=reason]").send_keys("   ")
    browser.find("details[open] button").click()
    assert "Say why" in browser.text("details[open] #refusal")
    assert browser.run("return document.activeElement.name") == "reason"
    if not without:
        assert until(lambda: browser.driver.current_url == f"{site.url}/printers", 60), (
            "it can be loaded again"
        )


@pytest.mark.browser
def test_a_person_takes_one_out_with_the_mouse(site: Site, browser: Browser) -> None:
    fill(site)
    browser.open(f"{site.url}/printers")
    browser.find("details.take-out summary").click()
    browser.find("input[name=reason]").send_keys("new nozzle")
    browser.find("details[open] button").click()
    assert "Out of choice" in browser.text(".outage")
    assert "is out of choice: new nozzle" in browser.text(".said")
    assert browser.complaints() == []
    browser.resize(390, 800)
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
