"""Every page in a real Chromium, on a desktop and a phone, light and dark: what holds for all of them."""

import json
from collections.abc import Iterator
from itertools import cycle, product
from pathlib import Path

import pytest

from tests.bench.bench_console import fill
from tests.console.axe import NoAxe, find_violations, load_axe
from tests.console.browser import Browser
from tests.console.gallery import PAGES, PAGES_OF_MANY, fill_shop, pages_of
from tests.console.screens import SCHEMES, SIZES, show, site_in

pytestmark = pytest.mark.browser
CONTRAST = Path(__file__).with_name("contrast.js").read_text("utf-8")
LOOKS = tuple(product(SIZES, SCHEMES))
SIZE_OF_PAGE = "return [document.documentElement.scrollWidth, innerWidth]"


def check_pages(browser: Browser, axe: str, url: str, shown: Iterator[tuple[str, str, str]]) -> None:
    """Each fits its window, can be read, has nothing that axe calls serious, and asks nobody else."""
    browser.open("about:blank")  # a page of another site would go on asking
    browser.complaints()
    browser.driver.get_log("performance")
    for path, size, scheme in shown:
        page = f"{path} {size} {scheme}"
        show(browser, f"{url}{path}", size, scheme)
        wide, window = browser.run(SIZE_OF_PAGE)
        assert wide <= window, page
        assert browser.run(CONTRAST) == [], page
        if axe:
            assert find_violations(browser, axe) == [], page
    asked = (json.loads(each["message"])["message"] for each in browser.driver.get_log("performance"))
    addresses = [
        each["params"]["request"]["url"] for each in asked if each["method"] == "Network.requestWillBeSent"
    ]
    assert len(addresses) > 10
    ours = (url, "data:", "chrome:", "about:", "devtools:")
    assert [each for each in addresses if not each.startswith(ours)] == []
    assert [each for each in browser.complaints() if "404" not in each and "400" not in each] == []
    browser.open("about:blank")


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The checker; "" where it can't be had, and then the test says so at its end."""
    try:
        yield load_axe(tmp_path_factory.mktemp("axe"))
    except NoAxe:
        yield ""


def say_without_axe(axe: str) -> None:
    if not axe:
        pytest.skip("everything else held, but axe-core can't be had: npm is missing, or is refused")


def test_every_page_of_a_shop(browser: Browser, axe: str, tmp_path: Path) -> None:
    with site_in(tmp_path / "shop") as site:
        pages = pages_of(fill_shop(site)).values()
        check_pages(browser, axe, site.url, ((path, *look) for path, look in zip(pages, cycle(LOOKS))))
    say_without_axe(axe)


@pytest.mark.long
def test_every_page_in_every_look_with_few_and_many(browser: Browser, axe: str, tmp_path: Path) -> None:
    with site_in(tmp_path / "empty") as site:
        check_pages(browser, axe, site.url, ((path, *look) for path in PAGES.values() for look in LOOKS))
    with site_in(tmp_path / "shop") as site:
        pages = pages_of(fill_shop(site)).values()
        check_pages(browser, axe, site.url, ((path, *look) for path in pages for look in LOOKS))
    with site_in(tmp_path / "many") as site:
        fill(site.ledger, 2000, held=40)
        pages = PAGES_OF_MANY.values()
        check_pages(browser, axe, site.url, ((path, *look) for path in pages for look in LOOKS))
    say_without_axe(axe)
