"""How soon rows and facets are seen in a browser: `pytest -m bench tests/bench/bench_viewer.py -s`."""

from collections.abc import Iterator

import pytest

from tests.bench.bench_console import fill
from tests.console.browser import Browser, running_browser
from tests.console.conftest import OpenSite, open_site
from tests.console.test_viewer import shown, submit
from tests.mesh.solids import torus

__all__ = ["open_site"]


@pytest.fixture
def browser() -> Iterator[Browser]:
    with running_browser() as started:
        yield started


MARK_FIRST_FRAME = """
addEventListener("DOMContentLoaded", () => new MutationObserver((_, observer) => {
  performance.mark("viewer drawn");
  observer.disconnect();
}).observe(document.querySelector("part-viewer"), {attributes: true}));
"""
SEEN = """
return [performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
        performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd];
"""


@pytest.mark.bench
def test_a_part_of_100_000_facets_is_seen_within_a_second(open_site: OpenSite, browser: Browser) -> None:
    """From the start of the page's load to the first frame; the mesh made for the first time, and kept."""
    site = open_site()
    part = torus(250, 200)
    number = submit(site, part[3:])
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": MARK_FIRST_FRAME})
    for turn in ("made", "kept", "kept"):
        shown(browser, site, number)
        seen = browser.run("return performance.getEntriesByName('viewer drawn')[0].startTime")
        print(f"{len(part):,} facets, mesh {turn}: seen after {seen:.0f} ms")


@pytest.mark.bench
def test_rows_of_2000_submissions_are_seen_within_half_a_second(
    open_site: OpenSite, browser: Browser
) -> None:
    """From the start of the page's load to the first thing painted, and to all rows being there."""
    site = open_site()
    fill(site.ledger, 2000, held=40)
    for turn in ("first", "again", "again"):
        browser.open(f"{site.url}/submissions")
        assert len(browser.all("tbody tr")) == 100
        painted, rows = browser.run(SEEN)
        print(f"2,000 submissions, {turn}: painted after {painted:.0f} ms, all rows after {rows:.0f} ms")
