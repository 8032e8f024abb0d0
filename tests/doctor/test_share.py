"""The share as the checkup sees it: really written to, and left as it was."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.disks import fill, read_only, small_disk
from tests.doctor.conftest import Look
from tests.stl import box
from workflow.doctor import Grade
from workflow.doctor.ledger import Book
from workflow.doctor.probe import PROBE, prove_writing
from workflow.doctor.share import folders, share_checks
from workflow.intake import Kind, Share, path_kind
from workflow.ledger import OWN_NAME, SHARE, Ledger, replace_mark
from workflow.settings import Settings, load_settings
from workflow.state import locked_state, prepare_state

ALL_ON_ONE = "All folders of the share belong on one disk or mount, with equal rights."


@pytest.fixture
def book(shop: Settings) -> Iterator[Ledger]:
    """The ledger of a shop that has run before: it knows its share."""
    prepare_state(shop.state, shop.share)
    with closing(Ledger(shop.database)) as ledger:
        replace_mark(ledger, SHARE, Share(shop.share.absolute()).prepare())
        replace_mark(ledger, OWN_NAME, "aaaaaa")
        yield ledger


@contextmanager
def as_nobody() -> Iterator[None]:
    """Have the rights of nobody in particular; root's own know no limits."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_new_shop_is_well(look: Look, shop: Settings) -> None:
    assert set(look(share_checks(Book(shop))).grades().values()) == {Grade.OK}


def test_one_that_has_run_is_well(look: Look, shop: Settings, book: Ledger) -> None:
    seen = look(share_checks(Book(shop)))
    assert set(seen.grades().values()) == {Grade.OK}
    assert seen.only("share.marker").says == "The share bears the marker that the ledger knows."


def test_before_init_nothing_is_made(look: Look, tmp_path: Path) -> None:
    missing = look(share_checks(Book(load_settings()))).only("share")
    assert (missing.grade, missing.says) == (Grade.WARN, f"{tmp_path / 'share'} is not there yet.")


def test_a_share_that_is_not_mounted(look: Look, tmp_path: Path) -> None:
    away = look(share_checks(Book(load_settings(share=tmp_path / "mnt" / "parts")))).only("share")
    assert (away.grade, away.says) == (
        Grade.FAIL,
        f"{tmp_path / 'mnt' / 'parts'} can't be made: {tmp_path / 'mnt'} is missing.",
    )


def test_an_empty_mount_point_is_no_share(look: Look, shop: Settings, book: Ledger, tmp_path: Path) -> None:
    (tmp_path / "share").rename(tmp_path / "elsewhere")
    (tmp_path / "share").mkdir()
    seen = look(share_checks(Book(shop)))
    assert seen.only("share").says == (
        f"{tmp_path / 'share'}: the marker .stlflow-share is missing. Is the right share mounted? "
        "If this is the right folder: `stlflow intake mark`."
    )
    assert seen.only("share.rights").grade is Grade.SKIP


def test_a_folder_that_is_not_marked_yet(look: Look, shop: Settings, tmp_path: Path) -> None:
    (tmp_path / "share" / ".stlflow-share").unlink()
    unmarked = look(share_checks(Book(shop))).only("share.marker")
    assert unmarked.says == f"{tmp_path / 'share'} bears no marker yet."
    assert unmarked.fix == "The first start makes it: see that the right share is mounted there before."


def test_no_probe_is_ever_taken() -> None:
    assert path_kind(f"{PROBE}12345678").kind is Kind.UNFINISHED


def test_an_outcome_folder_on_another_disk(look: Look, shop: Settings, tmp_path: Path) -> None:
    with small_disk(tmp_path / "share" / "done", 4):
        found = look(share_checks(Book(shop))).of("share.moves")
    processing, done, rejected = (tmp_path / "share" / name for name in ("processing", "done", "rejected"))
    assert [each.says for each in found[:2]] == [
        f"{processing} and {done} lie on different file systems, so no file can be moved in one piece. "
        "Put all folders of the share on one disk or mount.",
        f"{done} and {rejected} lie on different file systems, so no file can be moved in one piece. "
        "Put all folders of the share on one disk or mount.",
    ]
    assert found[0].fix == ALL_ON_ONE


def test_a_read_only_mount(look: Look, shop: Settings, tmp_path: Path) -> None:
    with read_only(tmp_path / "share"):
        found = look(share_checks(Book(shop))).of("share.rights")
    assert len(found) == 6
    assert found[1].says == (
        f"A probe file in the share's inbox ({tmp_path / 'share' / 'inbox'}) can't be written: "
        "Read-only file system."
    )


