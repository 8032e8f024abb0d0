"""The generated parts of the documents say what the code says."""

from pathlib import Path

import pytest

from tests.docs.blocks import DOCUMENTS, ROOT
from tests.docs.generate import PARTS, every_command, regenerated


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_generated_parts_are_fresh(document: Path) -> None:
    fresh = document.read_text("utf-8") == regenerated(document)
    assert fresh, "stale: run `python -m tests.docs.generate`"


def test_every_generated_part_is_in_a_document() -> None:
    texts = "".join(document.read_text("utf-8") for document in DOCUMENTS)
    assert [name for name in PARTS if f"<!-- generated: {name} -->" not in texts] == []


def test_every_command_has_help() -> None:
    assert [each.command_path for each in every_command() if not each.command.help] == []
