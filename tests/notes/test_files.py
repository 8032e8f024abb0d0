import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.model import HoldReason, Submission, SubmissionState
from workflow.notes import (
    DecisionWays,
    files,
    has_note_of,
    is_note_about,
    note_path,
    orphan_notes,
    remove_note,
    remove_notes_left,
    remove_orphan_note,
    remove_submission_note,
    submission_note_text,
    write_note,
)

TEXT = "stlflow note: submission 17\n\nbracket.stl was REJECTED: größer als 525 mm.\n"
SEAL = "\n(stlflow 7f5d5a3b. Remarks below this line are kept.)\n"


@pytest.fixture
def stl(tmp_path: Path) -> Path:
    (tmp_path / "rejected").mkdir()
    return tmp_path / "rejected" / "bracket.stl"


def test_a_note_opens_in_any_editor(stl: Path) -> None:
    place = write_note(note_path(stl), TEXT)
    assert place == stl.with_name("bracket.stl.txt")
    content = place.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfstlflow note: submission 17\r\n\r\n")
    assert content.decode("utf-8-sig").replace("\r\n", "\n") == TEXT + SEAL
    assert [path.name for path in stl.parent.iterdir()] == ["bracket.stl.txt"]


def test_an_older_note_is_replaced(stl: Path) -> None:
    write_note(note_path(stl), TEXT)
    write_note(note_path(stl), TEXT.replace("17", "18"))
    assert "submission 18" in note_path(stl).read_text("utf-8-sig")
    assert len(list(stl.parent.iterdir())) == 1


def test_someone_elses_file_is_never_touched(stl: Path) -> None:
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
    with pytest.raises(FileExistsError, match=r"^9 other files are where bracket.stl.txt should be$"):
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
    assert lengths <= {len(TEXT + SEAL), len(TEXT * 500 + SEAL)}


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


def add_remark(note: Path) -> str:
    """Write below the note as Notepad does."""
    text = note.read_bytes().decode("utf-8-sig") + "Ann: asked the customer, wait for Monday.\r\n"
    note.write_bytes(text.encode("utf-8-sig"))
    return text


def test_remarks_in_a_note_survive(stl: Path) -> None:
    write_note(note_path(stl), TEXT)
    remarked = add_remark(note_path(stl))
    for number in ("18", "19"):
        assert write_note(note_path(stl), TEXT.replace("17", number)).name == "bracket.stl (2).txt"
    assert "submission 19" in stl.with_name("bracket.stl (2).txt").read_text("utf-8-sig")
    remove_note(stl)
    assert [path.name for path in stl.parent.iterdir()] == ["bracket.stl.txt"]
    assert note_path(stl).read_bytes().decode("utf-8-sig") == remarked


@pytest.mark.parametrize("change", [("REJECTED", "fine"), ("525 mm.", "525 mm. No!"), ("(stlflow", "(Ann")])
def test_a_note_that_a_person_has_changed_is_theirs(stl: Path, change: tuple[str, str]) -> None:
    write_note(note_path(stl), TEXT)
    text = note_path(stl).read_bytes().decode("utf-8-sig").replace(*change)
    note_path(stl).write_bytes(text.encode("utf-8-sig"))
    theirs = change[0] != "(stlflow"
    remove_note(stl)
    assert note_path(stl).exists() is theirs


def test_a_persons_copy_of_a_note_with_their_own_words_is_theirs(stl: Path) -> None:
    write_note(note_path(stl), TEXT)
    own = stl.with_name("mine.stl.txt")
    own.write_text(note_path(stl).read_text("utf-8-sig").replace("REJECTED", "printed twice"), "utf-8")
    assert write_note(note_path(stl.with_name("mine.stl")), TEXT).name == "mine.stl (2).txt"
    assert "printed twice" in own.read_text("utf-8")


def test_notes_whose_file_went_away_are_found(stl: Path) -> None:
    for name in ("here.stl", "gone.stl", "remarked.stl"):
        write_note(note_path(stl.with_name(name)), TEXT)
    stl.with_name("here.stl").touch()
    add_remark(stl.with_name("remarked.stl.txt"))
    stl.with_name("own.stl.txt").write_text("mine")
    assert [note.name for note in orphan_notes(stl.parent)] == ["gone.stl.txt"]


def test_a_note_whose_file_comes_back_as_it_is_removed_stays(
    stl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_note(note_path(stl), TEXT)
    look = files.is_note_alone

    def look_and_be_late(place: Path) -> bool:
        alone = look(place)
        monkeypatch.undo()
        stl.touch()
        write_note(note_path(stl), TEXT.replace("17", "18"))
        return alone

    monkeypatch.setattr(files, "is_note_alone", look_and_be_late)
    remove_orphan_note(note_path(stl))
    assert sorted(each.name for each in stl.parent.iterdir()) == ["bracket.stl", "bracket.stl.txt"]
    assert has_note_of(stl, 18)


@pytest.mark.parametrize("remark", ["", "my remark"])
def test_a_note_that_comes_while_an_older_one_is_set_aside_takes_its_place(
    stl: Path, monkeypatch: pytest.MonkeyPatch, remark: str
) -> None:
    write_note(note_path(stl), TEXT)
    rename = Path.rename

    def write_and_rename(place: Path, aside: Path) -> Path:
        monkeypatch.undo()
        place.write_bytes(place.read_bytes() + remark.encode())
        moved = rename(place, aside)
        stl.touch()
        write_note(note_path(stl), TEXT.replace("17", "18"))
        return moved

    monkeypatch.setattr(Path, "rename", write_and_rename)
    remove_notes_left(stl)
    remarks = [stl.with_name("bracket.stl (2).txt")] if remark else []
    assert sorted(stl.parent.iterdir()) == sorted([stl, note_path(stl), *remarks])
    assert "submission 18" in note_path(stl).read_text("utf-8-sig")
    assert all(remark in place.read_text("utf-8-sig") for place in remarks)


def test_a_note_that_replaces_the_removed_one_stays(stl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_note(note_path(stl), TEXT)
    look = files.note_title

    def look_and_be_late(place: Path) -> str | None:
        title = look(place)
        monkeypatch.undo()
        write_note(note_path(stl), TEXT.replace("17", "18"))
        return title

    monkeypatch.setattr(files, "note_title", look_and_be_late)
    remove_submission_note(stl, 17)
    assert [each.name for each in stl.parent.iterdir()] == ["bracket.stl.txt"]
    assert has_note_of(stl, 18)


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes")
def test_a_pipe_in_place_of_a_note_stops_nobody(stl: Path) -> None:
    os.mkfifo(note_path(stl))
    assert write_note(note_path(stl), TEXT).name == "bracket.stl (2).txt"


@pytest.mark.parametrize("command", ["stlflow", "stlflow -C /srv/stlflow"])
def test_a_note_is_known_by_its_reason_however_commands_are_written_in_it(stl: Path, command: str) -> None:
    reason = "No sliced build in Eiger holds this part. Name one with `stlflow attach 17 BUILD`."
    submission = Submission(
        17, "bracket.stl", SubmissionState.HELD, datetime.now(UTC),
        sha256="0" * 64, hold=HoldReason.BUILD, reason=reason,
    )  # fmt: skip
    ways = DecisionWays(command, by_moving=True)
    place = write_note(note_path(stl), submission_note_text(submission, (), ways=ways))
    assert is_note_about(place, submission, ways)
    assert not is_note_about(place, replace(submission, reason="Something else."), ways)
