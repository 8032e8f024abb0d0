"""The site of the documents: each page has its place in the navigation, once."""

import tomllib
from collections.abc import Iterator

from tests.docs.blocks import ROOT


def pages(entries: object) -> Iterator[str]:
    """Yield the files that a part of the navigation names."""
    if isinstance(entries, str):
        yield entries
    elif isinstance(entries, dict):
        for each in entries.values():
            yield from pages(each)
    elif isinstance(entries, list):
        for each in entries:
            yield from pages(each)


def test_every_page_is_in_the_navigation_once() -> None:
    project = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]
    listed = sorted(pages(project["nav"]))
    assert listed == sorted(page.name for page in (ROOT / project["docs_dir"]).glob("*.md"))
