"""The wall: printers as tiles and what waits, for a screen that nobody touches."""

import pytest

from tests.console.browser import Browser
from tests.console.conftest import TOKENS_MADE, OpenSite, Site
from tests.console.test_monitoring import hold
from tests.console.test_printers import fill
from tests.waiting import until
from workflow.model import HoldReason, PrinterOutage, PrinterSnapshot
from workflow.pipeline.context import now


def test_tiles_in_words_and_what_waits(site: Site) -> None:
    fill(site)
    assert "Nothing waits" in site.get("/wall").text
    hold(site.ledger, "a.stl", HoldReason.MESH)
    site.ledger.outages.begin(PrinterOutage("d-2", "new nozzle", "anna", now()))
    page = site.get("/wall").text
    assert "<strong>1</strong> needs attention" in page
    assert ("bracket" in page, "1 h left" in page, "Out of choice" in page) == (True, True, True)
    assert "No worker is running" in page
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in page
    assert ("<form" in page, "<button" in page) == (False, False)
    assert "bracket" not in site.get("/wall?names=no").text
    assert site.get("/api/wall").json()["waiting"] == 1


def test_a_tile_says_what_to_do_and_what_still_prints(site: Site) -> None:
    fill(site)
    site.ledger.printers.write(
        [
            PrinterSnapshot("d-4", "X7", "X7", "Industrial Series", now(), "Print Bed Needs Clearing"),
        ]
    )
    for device in ("d-1", "d-2"):
        site.ledger.outages.begin(PrinterOutage(device, "new nozzle", "anna", now()))
    tiles = {tile.partition("</h2>")[0]: tile for tile in site.get("/wall").text.split("<h2>")[1:]}
    assert "<p>Clear the bed</p>" in tiles["X7"]
    for says in ("Out of choice", "new nozzle", "Printing", "bracket", "1 h left", "2 queued"):
        assert says in tiles["Mark Two - Anvil"], says
    assert ("Out of choice" in tiles["Onyx Pro - Dowel"], "Ready" in tiles["Onyx Pro - Dowel"]) == (
        True,
        False,
    )


def test_the_key_of_a_screen_opens_the_wall_and_nothing_else(open_site: OpenSite) -> None:
    site = open_site(console_login=True)
    key = site.ledger.console_tokens.make("TV", "wall")
    assert "Nothing waits" in site.get(f"/wall?k={key}").text
    others = ("/wall", "/wall?k=x", f"/wall?k={TOKENS_MADE['Ada']}", f"/?k={key}", f"/submissions?k={key}")
    for path in others:
        assert site.get(path, allow_redirects=False).status_code == 303, path
    for path in ("/api/submissions", "/", "/events", "/metrics", "/s/1/thumb.png"):
        reply = site.get(path, headers={"Authorization": f"Bearer {key}"}, stream=True)
        assert reply.status_code == 403, path
    site.ledger.console_tokens.revoke("TV")
    assert site.get(f"/wall?k={key}", allow_redirects=False).status_code == 303


def test_a_key_without_names_shows_none_whatever_the_address_says(open_site: OpenSite) -> None:
    site = open_site(console_login=True)
    fill(site)
    for shows in (True, False):
        key = site.ledger.console_tokens.make("TV", "wall", shows_names=shows)
        told = {"Authorization": f"Bearer {key}"}
        for path in (f"/wall?k={key}", f"/wall?k={key}&names=yes", "/wall", "/api/wall"):
            page = site.get(path, headers=told if "k=" not in path else {})
            assert (page.status_code, "bracket" in page.text) == (200, shows), path
        page = site.get("/api/wall?names=no", headers=told)
        assert (page.json()["names"], "bracket" in page.text) == (False, False)


@pytest.mark.browser
def test_it_fits_the_screen_and_changes_by_itself(open_site: OpenSite, browser: Browser) -> None:
    site = open_site(console_login=True)
    fill(site)
    key = site.ledger.console_tokens.make("TV", "wall")
    for width, height in ((390, 800), (1920, 1080)):
        browser.resize(width, height)
        browser.open(f"{site.url}/wall?k={key}")
        assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    assert len(browser.all(".wall-tile")) == 3
    browser.run("window.kept = true")
    hold(site.ledger, "a.stl", HoldReason.MESH)
    asks = "import('/static/live.js').then(({refresh}) => refresh())"  # as wall.js does every 15 seconds
    browser.run(asks)
    assert until(lambda: "1 needs attention" in browser.text("h1"), 60)
    assert browser.run("return window.kept")
    assert browser.complaints() == []
    site.ledger.console_tokens.revoke("TV")
    browser.run(asks)
    assert until(lambda: browser.text("#live").startswith("Not live since"), 60)
