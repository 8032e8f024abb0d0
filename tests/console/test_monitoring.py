"""What monitors get: /healthz, /readyz, /metrics; and the alerts and the dashboard of the docs."""

import json
import re
from dataclasses import replace
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.console.conftest import OpenSite, Site, bearer
from workflow.console import make_console, open_listener, running_console
from workflow.ledger import CLOCK, Ledger, register_worker, send_heartbeat
from workflow.ledger.vital_counts import step_durations
from workflow.model import (
    CloudVitals,
    EventKind,
    HoldReason,
    SubmissionChanges,
    SubmissionState,
    WorkerVitals,
)
from workflow.state_folder import locked_state_folder

DOCS = Path(__file__).parents[2] / "docs"
SERIES = re.compile(r"\bstlflow_[a-z_]+")


def series(site: Site) -> dict[str, float]:
    """Return every value of /metrics by its name and labels."""
    reply = site.get("/metrics", headers=bearer("Vera"))
    assert reply.status_code == 200
    return {
        " ".join((sample.name, *(f"{name}={value}" for name, value in sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def named_series(site: Site) -> set[str]:
    """Return the name of every series of /metrics, also of one without a value."""
    return set(re.findall(r"^# TYPE (\w+)", site.get("/metrics").text, re.MULTILINE))


def working(site: Site, vitals: WorkerVitals) -> None:
    worker = register_worker(site.ledger, "home", "host", 1, "0")
    assert send_heartbeat(site.ledger, replace(worker, vitals=vitals))


def reasons(site: Site) -> tuple[int, dict[str, tuple[bool, str]]]:
    reply = site.session.get(f"{site.url}/readyz", timeout=60)
    return reply.status_code, {each["name"]: (each["ready"], each["says"]) for each in reply.json()["checks"]}


def test_without_a_worker_nothing_is_ready_and_it_is_said(site: Site) -> None:
    status, checks = reasons(site)
    assert status == 503
    assert {name: ready for name, (ready, _) in checks.items()} == {
        "disk": True,
        "database": True,
        "worker": False,
    }
    assert checks["worker"][1].startswith("No worker is running")


def test_ready_once_the_inbox_was_scanned(site: Site) -> None:
    now = CLOCK.seconds()
    with locked_state_folder(site.settings.state):
        working(site, WorkerVitals(CloudVitals()))
        assert reasons(site)[1]["folder"] == (
            False, "The inbox was not scanned yet. Check that the share is there.",
        )  # fmt: skip
        working(site, WorkerVitals(CloudVitals(5, 1, 2.0, 4, 0.5, now - 3, now - 60, "lost"), now - 1))
        status, checks = reasons(site)
        assert (status, all(ready for ready, _ in checks.values())) == (200, True)
        assert re.fullmatch(r"The inbox was scanned \d s ago\.", checks["folder"][1])
        working(site, WorkerVitals(CloudVitals(), now - 300))
        assert "Check that the share is there and answers" in reasons(site)[1]["folder"][1]
        working(
            site,
            WorkerVitals(CloudVitals(5, 2, 2.0, 3, 0.5, now - 60, now - 3, "Eiger refuses the keys."), now),
        )
        assert reasons(site)[1]["cloud"] == (False, "Eiger refuses the keys.")
        assert series(site)["stlflow_ready check=cloud"] == 0


def test_the_loop_that_no_longer_turns_is_not_healthy(open_site: OpenSite) -> None:
    site = open_site()
    assert site.session.get(f"{site.url}/healthz", timeout=60).json() == {"alive": True, "loop_seconds": 0.0}
    console = make_console(site.settings, site.ledger, stalled_seconds=lambda: 61.0)
    with open_listener("127.0.0.1", 0) as listener, running_console(console, listener) as url:
        reply = site.session.get(f"{url}/healthz", timeout=60)
    assert (reply.status_code, reply.json()["alive"]) == (503, False)


def test_monitors_need_no_token_for_health_and_one_for_metrics(open_site: OpenSite) -> None:
    site = open_site(console_login=True)
    assert site.session.get(f"{site.url}/healthz", timeout=60).status_code == 200
    assert site.session.get(f"{site.url}/readyz", timeout=60).status_code == 503
    assert site.get("/metrics", allow_redirects=False).status_code == 401
    assert site.get("/metrics", headers=bearer("Vera")).status_code == 200


def hold(ledger: Ledger, path: str, kind: HoldReason) -> None:
    number = ledger.open(path)
    ledger.claimed(number, f"held/{path}")
    held: SubmissionChanges = {"state": SubmissionState.HELD, "hold": kind, "step": None, "due_at": None}
    ledger.record_event(ledger.get(number), EventKind.HELD, "", **held)


def test_the_measurements_are_those_of_the_database(site: Site) -> None:
    for number in range(3):
        hold(site.ledger, f"secret name {number}.stl", HoldReason.MESH)
    site.ledger.claimed(site.ledger.open("due.stl"), "processing/due.stl")
    with locked_state_folder(site.settings.state):
        working(site, WorkerVitals(CloudVitals(5, 1, 2.0, 4, 0.25, CLOCK.seconds()), CLOCK.seconds()))
        values = series(site)
    assert values["stlflow_submissions state=held"] == 3
    assert values["stlflow_submissions state=printed"] == 0
    assert values["stlflow_held hold=mesh"] == 3
    assert values["stlflow_steps_due step=intake"] == 1
    assert values["stlflow_cloud_calls_total"] == 5
    assert values["stlflow_cloud_failures_total"] == 1
    assert values["stlflow_cloud_latency_seconds"] == 0.25
    assert values["stlflow_workers"] == 1
    assert values["stlflow_free_bytes folder=state"] > 0
    assert 0 <= values["stlflow_scan_age_seconds"] < 300
    text = site.get("/metrics").text
    assert "secret name" not in text
    assert "_created" not in text


def test_what_never_happened_has_no_age(open_site: OpenSite) -> None:
    """An age of 0 says that it happened just now, and an alert would take it for fresh."""
    never = {
        "stlflow_canary_age_seconds", "stlflow_scan_age_seconds", "stlflow_cloud_answer_age_seconds",
        "stlflow_cloud_latency_seconds",
    }  # fmt: skip
    site = open_site(canary_minutes=10)
    assert never.isdisjoint(series(site))
    assert series(site)["stlflow_oldest_held_seconds"] == 0
    site.ledger.canary.begin()
    site.ledger.canary.end(1, passed=True)
    with locked_state_folder(site.settings.state):
        working(site, WorkerVitals(CloudVitals(5, 1, 2.0, 4, 0.25, CLOCK.seconds()), CLOCK.seconds()))
        assert never <= series(site).keys()


def test_durations_are_those_of_the_steps_and_not_of_people() -> None:
    seen = [
        (1, 0.0, "claimed"), (1, 2.0, "inspected"), (2, 3.0, "claimed"), (1, 7.0, "uploaded"),
        (2, 4.0, "inspected"), (1, 8.0, "held"), (1, 900.0, "released"), (1, 903.0, "sliced"),
        (3, 5.0, "sliced"),
    ]  # fmt: skip
    assert step_durations(seen) == {"inspect": (1.0, 2.0), "upload": (5.0,), "slice": (3.0,)}


def documented() -> str:
    return (DOCS / "monitoring.md").read_text("utf-8")


def test_the_page_names_every_series_and_no_other(site: Site) -> None:
    assert set(SERIES.findall(documented())) == named_series(site)


def test_alerts_and_dashboard_use_series_that_exist(site: Site) -> None:
    there = named_series(site)
    dashboard = json.loads((DOCS / "grafana-dashboard.json").read_text("utf-8"))
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    alerts = documented().partition("```yml")[2].partition("```")[0]
    assert len(asked) >= 8
    assert alerts.count("- alert:") >= 6
    assert set(SERIES.findall(" ".join(asked) + alerts)) <= there


def test_the_labels_that_alerts_use_exist(site: Site) -> None:
    alerts = documented().partition("```yml")[2].partition("```")[0]
    values = series(site)
    for name, label, value in re.findall(r'(stlflow_\w+)\{(\w+)="(\w+)"\}', alerts):
        alike = [key for key in values if key.startswith(f"{name} {label}=")]
        known = (
            value in {"folder", "cloud", "canary"}
            if name == "stlflow_ready"
            else f"{name} {label}={value}" in alike
        )
        assert known, (name, label, value)
