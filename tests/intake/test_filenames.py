import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.intake import is_part_file, printable_path
from workflow.intake.filenames import claimed_path, fit_name, outcome_path
from workflow.intake.name_patterns import is_ignored_folder


@pytest.mark.parametrize(
    "name", ["a.stl", "A.STL", "b.Stl", "part #3 🚀.stl", "x.stl ", "x.stl.", "a~.stl", "part.stl.stl"]
)
def test_names_of_part_files(name: str) -> None:
    assert is_part_file(name)


@pytest.mark.parametrize(
    "name",
    [
        "a.stl.part", "a.stl.crdownload", "._a.stl", ".a.stl", "~$a.stl", "~syncthing~a.stl", ".stl", "stl",
        "a.step", "a.stl.txt", "Thumbs.db", ".a.stl.Ab12Cd", "a.stl~", "a.stl:Zone.Identifier",
    ],
)  # fmt: skip
def test_names_that_are_no_part_files(name: str) -> None:
    assert not is_part_file(name)


@pytest.mark.parametrize("folder", [".git", "@eaDir", "#RECYCLE", "lost+found", "System Volume Information"])
def test_folders_of_systems_are_passed_over(folder: str) -> None:
    assert is_ignored_folder(folder)
    assert not is_ignored_folder("rush")


def test_bytes_that_are_no_text_become_readable() -> None:
    odd = b"caf\xe9\n.stl".decode("utf-8", "surrogateescape")
    assert printable_path(odd) == "caf\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}.stl"
    assert printable_path("größe/ü🚀.stl") == "größe/ü🚀.stl"


def test_characters_that_reverse_a_name_are_shown() -> None:
    assert printable_path("part\u202elts.exe") == "part\N{REPLACEMENT CHARACTER}lts.exe"
    for control in "\u061c\u200e\u200f\u2066\u2069":
        assert printable_path(f"a{control}b.stl") == "a\N{REPLACEMENT CHARACTER}b.stl"
    assert printable_path("שרטוט.stl") == "שרטוט.stl"


def test_a_claimed_file_keeps_its_folders_and_gets_its_number() -> None:
    assert claimed_path("processing", "rush/today/bracket.stl", 17) == "processing/rush/today/17~bracket.stl"


def test_a_second_file_of_the_same_name_is_numbered() -> None:
    assert outcome_path("done", "rush/bracket.stl") == "done/rush/bracket.stl"
    assert outcome_path("done", "rush/bracket.v2.STL", 3) == "done/rush/bracket.v2 (3).STL"


def test_the_longest_name_still_fits_with_a_number() -> None:
    longest = "ü" * 125 + "n.stl"
    assert len(longest.encode()) == 255
    name = claimed_path("processing", longest, 123456).rsplit("/", 1)[-1]
    assert len(name.encode()) <= 255
    assert name.startswith("123456~ü")
    assert name.endswith("ü.stl")


def test_both_forms_of_an_umlaut_keep_their_form() -> None:
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize("NFC" if form == "NFC" else "NFD", "größe.stl")
        assert claimed_path("processing", name, 1) == f"processing/1~{name}"


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1), st.text("123456789~", max_size=9))
def test_fitting_names_always_fit(name: str, before: str) -> None:
    name = printable_path(name)
    fitted = fit_name(name, before=before)
    assert len(fitted.encode()) <= 255
    assert fitted.startswith(before)
    if len((before + name).encode()) <= 255:
        assert fitted == before + name
