"""Files of a folder are submitted once, from their places."""

import os
import sys
from pathlib import Path

import pytest
from loguru import logger

from tests.stl import box
from workflow.intake import GateTimes
from workflow.ledger import Ledger
from workflow.model import State
from workflow.pipeline.batch import submit_folder

AT_ONCE = GateTimes(binary_seconds=0, ascii_seconds=0, wrong_seconds=0, stall_seconds=0, unsure_seconds=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "a.stl").write_bytes(box())
    return folder


def submitted(ledger: Ledger, folder: Path) -> list[int]:
    return list(submit_folder(ledger, "home", folder, AT_ONCE))


def test_a_file_stays_where_it_is(ledger: Ledger, folder: Path) -> None:
    (number,) = submitted(ledger, folder)
    submission = ledger.get(number)
    assert submission.left_in_place
    assert submission.claimed_as == str(folder / "a.stl")
    assert (folder / "a.stl").read_bytes() == box()


def test_a_batch_that_was_killed_before_it_hashed_goes_on_with_the_same_submission(
    ledger: Ledger, folder: Path
) -> None:
    assert submitted(ledger, folder) == submitted(ledger, folder)


def test_what_was_sent_is_not_sent_again_but_new_content_is(ledger: Ledger, folder: Path) -> None:
    import hashlib

    (first,) = submitted(ledger, folder)
    sha256 = hashlib.sha256(box()).hexdigest()
    ledger.change(ledger.get(first), sha256=sha256, state=State.DISPATCHED)
    assert submitted(ledger, folder) == [first]
    (folder / "a.stl").write_bytes(box(30))
    assert submitted(ledger, folder) != [first]


def test_a_rejected_file_gets_another_try(ledger: Ledger, folder: Path) -> None:
    (first,) = submitted(ledger, folder)
    ledger.change(ledger.get(first), state=State.REJECTED)
    assert submitted(ledger, folder) == [first + 1]


def test_only_part_files_are_taken(ledger: Ledger, folder: Path) -> None:
    (folder / "readme.txt").write_text("no part")
    (folder / "folder.stl").mkdir()
    (folder / "link.stl").symlink_to(folder / "a.stl")
    assert len(submitted(ledger, folder)) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_no_text_is_said_and_the_others_are_taken(ledger: Ledger, folder: Path) -> None:
    odd = folder / os.fsdecode(b"caf\xe9.stl")
    odd.write_bytes(box(11))
    said: list[str] = []
    sink = logger.add(lambda line: said.append(str(line).strip()), format="{message}")
    assert len(submitted(ledger, folder)) == 1
    logger.remove(sink)
    assert said == ["caf\N{REPLACEMENT CHARACTER}.stl is not taken: its name is no text. Rename it."]
    assert odd.is_file()
