"""The share as the checkup sees it: really written to, and left as it was."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.disks import fill, read_only, small_disk
from tests.doctor.conftest import Look
from tests.stl import box
from workflow.doctor import Grade
from workflow.doctor.ledger import LedgerAccess
from workflow.doctor.mount import PROBE_PREFIX, probe_writing, user_name
from workflow.doctor.share import check_share_folders, share_checks
from workflow.intake import NameKind, Share, match_path
from workflow.ledger import LEDGER_NAME_KEY, SHARE_ID_KEY, Ledger, register_worker
from workflow.settings import Settings, load_settings
from workflow.state_folder import locked_state_folder, prepare_state_folder

ALL_ON_ONE = "Put all folders of the share on one disk or mount, with the same rights."


@pytest.fixture
def book(context: Settings) -> Iterator[Ledger]:
    """The ledger of a shop that has run before: it knows its share."""
    prepare_state_folder(context.state, context.share)
    with closing(Ledger(context.database)) as ledger:
        ledger.metadata.write(SHARE_ID_KEY, Share(context.share.absolute()).prepare())
        ledger.metadata.write(LEDGER_NAME_KEY, "aaaaaa")
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


def test_a_new_shop_is_well(look: Look, context: Settings) -> None:
    assert set(look(share_checks(LedgerAccess(context))).grades().values()) == {Grade.OK}


def test_one_that_has_run_is_well(look: Look, context: Settings, book: Ledger) -> None:
    seen = look(share_checks(LedgerAccess(context)))
    assert set(seen.grades().values()) == {Grade.OK}
    assert seen.select("share.marker").says == "The share has the marker that the database knows."


def test_before_init_nothing_is_made(look: Look, tmp_path: Path) -> None:
    missing = look(share_checks(LedgerAccess(load_settings()))).select("share")
    assert (missing.grade, missing.says) == (Grade.WARN, f"{tmp_path / 'share'} is not there yet.")


def test_a_share_that_is_not_mounted(look: Look, tmp_path: Path) -> None:
    away = look(share_checks(LedgerAccess(load_settings(share=tmp_path / "mnt" / "parts")))).select("share")
    assert (away.grade, away.says) == (
        Grade.FAIL,
        f"{tmp_path / 'mnt' / 'parts'} can't be made: {tmp_path / 'mnt'} is missing.",
    )


def test_an_empty_mount_point_is_no_share(
    look: Look, context: Settings, book: Ledger, tmp_path: Path
) -> None:
    (tmp_path / "share").rename(tmp_path / "elsewhere")
    (tmp_path / "share").mkdir()
    seen = look(share_checks(LedgerAccess(context)))
    assert seen.select("share").says == (
        f"{tmp_path / 'share'}: the marker .stlflow-share is missing. Is the right share mounted? "
        "If this is the right folder: `stlflow intake mark`."
    )
    assert seen.select("share.rights").grade is Grade.SKIP


def test_a_folder_that_is_not_marked_yet(look: Look, context: Settings, tmp_path: Path) -> None:
    (tmp_path / "share" / ".stlflow-share").unlink()
    unmarked = look(share_checks(LedgerAccess(context))).select("share.marker")
    assert unmarked.says == f"{tmp_path / 'share'} has no marker yet."
    assert (
        unmarked.fix
        == "The first start makes it. Before that, make sure that the right share is mounted there."
    )


def test_no_probe_is_ever_taken() -> None:
    assert match_path(f"{PROBE_PREFIX}12345678").kind is NameKind.UNFINISHED


def test_an_outcome_folder_on_another_disk(look: Look, context: Settings, tmp_path: Path) -> None:
    with small_disk(tmp_path / "share" / "done", 4):
        found = look(share_checks(LedgerAccess(context))).of("share.moves")
    processing, done, rejected = (tmp_path / "share" / name for name in ("processing", "done", "rejected"))
    assert [each.says for each in found[:2]] == [
        f"{processing} and {done} lie on different file systems, so no file can be moved in one piece. "
        "Put all folders of the share on one disk or mount.",
        f"{done} and {rejected} lie on different file systems, so no file can be moved in one piece. "
        "Put all folders of the share on one disk or mount.",
    ]
    assert found[0].fix == ALL_ON_ONE


def test_a_read_only_mount(look: Look, context: Settings, tmp_path: Path) -> None:
    with read_only(tmp_path / "share"):
        found = look(share_checks(LedgerAccess(context))).of("share.rights")
    assert len(found) == 7
    assert found[1].says == (
        f"A probe file in the share's inbox ({tmp_path / 'share' / 'inbox'}) can't be written: "
        "Read-only file system."
    )


def test_a_full_share(look: Look, context: Settings, tmp_path: Path) -> None:
    with small_disk(tmp_path / "share", 1):
        Share(tmp_path / "share").prepare()
        fill(tmp_path / "share")
        seen = look(share_checks(LedgerAccess(context)))
    assert seen.of("share.rights")[0].says.endswith("can't be written: No space left on device.")
    assert seen.of("share.rights")[0].fix == "Make room there: delete old files, or raise the quota."
    assert seen.select("share.space").grade is Grade.FAIL


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_a_folder_without_the_right_to_write() -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o555)
        with as_nobody():
            (refused,) = probe_writing(Path(place), "the share's held")
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
            (unreadable,) = check_share_folders(
                LedgerAccess(Settings.model_construct(share=Path(place), state=Path(place, "state")))
            )
        locked.chmod(0o755)
    assert unreadable.says == (
        f"{locked} can't be read: Permission denied. Unreadable folders in the inbox: 1."
    )


def test_a_file_where_a_folder_has_to_be(look: Look, context: Settings, tmp_path: Path) -> None:
    (tmp_path / "share" / "held").rmdir()
    (tmp_path / "share" / "held").write_text("no folder")
    wrong = look(share_checks(LedgerAccess(context))).select("share.folders")
    assert wrong.says == f"{tmp_path / 'share' / 'held'} is a file, and has to be a folder."


def test_claims_of_another_ledger(look: Look, context: Settings, book: Ledger, tmp_path: Path) -> None:
    for owner in ("aaaaaa", "bbbbbb", "cccccc"):
        (tmp_path / "share" / "processing" / f"stlflow-{owner}").mkdir()
    for owner in ("aaaaaa", "bbbbbb"):
        (tmp_path / "share" / "processing" / f"stlflow-{owner}" / "1~lid.stl").write_bytes(box())
    strange = look(share_checks(LedgerAccess(context))).select("share.others")
    assert strange.says == "processing/ holds 1 file of another stlflow (stlflow-bbbbbb)."
    assert strange.fix.endswith("`stlflow intake adopt`.")


def test_parts_that_nobody_takes(look: Look, context: Settings, book: Ledger, tmp_path: Path) -> None:
    (tmp_path / "share" / "inbox" / "lid.stl").write_bytes(box())
    register_worker(book, "home", "home", 17, "0.0.9")  # as kill -9 leaves it
    left = look(share_checks(LedgerAccess(context))).select("share.inbox")
    assert (left.says, left.fix) == (
        "1 part file in the inbox, and stlflow does not run.",
        "Start it: `stlflow run`.",
    )
    with locked_state_folder(context.state):
        assert look(share_checks(LedgerAccess(context))).select("share.inbox").grade is Grade.OK


def test_copies_of_what_waits_have_to_fit(look: Look, context: Settings, tmp_path: Path) -> None:
    for number in range(9):
        with (tmp_path / "share" / "inbox" / f"{number}.stl").open("wb") as file:
            file.truncate(8 * 2**20)
    with small_disk(tmp_path / "state", 70):
        tight = look(share_checks(LedgerAccess(context.model_copy(update={"uploads_at_once": 9})))).select(
            "share.copies"
        )
    assert tight.says == (
        "70 MB free beside the state folder, and 72 MB may be needed for copies of the parts in the inbox."
    )


def test_a_read_only_inbox_that_could_be_written_is_only_read(
    look: Look, context: Settings, tmp_path: Path
) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    os.utime(exports, ns=(0, 0))
    look(share_checks(LedgerAccess(context.model_copy(update={"read_only_inbox": exports}))))
    assert exports.stat().st_mtime_ns == 0


def test_a_read_only_inbox_is_only_read(look: Look, context: Settings, tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    with read_only(exports):
        seen = look(share_checks(LedgerAccess(context.model_copy(update={"read_only_inbox": exports}))))
    assert seen.select("share.rights").says == (
        "A probe file was written and removed in share, done, rejected, held, approved."
    )
    assert seen.select("share.notices").grade is Grade.OK
    away = context.model_copy(update={"read_only_inbox": tmp_path / "away"})
    assert (
        look(share_checks(LedgerAccess(away))).select("share.folders").says
        == f"{tmp_path / 'away'} is not there."
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
@pytest.mark.parametrize(
    ("mode", "who"),
    [(0o700, "Only root"), (0o770, "root and group root"), (0o777, "Everyone with access to the share")],
)
def test_who_may_approve_is_shown(look: Look, context: Settings, mode: int, who: str) -> None:
    approved = context.share.absolute() / "approved"
    approved.mkdir(parents=True, exist_ok=True)
    approved.chmod(mode)
    me = user_name(os.geteuid())
    said = look(share_checks(LedgerAccess(context))).select("share.approvers").says
    assert said.startswith(f"{who.replace('root', me, 1)} may write to {approved}")
    off = context.model_copy(update={"decide_by_moving": False})
    assert "false" in look(share_checks(LedgerAccess(off))).select("share.approvers").says
