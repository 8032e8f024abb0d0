"""Pictures of every page, to look at: `python -m tests.console.screens` writes them into build/screens.

Each page on a desktop and on a phone, light and dark; empty, with a small shop, and with 2,000 submissions.
`--only WORD` takes the pages whose name has the word in it.
"""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.bench_console import fill
from tests.console.browser import Browser, running_browser
from tests.console.conftest import Site, running_site
from tests.console.gallery import PAGES, PAGES_OF_MANY, fill_shop, pages_of
from tests.docs.blocks import ROOT
from tests.waiting import until
from workflow.ledger import Ledger

FOLDER = ROOT / "build" / "screens"
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
SCHEMES = ("light", "dark")
TALLEST = 2400
_IS_READY = """
const viewer = document.querySelector("part-viewer");
const waits = viewer && !viewer.dataset.drawn && !viewer.querySelector(":scope > button");
const checks = document.querySelector('[data-live="health"][data-poll="3"]');
return !waits && !checks && document.readyState === "complete"
  && [...document.images].every((each) => each.complete || each.loading === "lazy");
"""


@contextmanager
def site_in(folder: Path, **settings: object) -> Iterator[Site]:
    """Serve a console with an inbox and the rules of the repository."""
    (folder / "share" / "inbox").mkdir(parents=True)
    (folder / "state").mkdir()
    ledger = Ledger(f"sqlite:///{(folder / 'state' / 'stlflow.db').as_posix()}")
    rules = ROOT / "rules" / "example-metal-lab.yaml"
    with running_site(folder, ledger, rules=rules, **settings) as site:
        yield site
    ledger.close()


def show(browser: Browser, url: str, size: str, scheme: str) -> None:
    """Open a page in a window of this size, and wait for what it draws."""
    browser.resize(*SIZES[size])
    browser.prefer(color_scheme=scheme, reduced_motion="reduce")
    browser.open(url)
    assert until(lambda: bool(browser.run(_IS_READY)), 60), url


def photograph(browser: Browser, site: Site, kind: str, pages: dict[str, str], only: str) -> None:
    """Write the pictures of some pages, in every size and scheme."""
    for name, path in pages.items():
        for size, (width, height) in SIZES.items():
            for scheme in SCHEMES:
                if only not in (picture := f"{kind}-{name}-{size}-{scheme}"):
                    continue
                show(browser, f"{site.url}{path}", size, scheme)
                tall = int(browser.run("return document.documentElement.scrollHeight"))
                browser.resize(width, min(max(tall, height), TALLEST))
                browser.driver.save_screenshot(str(FOLDER / f"{picture}.png"))


def main() -> None:
    """Make the pictures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    only = parser.parse_args().only
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as text, running_browser() as browser:
        folder = Path(text)
        with site_in(folder / "empty") as site:
            photograph(browser, site, "empty", PAGES, only)
        with site_in(folder / "shop") as site:
            photograph(browser, site, "shop", pages_of(fill_shop(site)), only)
        with site_in(folder / "many") as site:
            fill(site.ledger, 2000, held=40)
            photograph(browser, site, "many", PAGES_OF_MANY, only)


if __name__ == "__main__":
    main()
