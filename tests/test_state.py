"""The state folder: local, writable, and for one stlflow at a time."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from workflow.errors import StateFolderError
from workflow.state_folder import (
    is_state_folder_locked,
    locked_database,
    locked_state_folder,
    network_file_system,
    prepare_state_folder,
    read_home_id,
)

MOUNTS = """\
/dev/vda / ext4 rw 0 0
//nas/parts /mnt/parts cifs rw 0 0
nas:/vol /mnt/with\\040blank nfs4 rw 0 0
me@host: /mnt/ssh fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/var/lib/stlflow", None),
        ("/mnt/parts", "cifs"),
        ("/mnt/parts/deep/down", "cifs"),
        ("/mnt/with blank/x", "nfs4"),
        ("/mnt/ssh/x", "fuse.sshfs"),
        ("/mnt/partsandmore", None),
    ],
)
def test_network_file_systems_are_known_by_their_type(tmp_path: Path, place: str, kind: str | None) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert network_file_system(Path(place), mounts) == kind


def test_a_state_folder_in_the_share_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateFolderError, match=r"is in the share\. Set STLFLOW_STATE to a local folder\."):
        prepare_state_folder(tmp_path / "share" / "state", tmp_path / "share")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_into_the_share_is_no_way_around(tmp_path: Path) -> None:
    (tmp_path / "share" / "state").mkdir(parents=True)
    (tmp_path / "state").symlink_to(tmp_path / "share" / "state")
    with pytest.raises(StateFolderError, match="is in the share"):
        prepare_state_folder(tmp_path / "state", tmp_path / "share")


def test_the_name_of_a_home_stays_and_one_that_a_power_cut_spoiled_is_made_again(tmp_path: Path) -> None:
    name = read_home_id(tmp_path)
    assert (len(name), read_home_id(tmp_path)) == (32, name)
    for spoiled in (b"", b"\xff\0" * 16):
        (tmp_path / "home").write_bytes(spoiled)
        again = read_home_id(tmp_path)
        assert (len(again), read_home_id(tmp_path)) == (32, again)


def test_a_start_waits_for_one_who_only_looks_whether_the_lock_is_free(tmp_path: Path) -> None:
    looks = FileLock(tmp_path / "lock", thread_local=False)
    looks.acquire()
    threading.Timer(0.1, looks.release, {"force": True}).start()
    with locked_state_folder(tmp_path):
        assert is_state_folder_locked(tmp_path)


def test_looking_for_a_service_makes_nothing(tmp_path: Path) -> None:
    assert not is_state_folder_locked(tmp_path / "state")
    assert not (tmp_path / "state").exists()


def test_a_state_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("not a folder")
    with pytest.raises(StateFolderError, match="can't be written: "):
        prepare_state_folder(tmp_path / "state", tmp_path / "share")


def test_one_at_a_time_between_processes(tmp_path: Path) -> None:
    prepare_state_folder(tmp_path / "state", tmp_path / "share")
    holder = (
        "import sys; from pathlib import Path; from workflow.state_folder import locked_state_folder\n"
        "with locked_state_folder(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", holder, str(tmp_path / "state")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert is_state_folder_locked(tmp_path / "state")
        with (
            pytest.raises(StateFolderError, match="Another stlflow is running on the state folder"),
            locked_state_folder(tmp_path / "state"),
        ):
            pass
        process.kill()
    assert not is_state_folder_locked(tmp_path / "state")


def test_a_sqlite_file_that_the_settings_name_belongs_to_one_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    with locked_database(url):
        with (
            pytest.raises(StateFolderError, match=r"Another stlflow is running on the database .*shared\.db"),
            locked_database(url),
        ):
            pass
        with locked_database("postgresql://db/stlflow"), locked_database("postgresql://db/stlflow"):
            pass
    with locked_database(url), locked_database(None):
        pass
