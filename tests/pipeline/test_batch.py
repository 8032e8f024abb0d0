"""Files of a folder are submitted once, from their places."""

import hashlib
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.states import put_in_state
from tests.stl import box
from workflow.intake import StabilityTimes, UntakenFile
from workflow.ledger import Ledger
from workflow.model import SubmissionState
from workflow.pipeline.batch import folder_files, submit_folder

AT_ONCE = StabilityTimes(
    binary_seconds=0, ascii_seconds=0, wrong_seconds=0, stall_seconds=0, unsure_seconds=0
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "a.stl").write_bytes(box())
    return folder


def submitted(ledger: Ledger, folder: Path, home: str = "home") -> list[int]:
    return list(submit_folder(ledger, home, folder, folder_files(folder, AT_ONCE)))


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
    (first,) = submitted(ledger, folder)
    sha256 = hashlib.sha256(box()).hexdigest()
    put_in_state(ledger, ledger.get(first), sha256=sha256, state=SubmissionState.DISPATCHED)
    assert submitted(ledger, folder) == [first]
    (folder / "a.stl").write_bytes(box(30))
    assert submitted(ledger, folder) != [first]


def test_a_rejected_file_gets_another_try(ledger: Ledger, folder: Path) -> None:
    (first,) = submitted(ledger, folder)
    put_in_state(ledger, ledger.get(first), state=SubmissionState.REJECTED)
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
    files = folder_files(folder, AT_ONCE)
    assert len(list(submit_folder(ledger, "home", folder, files))) == 1
    assert files.untaken == (
        UntakenFile("caf\N{REPLACEMENT CHARACTER}.stl", "Its name holds bytes that are no UTF-8. Rename it."),
    )
    assert odd.is_file()


SHARE = "0123456789abcdef" * 2 + "\n"


def test_the_same_share_mounted_elsewhere_is_not_sent_again(ledger: Ledger, folder: Path) -> None:
    (folder.parent / ".stlflow-share").write_text(SHARE, "ascii")
    (first,) = submitted(ledger, folder)
    sha256 = hashlib.sha256(box()).hexdigest()
    put_in_state(ledger, ledger.get(first), sha256=sha256, state=SubmissionState.DISPATCHED)
    elsewhere = folder.parent / "elsewhere"
    shutil.copytree(folder, elsewhere / "parts")
    (elsewhere / ".stlflow-share").write_text(SHARE, "ascii")
    assert submitted(ledger, elsewhere / "parts", "another home") == [first]
    (elsewhere / "parts" / "a.stl").write_bytes(box(30))
    assert submitted(ledger, elsewhere / "parts", "another home") == [first + 1]


def test_what_another_machine_has_not_read_yet_is_read_here(ledger: Ledger, folder: Path) -> None:
    """That one may be gone for good."""
    (folder / ".stlflow-share").write_text(SHARE, "ascii")
    (first,) = submitted(ledger, folder)
    elsewhere = folder.parent / "elsewhere"
    shutil.copytree(folder, elsewhere)
    assert submitted(ledger, elsewhere, "another home") == [first]
    here = ledger.get(first)
    assert (here.home, here.claimed_as) == ("another home", str(elsewhere / "a.stl"))


def test_the_same_place_on_another_machines_disk_is_another_file(
    ledger: Ledger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it was read it passed for the same: the second machine's file was never sent."""
    (first,) = submitted(ledger, folder)
    monkeypatch.setattr("workflow.pipeline.batch.gethostname", lambda: "another machine")
    assert submitted(ledger, folder, "another home") == [first + 1]


def test_another_state_folder_on_the_same_machine_knows_what_was_sent(ledger: Ledger, folder: Path) -> None:
    (first,) = submitted(ledger, folder)
    assert submitted(ledger, folder, "another home") == [first]


def test_of_two_batches_at_once_one_submits_each_file(postgres_url: str, folder: Path) -> None:
    for number in range(20):
        (folder / f"{number}.stl").write_bytes(box(10 + number))
    ledgers = [Ledger(postgres_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as machines:
        numbers = list(machines.map(lambda ledger: sorted(submitted(ledger, folder)), ledgers))
    assert len(ledgers[0].all()) == 21
    assert numbers == [numbers[0]] * 4
    for ledger in ledgers:
        ledger.close()


def test_what_an_older_release_sent_is_known(ledger: Ledger, folder: Path) -> None:
    number = ledger.open("a.stl")
    ledger.claimed(number, str(folder / "a.stl"), left_in_place=True, home="home")
    assert submitted(ledger, folder) == [number]
