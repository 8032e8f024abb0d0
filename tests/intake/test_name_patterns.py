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
        ("bracket.stl:Zone.Identifier", NameKind.LITTER, "*.stl:*"),
        ("order.zip:Zone.Identifier", NameKind.LITTER, "*:Zone.Identifier"),
        ("bracket 10:30.stl", NameKind.PART, "*.stl"),
        ("part.step.txt", NameKind.LITTER, "*.txt"),
        ("part.step", NameKind.STRANGER, "*.step"),
        ("order.zip", NameKind.STRANGER, "*.zip"),
        ("drawing.pdf", NameKind.STRANGER, "*.pdf"),
        ("notes.md", NameKind.STRANGER, "*"),
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


@pytest.mark.parametrize(
    ("name", "client"),
    [
        ("bracket_Andy-PC_Jan-03-0901-2013_CaseConflict_1.stl", "Synology Drive"),
        ("bracket_ws-4_Mar-12-1234-2015_Conflict.stl", "Synology Drive"),
        ("bracket_conflict-20260101-101010.stl", "ownCloud"),
        ("bracket (conflicted copy 2026-01-01 101010).stl", "A sync client"),
        ("bracket (SFConflict ann@shop.example 2026-01-01-10-10-10).stl", "Seafile"),
        ("bracket.Conflict.stl", "Resilio Sync"),
        ("bracket-DESKTOP-AB12CD3.stl", "OneDrive"),
        ("bracket-LAPTOP-AB12CD34.stl", "OneDrive"),
        ("bracket (In Konflikt stehende Kopie von Ann 2026-01-01).stl", "Dropbox"),
        ("bracket (Copie en conflit de Ann 2026-01-01).stl", "Dropbox"),
        ("bracket (Copia en conflicto de Ann 2026-01-01).stl", "Dropbox"),
        ("bracket (Copia in conflitto di Ann 2026-01-01).stl", "Dropbox"),
        ("bracket (C\u00f3pia em conflito de Ann 2026-01-01).stl", "Dropbox"),
        ("bracket (Case Conflict).stl", "Dropbox"),
        ("bracket (case clash from Ann on 2026-01-01).stl", "Nextcloud"),
        ("bracket.sync-conflict-20260101-101010-ABCDEFG.stl", "Syncthing"),
        ("bracket [conflicted].stl", "A sync client"),
    ],
)
def test_the_second_version_of_a_sync_client_is_no_part(name: str, client: str) -> None:
    assert match_name(name).why == (
        f"{client} kept two versions of this file. Delete one, and give the other a plain name."
    )
    assert not is_part_file(name)


@pytest.mark.parametrize(
    "name", ["arm-desktop-bracket.stl", "confined space.stl", "conflict.stl", "Konfig.stl"]
)
def test_names_that_only_look_like_a_second_version_are_parts(name: str) -> None:
    assert is_part_file(name)


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
        ("bracket.stl/bracket.stl", True),
        ("bracket.stl", True),
        ("rush/part.step", False),
    ],
)
def test_events_report_what_a_scan_would_find(tmp_path: Path, path: str, found: bool) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).touch()
    assert is_part_path(path) is found
    assert (path in scan_inbox(tmp_path).paths) is found
