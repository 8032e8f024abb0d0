"""The state folder as the checkup sees it."""

import os
from pathlib import Path

import pytest

from tests.disks import fill, read_only, small_disk
from tests.doctor.conftest import Look
from workflow.doctor import Grade
from workflow.doctor.machine import file_owner, state_checks
from workflow.settings import Settings, load_settings
from workflow.state_folder import locked_state_folder, prepare_state_folder


def test_a_new_shop_is_well(look: Look, context: Settings) -> None:
    assert set(look(state_checks(context)).grades().values()) == {Grade.OK}


def test_before_the_first_start_nothing_is_made(look: Look, tmp_path: Path) -> None:
    seen = look(state_checks(load_settings()))
    assert seen.select("state").says == f"{tmp_path / 'state'} is not there yet."
    assert seen.select("state.rights").grade is Grade.SKIP


def test_a_state_folder_in_the_share_is_a_wrong_setting(look: Look, context: Settings) -> None:
    inside = look(state_checks(context.model_copy(update={"state": Path("share/state")}))).select("state")
    assert inside.says == (
        "The state folder share/state is in the share. Set STLFLOW_STATE to a local folder."
    )
    assert inside.exit_code == 2


def test_a_file_in_its_place(look: Look) -> None:
    Path("state").write_text("no folder")
    assert (
        look(state_checks(load_settings()))
        .select("state")
        .says.endswith("state is a file, and has to be a folder.")
    )


def test_a_running_stlflow_is_reported_and_not_disturbed(look: Look, context: Settings) -> None:
    assert (
        look(state_checks(context)).select("state.running").says
        == "stlflow does not run on this state folder."
    )
    prepare_state_folder(context.state, context.share)
    with locked_state_folder(context.state):
        beside = look(state_checks(context)).select("state.running")
    assert beside.says == "stlflow runs on this state folder. A second one would be refused."


def test_a_read_only_state_folder(look: Look, context: Settings, tmp_path: Path) -> None:
    with read_only(tmp_path / "state"):
        rights = look(state_checks(context)).select("state.rights")
    assert rights.says == (
        f"A probe file in the state folder's state ({tmp_path / 'state'}) can't be written: "
        "Read-only file system."
    )
    assert rights.fix == "It is mounted read-only. Mount it for writing."


def test_a_full_disk(look: Look, context: Settings, tmp_path: Path) -> None:
    with small_disk(tmp_path / "state", 1):
        fill(tmp_path / "state")
        seen = look(state_checks(context))
    assert seen.select("state.rights").says.endswith("can't be written: No space left on device.")
    assert seen.select("state.rights").fix.startswith("Make room there")
    assert seen.select("state.space").says == "0 MB free beside the state folder: stlflow stops below 64 MB."


def test_a_disk_without_inodes(look: Look, context: Settings, tmp_path: Path) -> None:
    with small_disk(tmp_path / "state", 80, "nr_inodes=2"):
        (tmp_path / "state" / "the last one").touch()
        seen = look(state_checks(context))
    assert [each.says for each in seen.of("state.space")] == [
        "80 MB free beside the state folder, and 256 MB may be needed for the database and logs "
        "(the spool holds 0 copies of parts now).",
        "No more files fit beside the state folder: the disk has no inodes left.",
    ]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root may give files away")
def test_files_that_a_command_of_root_left_behind(look: Look, context: Settings, tmp_path: Path) -> None:
    (tmp_path / "state" / "stlflow.db-wal").touch()
    os.chown(tmp_path / "state", 65534, 65534)
    root, strange = look(state_checks(context)).of("state.owners")
    name = "nobody"
    assert root.says == (
        f"You are root, and {tmp_path / 'state'} belongs to {name}: the checks use your rights."
    )
    assert root.fix == f"Run it as the service's user: `sudo -u {name} stlflow doctor`."
    assert strange.grade is Grade.FAIL
    assert strange.says == (
        f"1 file in {tmp_path / 'state'} does not belong to {name} as the folder does: "
        "stlflow.db-wal belongs to root."
    )


def test_a_file_that_is_gone_meanwhile_belongs_to_nobody(tmp_path: Path) -> None:
    assert file_owner(tmp_path / "spool" / "taken since") is None
    assert file_owner(tmp_path) == tmp_path.stat().st_uid


def test_a_folder_that_others_can_read_is_reported(look: Look, context: Settings) -> None:
    context.state.chmod(0o755)
    found = look(state_checks(context)).select("state.privacy")
    assert found.grade is Grade.WARN
    assert found.fix == f"`chmod -R go= {context.state.absolute()}`"
