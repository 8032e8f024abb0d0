"""The wall: printers as tiles and what waits, for a screen that nobody touches."""

import pytest

from tests.console.browser import Browser
from tests.console.conftest import Site
from tests.console.test_monitoring import hold
from tests.console.test_printers import fill
from workflow.model import HoldReason, PrinterOutage
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
    assert '<meta http-equiv="refresh" content="15">' in page
    assert "<form" not in page
    assert "<script" not in page
    assert site.get("/api/wall").json()["waiting"] == 1


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (390, 800)])
def test_it_fits_the_screen(site: Site, browser: Browser, width: int, height: int) -> None:
    fill(site)
    browser.resize(width, height)
    browser.open(f"{site.url}/wall")
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    assert len(browser.all(".wall-tile")) == 3
    assert browser.complaints() == []