def test_a_full_share(look: Look, shop: Settings, tmp_path: Path) -> None:
    with small_disk(tmp_path / "share", 1):
        Share(tmp_path / "share").prepare()
        fill(tmp_path / "share")
        seen = look(share_checks(Book(shop)))
    assert seen.of("share.rights")[0].says.endswith("can't be written: No space left on device.")
    assert seen.of("share.rights")[0].fix == "Make room there: delete what is old, or raise the quota."
    assert seen.only("share.space").grade is Grade.FAIL


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_a_folder_without_the_right_to_write() -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o555)
        with as_nobody():
            (refused,) = prove_writing(Path(place), "the share's held")
        Path(place).chmod(0o755)
    assert refused.says == (
        f"A probe file in the share's held ({place}) can't be written: Permission denied."
    )
    assert refused.fix.startswith("Give user ")
    assert refused.fix.endswith(" the right to write and delete there.")


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_a_folder_of_the_inbox_that_can_not_be_read() -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        locked = Path(place) / "inbox" / "locked"
        locked.mkdir(parents=True, mode=0o000)
        with as_nobody():
            (unreadable,) = folders(
                Book(Settings.model_construct(share=Path(place), state=Path(place, "state")))
            )
        locked.chmod(0o755)
    assert unreadable.says == (f"{locked} can't be read: Permission denied. 1 folders of the inbox are so.")


def test_a_file_where_a_folder_has_to_be(look: Look, shop: Settings, tmp_path: Path) -> None:
    (tmp_path / "share" / "held").rmdir()
    (tmp_path / "share" / "held").write_text("no folder")
    wrong = look(share_checks(Book(shop))).only("share.folders")
    assert wrong.says == f"{tmp_path / 'share' / 'held'} is a file, and has to be a folder."


def test_claims_of_another_ledger(look: Look, shop: Settings, book: Ledger, tmp_path: Path) -> None:
    for owner in ("aaaaaa", "bbbbbb", "cccccc"):
        (tmp_path / "share" / "processing" / f"stlflow-{owner}").mkdir()
    for owner in ("aaaaaa", "bbbbbb"):
        (tmp_path / "share" / "processing" / f"stlflow-{owner}" / "1~lid.stl").write_bytes(box())
    strange = look(share_checks(Book(shop))).only("share.others")
    assert strange.says == (
        f"Another ledger has files in {tmp_path / 'share' / 'processing'}: stlflow-bbbbbb."
    )


def test_parts_that_nobody_takes(look: Look, shop: Settings, book: Ledger, tmp_path: Path) -> None:
    (tmp_path / "share" / "inbox" / "lid.stl").write_bytes(box())
    left = look(share_checks(Book(shop))).only("share.inbox")
    assert (left.says, left.fix) == (
        "1 part files stand in the inbox, and no stlflow runs.",
        "Start it: `stlflow run`.",
    )
    with locked_state(shop.state):
        assert look(share_checks(Book(shop))).only("share.inbox").grade is Grade.OK


def test_copies_of_what_waits_have_to_fit(look: Look, shop: Settings, tmp_path: Path) -> None:
    for number in range(9):
        with (tmp_path / "share" / "inbox" / f"{number}.stl").open("wb") as file:
            file.truncate(8 * 2**20)
    with small_disk(tmp_path / "state", 70):
        tight = look(share_checks(Book(shop.model_copy(update={"uploads_at_once": 9})))).only("share.copies")
    assert tight.says == (
        "70 MB free beside the state folder, and 72 MB may be needed for copies of the parts in the inbox."
    )


def test_a_read_only_inbox_that_could_be_written_is_only_read(
    look: Look, shop: Settings, tmp_path: Path
) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    os.utime(exports, ns=(0, 0))
    look(share_checks(Book(shop.model_copy(update={"read_only_inbox": exports}))))
    assert exports.stat().st_mtime_ns == 0


def test_a_read_only_inbox_is_only_read(look: Look, shop: Settings, tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    with read_only(exports):
        seen = look(share_checks(Book(shop.model_copy(update={"read_only_inbox": exports}))))
    assert seen.only("share.rights").says == (
        "A probe file was written and removed in share, done, rejected, held."
    )
    assert seen.only("share.notices").grade is Grade.OK
    away = shop.model_copy(update={"read_only_inbox": tmp_path / "away"})
    assert look(share_checks(Book(away))).only("share.folders").says == f"{tmp_path / 'away'} is not there."
