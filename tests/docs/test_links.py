"""Every link with an anchor leads to a heading of that page, as GitHub makes anchors of headings."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.docs.blocks import DOCUMENTS, ROOT

_LINK = re.compile(r"\[[^\]]+\]\(([^)#: ]*)#([^)]+)\)")
_FENCES = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings; a repeated heading gets a number."""
    seen, found = Counter[str](), set[str]()
    for heading in _HEADING.findall(_FENCES.sub("", document.read_text("utf-8"))):
        plain = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_anchors_exist(document: Path) -> None:
    text = _FENCES.sub("", document.read_text("utf-8"))
    broken = [
        f"{target}#{anchor}"
        for target, anchor in _LINK.findall(text)
        if anchor not in anchors((document.parent / target) if target else document)
    ]
    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    missing = [
        page.name for page in DOCUMENTS if page.parent.name == "docs" and f"docs/{page.name}" not in readme
    ]
    assert missing == []
