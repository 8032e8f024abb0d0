"""Live pages in a real Chromium: many tabs, waking up, a stream that is refused, held back or cut."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.console.between import Between, standing_between
from tests.console.browser import Browser
from tests.console.conftest import Site
from tests.console.gallery import SAMPLES
from tests.console.parts import hold_part
from tests.console.test_in_browser import ready, waits_for
from tests.waiting import until
from workflow.console.live import STREAMS_OF_A_BROWSER
from workflow.mesh.thumbnail import THUMBNAIL_WIDTH, draw_thumbnail
from workflow.pipeline.thumbnails import THUMBNAILS_FOLDER, thumbnail_path

pytestmark = pytest.mark.browser
TABS = 8
QUICK_CLOCK = """
const now = Date.now, began = now(), every = window.setInterval;
Date.now = () => began + 10 * (now() - began);
window.setInterval = (what, wait) => every(what, wait / 10);
"""
"""The page's clock turns ten times as fast: what waits half a minute waits three seconds."""


WIDTH_OF_PICTURE = "return document.querySelector('tr .thumb').naturalWidth"


def draw(site: Site, number: int) -> None:
    """Draw the picture of a part, as the service does once it has time."""
    place = thumbnail_path(site.settings.state / THUMBNAILS_FOLDER, site.ledger.get(number))
    assert place is not None
    place.parent.mkdir()
    place.write_bytes(draw_thumbnail(SAMPLES / "bracket.stl"))


def says(browser: Browser, text: str) -> bool:
    return until(lambda: browser.text("#live").startswith(text))


@contextmanager
def eight_open(browser: Browser, site: Site, kind: str) -> Iterator[list[str]]:
    """Open eight tabs or windows, each with its page; those that were added are closed at the end."""
    places = [browser.driver.current_window_handle]
    try:
        for number in range(TABS):
            if number:
                browser.driver.switch_to.new_window(kind)
                places.append(browser.driver.current_window_handle)
            ready(browser, site, "/")
            assert says(browser, "Live")
        yield places
    finally:
        for place in places[1:]:
            browser.driver.switch_to.window(place)
            browser.driver.close()
        browser.driver.switch_to.window(places[0])


def test_eight_tabs_and_a_tab_that_wakes_up(site: Site, browser: Browser) -> None:
    """A browser opens six connections at most: a hidden tab has none, and once it is back it shows all."""
    with (
        standing_between(site) as between,
        eight_open(browser, Site(between.url, site.ledger, site.settings), "tab") as tabs,
    ):
        assert until(lambda: between.streams == 1), between.streams
        number = hold_part(site.ledger, "while seven sleep.stl")
        assert waits_for(browser, "while seven sleep.stl")
        draw(site, number)
        assert until(lambda: browser.run(WIDTH_OF_PICTURE) == THUMBNAIL_WIDTH), "drawn after it was listed"
        for tab in tabs[:-1]:
            browser.driver.switch_to.window(tab)
            assert waits_for(browser, "while seven sleep.stl")
            assert says(browser, "Live")
        assert until(lambda: between.streams == 1), between.streams


def test_eight_windows_in_sight(site: Site, browser: Browser) -> None:
    """Each has its page and stays current; the oldest ask for it, so that six connections are enough."""
    with (
        standing_between(site) as between,
        eight_open(browser, Site(between.url, site.ledger, site.settings), "window") as windows,
    ):
        in_sight = [_is_in_sight(browser, window) for window in windows]
        assert sum(in_sight) > STREAMS_OF_A_BROWSER, in_sight
        assert until(lambda: between.streams == STREAMS_OF_A_BROWSER), between.streams
        hold_part(site.ledger, "seen by all.stl")
        for window in windows:
            browser.driver.switch_to.window(window)
            assert waits_for(browser, "seen by all.stl")
        browser.driver.switch_to.window(windows[0])
        assert says(browser, "Live, every 5 seconds")


def _is_in_sight(browser: Browser, window: str) -> bool:
    browser.driver.switch_to.window(window)
    return bool(browser.run("return !document.hidden"))


def test_a_stream_that_is_refused_held_back_or_cut(site: Site, browser: Browser) -> None:
    """The page asks every few seconds instead, says since when it is not live, and the stream comes back."""
    added = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": QUICK_CLOCK})
    try:
        with standing_between(site) as between:
            _lose_the_stream(Site(between.url, site.ledger, site.settings), between, browser)
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def _lose_the_stream(site: Site, between: Between, browser: Browser) -> None:
    for way in ("refuse", "hold"):
        between.way = way
        ready(browser, site, "/")
        assert says(browser, "Live, every 5 seconds"), way
        hold_part(site.ledger, f"{way}.stl")
        assert waits_for(browser, f"{way}.stl")
        between.way = "pass"
        assert until(lambda: browser.text("#live") == "Live"), way
    between.way = "gone"
    assert says(browser, "Not live since ")
    hold_part(site.ledger, "gone.stl")
    between.way = "pass"
    assert waits_for(browser, "gone.stl")
    assert says(browser, "Live")
