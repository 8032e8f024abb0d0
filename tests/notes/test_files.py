import sys
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.notes import note_path, remove_note, write_note

TEXT = "stlflow note: submission 17\n\nbracket.stl was REJECTED: größer als 525 mm.\n"


@pytest.fixture
def stl(tmp_path: Path) -> Path:
    (tmp_path / "rejected").mkdir()
    return tmp_path / "rejected" / "bracket.stl"


def test_a_note_opens_in_any_editor(stl: Path) -> None:
    place = write_note(note_path(stl), TEXT)
    assert place == stl.with_name("bracket.stl.txt")
    content = place.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfstlflow note: submission 17\r\n\r\n")
    assert content.decode("utf-8-sig").replace("\r\n", "\n") == TEXT
    assert [path.name for path in stl.parent.iterdir()] == ["bracket.stl.txt"]


def test_an_older_note_is_replaced(stl: Path) -> None:
    write_note(note_path(stl), TEXT)
    write_note(note_path(stl), TEXT.replace("17", "18"))
    assert "submission 18" in note_path(stl).read_text("utf-8-sig")
    assert len(list(stl.parent.iterdir())) == 1


def test_somebody_elses_file_is_never_touched(stl: Path) -> None:
    note_path(stl).write_text("my own remarks")
    for _ in range(2):
        assert write_note(note_path(stl), TEXT).name == "bracket.stl (2).txt"
    assert note_path(stl).read_text() == "my own remarks"
    remove_note(stl)
    assert [path.name for path in stl.parent.iterdir()] == ["bracket.stl.txt"]


def test_a_note_that_finds_no_place_says_so(stl: Path) -> None:
    for number in range(1, 10):
        name = "bracket.stl.txt" if number == 1 else f"bracket.stl ({number}).txt"
        stl.with_name(name).write_text("taken")
    with pytest.raises(FileExistsError, match=r"^9 other files stand where bracket.stl.txt should be$"):
        write_note(note_path(stl), TEXT)
    assert len(list(stl.parent.iterdir())) == 9


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_a_link_in_place_of_the_note_is_not_followed(stl: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text(TEXT)
    note_path(stl).symlink_to(tmp_path / "theirs")
    assert write_note(note_path(stl), TEXT.replace("17", "18")).name == "bracket.stl (2).txt"
    assert (tmp_path / "theirs").read_text() == TEXT


def test_a_note_is_there_whole_or_not_at_all(stl: Path) -> None:
    """Whoever reads while it is rewritten sees one of the two, never a part."""
    write_note(note_path(stl), TEXT * 500)
    lengths = set()
    rewriting = Thread(target=lambda: [write_note(note_path(stl), TEXT * times) for times in (1, 500) * 40])
    rewriting.start()
    while rewriting.is_alive():
        lengths.add(len(note_path(stl).read_text("utf-8-sig")))
    rewriting.join()
    assert lengths <= {len(TEXT), len(TEXT * 500)}


def test_a_note_that_can_not_be_written_leaves_nothing(stl: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_note(note_path(stl.parent / "absent" / "bracket.stl"), TEXT)
    remove_note(stl)
    assert list(stl.parent.iterdir()) == []


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=255))
def test_the_name_of_a_note_always_fits(stem: str) -> None:
    stl = Path("/share/done") / f"{stem}.stl"
    note = note_path(stl)
    assert len(note.name.encode()) <= 255
    assert note.name.endswith(".stl.txt")
    if len(stl.name.encode()) <= 251:
        assert note.name == f"{stl.name}.txt"


def test_long_names_that_differ_at_their_end_have_notes_of_their_own() -> None:
    first, second = (note_path(Path("x" * 250 + number + ".stl")) for number in "12")
    assert first != second
