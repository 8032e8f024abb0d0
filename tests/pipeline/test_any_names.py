"""Any name that a file system takes: control characters, bytes that are no UTF-8, names at the limit.

From the inbox through processing/ into an outcome folder, onto names that are taken, with notes beside them:
nothing crashes, no byte is lost, and nothing of others is touched.
"""

import hashlib
import os
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workflow.intake import (
    FileRoots,
    Outcome,
    Share,
    claim_file,
    copy_to_spool,
    exists_in_share,
    is_part_file,
    is_utf8,
    plan_and_move,
    printable_path,
)
from workflow.intake.moves import INBOX_FOLDER
from workflow.ledger import Ledger
from workflow.model import SubmissionState
from workflow.notes import is_note, note_path, remove_note, write_note
from workflow.pipeline.recovery import recover_claims

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")

NUMBER = 123_456
ODD = b"\n\t\r\x1b\x7f\x80\xe9\xff\xed\xa0\x80 ~.()[]%_'\"\\*?:"
letters = st.one_of(
    st.binary(min_size=1, max_size=1), st.sampled_from([ODD[i : i + 1] for i in range(len(ODD))])
)
long_ones = st.builds(lambda letter, times: letter * times, letters, st.integers(200, 251))
stems = st.one_of(st.lists(letters, min_size=1, max_size=40).map(b"".join), long_ones)


def named(stem: bytes, ending: bytes = b"") -> str:
    """Return a name of at most 255 bytes as Python shows it: bytes that are no UTF-8 as lone surrogates."""
    plain = stem.replace(b"/", b"-").replace(b"\0", b"-")[: 255 - len(ending)]
    return os.fsdecode(plain + ending)


folders = stems.map(named).filter(lambda name: name not in {".", ".."})
files = stems.map(lambda stem: named(stem, b".stl")).filter(is_part_file)


@given(folders, files)
@example("größe", "ü" * 125 + "n.stl")
@example(os.fsdecode(b"\xff" * 255), os.fsdecode(b"\xe9" * 251 + b".stl"))
@example("a\nb", "17~a\x7f\t.stl")
def test_a_file_of_any_name_goes_its_way(folder: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as top:
        share = Share(Path(top), owner="a1b2c3")
        share.prepare()
        (share.inbox / folder).mkdir()
        (share.inbox / folder / name).write_bytes(b"mine")
        path = f"{folder}/{name}"
        claimed_as = claim_file(share, path, NUMBER)
        assert claimed_as is not None
        assert is_utf8(claimed_as)
        spooled = copy_to_spool(share.root / claimed_as, Path(top) / "copy", FileRoots(share=share.root))
        assert spooled.sha256 == hashlib.sha256(b"mine").hexdigest()
        others = _taken_by_others(share, path)
        stands = plan_and_move(share, claimed_as, printable_path(path), Outcome.DONE)
        _has_a_note_beside_others(share.root / stands)
        assert (share.root / stands).read_bytes() == b"mine"
        assert {other: other.read_bytes() for other in others} == dict.fromkeys(others, b"theirs")
        back = plan_and_move(share, stands, printable_path(path), INBOX_FOLDER)
        assert (share.root / back).read_bytes() == b"mine"


def _taken_by_others(share: Share, path: str) -> list[Path]:
    """Take the names that the file and its note want."""
    wanted = share.root / Outcome.DONE / Path(*printable_path(path).split("/"))
    shortened = [
        plan_and_move(share, _made(share, number), printable_path(path), Outcome.DONE) for number in range(2)
    ]
    assert len(set(shortened)) == 2, wanted
    return [share.root / each for each in shortened]


def _made(share: Share, number: int) -> str:
    made = f"processing/{number}~theirs.stl"
    (share.root / made).write_bytes(b"theirs")
    return made


def _has_a_note_beside_others(stl: Path) -> None:
    note_path(stl).write_bytes(b"their own remarks")
    for _ in range(2):  # the second replaces the first
        note = write_note(note_path(stl), f"stlflow note: {stl.name}")
        assert note != note_path(stl)
    assert is_note(note)
    remove_note(stl)
    assert not note.exists()
    assert note_path(stl).read_bytes() == b"their own remarks"


@given(folders, files)
@example(os.fsdecode(b"\xff" * 255), os.fsdecode(b"\xe9" * 251 + b".stl"))
def test_a_ledger_takes_any_name_and_finds_its_claim_again(folder: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as top, closing(Ledger(f"sqlite:///{top}/ledger.db")) as ledger:
        share = Share(Path(top) / "share", owner="a1b2c3")
        share.prepare()
        path = printable_path(f"{folder}/{name}")
        ledger.mass_arrival.add([path])
        assert ledger.mass_arrival.read_paths() == {path: False}
        ledger.mass_arrival.remove([path])
        (share.inbox / folder).mkdir()
        (share.inbox / folder / name).write_bytes(b"mine")
        number = ledger.open(path)
        claimed_as = claim_file(share, f"{folder}/{name}", number)  # and here it dies
        (share.processing / folder).mkdir()
        (share.processing / folder / name).write_bytes(b"by hand")
        recover_claims(ledger, share)
        (submission,) = ledger.all()
        assert (submission.claimed_as, submission.path) == (claimed_as, path)
        ledger.update_submission(submission, state=SubmissionState.CANCELED, step=None, due_at=None)
        recover_claims(ledger, share)
        assert exists_in_share(share, claimed_as or "")
        assert [found.read_bytes() for found in share.inbox.rglob("*.stl")] == [b"by hand"]
