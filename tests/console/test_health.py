"""The health page: the doctor, the workers, the end of the log without keys, and the bundle."""

import io
import zipfile
from dataclasses import replace

from tests.console.conftest import OpenSite, Site, bearer
from tests.waiting import until
from workflow.ledger import CLOCK, register_worker, send_heartbeat
from workflow.model import CloudVitals, WorkerVitals

KEYS = {"access_key": "AKplanted0001", "secret_key": "SKplanted0002"}


def checked(site: Site) -> str:
    """Return the page once the doctor has found what there is."""
    assert until(lambda: "Checked " in site.get("/health").text, 60), site.get("/health").text
    return site.get("/health").text


def test_the_findings_come_by_themselves_with_what_to_do(open_site: OpenSite) -> None:
    site = open_site(eiger_url="http://127.0.0.1:9/api/v3", **KEYS)
    first = site.get("/health")
    assert (first.status_code, '<meta http-equiv="refresh"' in first.text) == (200, True)
    page = checked(site)
    assert "Not ready" in page
    assert "cloud.reach" in page
    assert "stlflow run" in page
    found = {each["check"]: each for each in site.get("/api/health").json()["findings"]}
    assert found["cloud.reach"]["grade"] == "fail"
    assert found["cloud.reach"]["fix"]


def test_a_person_has_it_checked_again(site: Site) -> None:
    checked(site)
    before = site.get("/api/health").json()["checked_at"]
    page = site.post("/health/check", {}).text
    assert "The findings come in a moment" in page
    assert until(lambda: site.get("/api/health").json()["checked_at"] not in {before, None}, 60)


def test_workers_with_their_scans_and_calls(site: Site) -> None:
    worker = register_worker(site.ledger, "home", "anvil", 17, "0.9")
    at = CLOCK.seconds()
    cloud = CloudVitals(12, 2, 3.0, 10, 0.4, at, at - 60, "Eiger answered 503 <b>")
    assert send_heartbeat(site.ledger, replace(worker, vitals=WorkerVitals(cloud, at)))
    (shown,) = site.get("/api/health").json()["workers"]
    assert (shown["calls"], shown["failures"], shown["last_seconds"], shown["mean_seconds"]) == (
        12,
        2,
        0.4,
        0.3,
    )
    page = site.get("/health").text
    assert "Eiger answered 503 &lt;b&gt;" in page
    assert "process 17, release 0.9" in page


def test_the_log_shows_no_key_and_only_to_who_may_work(open_site: OpenSite) -> None:
    site = open_site(console_login=True, **KEYS)
    logs = site.settings.state / "logs"
    logs.mkdir()
    lines = [f"line {number}\n" for number in range(300)]
    (logs / "stlflow.log").write_text("".join(lines) + "refused AKplanted0001 SKplanted0002 <i>\n")
    page = site.get("/health", headers=bearer("Willi")).text
    assert "refused *** *** &lt;i&gt;" in page
    assert ("line 299" in page, "line 50\n" in page) == (True, False)
    assert "line 299" not in site.get("/health", headers=bearer("Vera")).text
    assert site.get("/health/bundle.zip", headers=bearer("Willi")).status_code == 403


def test_the_bundle_is_a_download(open_site: OpenSite) -> None:
    site = open_site(eiger_url="http://127.0.0.1:9/api/v3", **KEYS)
    reply = site.get("/health/bundle.zip")
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/zip")
    assert "attachment" in reply.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(reply.content)) as bundle:
        assert "cloud.reach" in bundle.read("doctor.json").decode()
        assert all(b"planted" not in bundle.read(name) for name in bundle.namelist())
