from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.intake.name_patterns import NameKind, is_part_file, is_part_path, match_name, match_path
from workflow.intake.scan import scan_inbox


@pytest.mark.parametrize(
    ("name", "kind", "pattern"),
    [
        ("bracket.stl", NameKind.PART, "*.stl"),
        ("Bracket v1.2.STL", NameKind.PART, "*.stl"),
        ("conflict zone.stl", NameKind.PART, "*.stl"),
        ("bracket.stl.crdownload", NameKind.UNFINISHED, "*.crdownload"),
        ("bracket.stl.TMP", NameKind.UNFINISHED, "*.tmp"),
        (".bracket.stl.Ab12Cd", NameKind.UNFINISHED, ".*"),
        ("._bracket.stl", NameKind.LITTER, "._*"),
        ("~$bracket.stl", NameKind.LITTER, "~$*"),
        ("THUMBS.DB", NameKind.LITTER, "Thumbs.db"),
        ("bracket.stl:Zone.Identifier", NameKind.LITTER, "*:*"),
        ("part.step.txt", NameKind.LITTER, "*.txt"),
        ("part.step", NameKind.STRANGER, "*.step"),
        ("order.zip", NameKind.STRANGER, "*.zip"),
        ("drawing.pdf", NameKind.STRANGER, "*"),
        ("bracket (Anna's conflicted copy).stl", NameKind.STRANGER, "*conflicted copy*.stl"),
        ("bracket.sync-conflict-20261125.stl", NameKind.STRANGER, "*.sync-conflict-*.stl"),
    ],
)
def test_the_first_pattern_that_fits_decides(name: str, kind: NameKind, pattern: str) -> None:
    named = match_name(name)
    assert (named.kind, named.pattern) == (kind, pattern)


def test_a_folder_above_decides_first() -> None:
    assert match_path("rush/@eaDir/bracket.stl").pattern == "@eaDir/"
    assert match_path("rush/bracket.stl").kind is NameKind.PART


def test_strangers_are_told_what_to_do() -> None:
    assert match_name("a.SLDPRT").why == "stlflow takes STL files: export it as STL."
    assert match_name("a.zip").why == (
        "It is not unpacked here: unpack it, and put the STL files inside into the inbox."
    )


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1), st.sampled_from(["", ".stl", ".STL. "]))
def test_the_quick_way_and_the_table_agree(stem: str, ending: str) -> None:
    name = stem + ending
    assert is_part_file(name) == (match_name(name).kind is NameKind.PART)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("part.stl", True),
        ("rush/deep/part.STL", True),
        ("@eaDir/part.stl", False),
        ("rush/.Trash-1000/files/part.stl", False),
        ("assembly.stl/part.stl", False),
        ("rush/part.step", False),
    ],
)
def test_what_is_heard_of_is_what_a_walk_would_find(tmp_path: Path, path: str, found: bool) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).touch()
    assert is_part_path(path) is found
    assert (path in scan_inbox(tmp_path).paths) is found
