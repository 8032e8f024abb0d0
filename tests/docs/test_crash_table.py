"""The table of crashes in the architecture page is about the points at which the crash tests kill."""

import re
from pkgutil import resolve_name

import pytest

from tests.crash.points import POINTS
from tests.docs.blocks import DOCUMENTS


def test_the_table_has_one_row_for_each_named_point() -> None:
    (page,) = (document for document in DOCUMENTS if document.name == "architecture.md")
    section = page.read_text("utf-8").partition("## What a crash leaves\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
    named = [row for row in rows if row not in {"killed right after", "---"} and not row.startswith("--")]
    assert sorted(named) == sorted(POINTS)


@pytest.mark.parametrize("name", POINTS)
def test_each_point_is_a_function_of_the_product(name: str) -> None:
    assert callable(resolve_name(POINTS[name].place))
