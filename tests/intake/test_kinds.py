from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.intake.kinds import Kind, is_part_file, is_part_path, name_kind, path_kind
from workflow.intake.walk import walk


@pytest.mark.parametrize(
    ("name", "kind", "pattern"),
    [
        ("bracket.stl", Kind.PART, "*.stl"),
        ("Bracket v1.2.STL", Kind.PART, "*.stl"),
        ("conflict zone.stl", Kind.PART, "*.stl"),
        ("bracket.stl.crdownload", Kind.UNFINISHED, "*.crdownload"),
        ("bracket.stl.TMP", Kind.UNFINISHED, "*.tmp"),
        (".bracket.stl.Ab12Cd", Kind.UNFINISHED, ".*"),
        ("._bracket.stl", Kind.LITTER, "._*"),
        ("~$bracket.stl", Kind.LITTER, "~$*"),
        ("THUMBS.DB", Kind.LITTER, "Thumbs.db"),
        ("bracket.stl:Zone.Identifier", Kind.LITTER, "*:*"),
        ("part.step.txt", Kind.LITTER, "*.txt"),
        ("part.step", Kind.STRANGER, "*.step"),
        ("order.zip", Kind.STRANGER, "*.zip"),
        ("drawing.pdf", Kind.STRANGER, "*"),
        ("bracket (Anna's conflicted copy).stl", Kind.STRANGER, "*conflicted copy*.stl"),
        ("bracket.sync-conflict-20261125.stl", Kind.STRANGER, "*.sync-conflict-*.stl"),
    ],
)
def test_the_first_pattern_that_fits_decides(name: str, kind: Kind, pattern: str) -> None:
    named = name_kind(name)
    assert (named.kind, named.pattern) == (kind, pattern)


def test_a_folder_above_decides_first() -> None:
    assert path_kind("rush/@eaDir/bracket.stl").pattern == "@eaDir/"
    assert path_kind("rush/bracket.stl").kind is Kind.PART


def test_strangers_are_told_what_to_do() -> None:
    assert name_kind("a.SLDPRT").why == "stlflow takes STL files: export it as STL."
    assert name_kind("a.zip").why == (
        "It is not unpacked here: unpack it, and put the STL files inside into the inbox."
    )


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1), st.sampled_from(["", ".stl", ".STL. "]))
def test_the_quick_way_and_the_table_agree(stem: str, ending: str) -> None:
    name = stem + ending
    assert is_part_file(name) == (name_kind(name).kind is Kind.PART)


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
    assert (path in walk(tmp_path).paths) is found
