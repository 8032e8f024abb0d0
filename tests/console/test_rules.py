"""The rules' page: matches, tests, a file explained without a trace, and other rules on the last parts."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.console.browser import Browser
from tests.console.conftest import OpenSite, Site, bearer
from tests.stl import box, open_box
from tests.waiting import until
from workflow.model import DecisionRecord, EventKind, PrinterOutage, PrinterSnapshot
from workflow.pipeline.context import now
from workflow.routing import parse_rules

RULES = """\
version: 1
intake:
  - {name: metal, when: {path: "metal/**"}, preset: 17-4 PH}
  - {name: rest, preset: Onyx}
routing:
  - name: rush
    when: {path: "rush/**"}
    send_to: device_queue
    device: {name: Mark Two - Anvil}
  - {name: long, when: {build.print_hours: "> 8"}, send_to: backlog}
  - {name: rest, send_to: job_request}
tests:
  - file: {path: metal/a.stl}
    expect: {preset: 17-4 PH}
"""


@pytest.fixture
def shop(open_site: OpenSite, tmp_path: Path) -> Site:
    (tmp_path / "rules.yaml").write_text(RULES)
    return open_site(rules=tmp_path / "rules.yaml")


def decide(site: Site, path: str, rule: str, days: float = 0) -> int:
    """Store that the intake rules of today have decided on a part."""
    rulebook = parse_rules(RULES, "rules")
    site.ledger.decisions.store_rules(rulebook.revision, RULES)
    number = site.ledger.open(path)
    site.ledger.claimed(number, f"done/{path}")
    at = now() - timedelta(days=days)
    decided = DecisionRecord("intake", at, rulebook.revision, rule, {"path": path})
    site.ledger.record_decision(site.ledger.get(number), decided, EventKind.DECIDED, "")
    return number


def test_each_rule_with_its_matches_and_the_tests(shop: Site) -> None:
    decide(shop, "metal/a.stl", "metal")
    decide(shop, "b.stl", "rest")
    decide(shop, "c.stl", "rest", days=40)
    page = shop.get("/api/rules").json()["page"]
    rows = {(each["stage"], each["name"]): each for each in page["rules"]}
    assert [name for _, name in rows] == ["metal", "rest", "rush", "long", "rest"]
    assert (rows["intake", "metal"]["matches"], rows["intake", "rest"]["matches"]) == (1, 1)
    assert rows["intake", "rest"]["last_at"] is not None
    assert (rows["routing", "rest"]["matches"], rows["routing", "rest"]["last_at"]) == (0, None)
    assert rows["routing", "long"]["does"] == "send to backlog"
    assert [each["passed"] for each in page["tests"]] == [True]
    assert "1 of 1 as expected" in shop.get("/rules").text


def test_a_failing_test_and_a_broken_file_are_said(shop: Site, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES.replace("expect: {preset: 17-4 PH}", "expect: {preset: Onyx}"))
    assert "1 of 1 fail" in shop.get("/rules").text
    (tmp_path / "rules.yaml").write_text("version: 1\nintake: <b>\n")
    page = shop.get("/rules").text
    assert "can&#39;t be read" in page or "can't be read" in page
    assert "<b>" not in page


def explain(site: Site, content: bytes, **fields: str) -> str:
    sent = {"csrf": site.csrf(), **fields}
    files = {"file": ("part.stl", content)}
    reply = site.session.post(f"{site.url}/rules/explain", data=sent, files=files, timeout=60)
    assert reply.status_code == 200, reply.text
    return reply.text


def test_a_file_is_explained_and_leaves_no_trace(shop: Site) -> None:
    moment = now()
    anvil = PrinterSnapshot("d-1", "Mark Two - Anvil", "Mark Two", "Desktop Series", moment, "Ready")
    shop.ledger.printers.write([anvil])
    shop.ledger.outages.begin(PrinterOutage("d-1", "new nozzle", "anna", moment))
    page = explain(shop, box(30, 20, 10), path="rush/x.stl", **{"build.print_hours": "2"})
    assert "upload with preset Onyx (rule &#39;rest&#39;)" in page
    assert "Mark Two - Anvil: is out of choice: new nozzle (anna)" in page
    held = explain(shop, open_box())
    assert "The mesh is held before any rule: A side is missing" in held
    assert shop.ledger.all() == ()
    assert [each.name for each in shop.settings.state.iterdir() if each.suffix == ".stl"] == []


def test_what_can_not_be_explained_is_said(shop: Site) -> None:
    url, csrf = f"{shop.url}/rules/explain", shop.csrf()
    assert "Choose an STL file" in shop.session.post(url, data={"csrf": csrf}, timeout=60).text
    files = {"file": ("part.stl", box())}
    wrong = {"csrf": csrf, "build.print_hours": "long"}
    assert "is no number" in shop.session.post(url, data=wrong, files=files, timeout=60).text
    forged = shop.session.post(url, data={"csrf": "x"}, files=files, timeout=60)
    assert (forged.status_code, "older page" in forged.text) == (403, True)
    assert "The mesh is rejected" in explain(shop, b"<!DOCTYPE html>")


def test_the_fields_stay_after_each_answer(shop: Site) -> None:
    given = {"path": "rush/<x>.stl", "build.print_hours": "2", "build.material": "Onyx"}
    kept = ('value="rush/&lt;x&gt;.stl"', 'name="build.print_hours" value="2"', 'value="Onyx"')
    page = explain(shop, box(30, 20, 10), **given)
    assert all(each in page for each in kept)
    assert 'href="/rules" aria-current="page"' in page
    url, files = f"{shop.url}/rules/explain", {"file": ("part.stl", box())}
    wrong = {"csrf": shop.csrf(), **given, "build.print_hours": "long"}
    refused = shop.session.post(url, data=wrong, files=files, timeout=60)
    assert (refused.status_code, 'value="long" aria-invalid="true"' in refused.text) == (400, True)
    assert all(each in refused.text for each in (kept[0], kept[2]))
    assert "<h2>Replay</h2>" in refused.text


def test_other_rules_are_replayed_on_the_last_parts(shop: Site) -> None:
    number = decide(shop, "metal/a.stl", "metal")
    decide(shop, "b.stl", "rest")
    changed = {"csrf": shop.csrf(), "rules": RULES.replace("17-4 PH}", "Copper}")}
    page = shop.session.post(f"{shop.url}/rules/replay", data=changed, timeout=60).text
    assert "1 of 2 would be decided otherwise." in page
    assert f'href="/s/{number}"' in page
    assert "upload with preset Copper" in page
    broken = shop.session.post(
        f"{shop.url}/rules/replay", data={"csrf": shop.csrf(), "rules": "a: <i>"}, timeout=60
    )
    assert "These rules can&#39;t be read" in broken.text or "These rules can't be read" in broken.text
    assert "a: &lt;i&gt;" in broken.text
    assert (shop.settings.rules or Path()).read_text() == RULES, "nothing is saved"


def test_who_may_only_look_may_explain_and_replay(open_site: OpenSite, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES)
    site = open_site(rules=tmp_path / "rules.yaml", console_login=True)
    assert "Replay" in site.get("/rules", headers=bearer("Vera")).text


@pytest.mark.browser
def test_a_person_explains_a_file(shop: Site, browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "clip.stl").write_bytes(box(30, 20, 10))
    browser.open(f"{shop.url}/rules")
    browser.find("#file").send_keys(str(tmp_path / "clip.stl"))
    browser.find("#hours").send_keys("long")
    browser.button("Explain").click()
    assert "'long' is no number" in browser.text("#explain #refusal")
    assert browser.run("return document.activeElement.id") == "hours"
    browser.find("#hours").clear()
    browser.find("#hours").send_keys("2")
    browser.button("Explain").click()
    assert "upload with preset Onyx" in browser.text(".result")
    assert browser.find("#hours").get_attribute("value") == "2"
    browser.find("#path").send_keys("metal/clip.stl")
    browser.button("Explain").click()
    assert until(lambda: "preset 17-4 PH" in browser.text("#explain .result")), "the file is still chosen"
    browser.button("Replay on the last 200").click()
    assert until(lambda: "0 of 0 would be decided otherwise" in browser.text("#replay .result"))
    assert [each for each in browser.complaints() if "400" not in each] == []
