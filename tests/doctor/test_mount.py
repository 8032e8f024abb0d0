"""Kinds of file systems, and whether their changes are told."""

import sys
from pathlib import Path

import pytest

from tests.doctor.conftest import Look
from workflow.doctor import Check, Grade
from workflow.doctor.mount import check_change_events, judge_file_system, judge_watch_limit
from workflow.intake import count_folders, file_system_type, mount_options

MOUNTINFO = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:44 / /mnt/my\\040parts rw,nosuid - cifs //nas/parts rw,vers=3.1.1,actimeo=1,username=shop
41 22 0:45 / /mnt/nfs ro,relatime - nfs4 nas:/parts rw,vers=4.2,acregmin=3,acregmax=60
"""


@pytest.mark.parametrize(
    ("kind", "options", "grade", "says"),
    [
        ("ext4", (), Grade.OK, "ext4: local. Changes are reported at once, and scans run every 2 s."),
        (None, (), Grade.OK, "A file system of unknown kind: local. Changes"),
        (
            "fuse.sshfs",
            (),
            Grade.OK,
            "fuse.sshfs: a network or foreign mount. It does not report what others",
        ),
        ("cifs", ("rw", "actimeo=1"), Grade.OK, "it is scanned every 5 s, and files must be unchanged"),
        ("cifs", ("rw",), Grade.WARN, "; sizes may be cached for a minute by the mount."),
        ("nfs4", ("acregmax=60",), Grade.WARN, "; sizes are cached for 60 s by the mount."),
        ("nfs4", ("acregmax=²",), Grade.WARN, "; sizes may be cached for a minute by the mount."),
    ],
)
def test_what_a_kind_means(kind: str | None, options: tuple[str, ...], grade: Grade, says: str) -> None:
    found = judge_file_system(kind, options, 2.0, 5.0)
    assert found.grade is grade
    assert says in found.says
    assert found.fix == (
        "Mount it with actimeo=1, or run stlflow on the file server itself." if grade is Grade.WARN else ""
    )


def test_options_of_a_mount_are_read(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTINFO)
    assert file_system_type(Path("/mnt/my parts/inbox"), mounts) == "cifs"
    assert "actimeo=1" in mount_options(Path("/mnt/my parts/inbox"), mounts)
    assert mount_options(Path("/mnt/nfs"), mounts)[:2] == ("ro", "relatime")
    assert mount_options(Path("/mnt/nfs"), tmp_path / "nothing") == ()


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
def test_a_notice_comes_and_is_measured(look: Look, tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    heard = look([Check("share.notices", "", lambda: check_change_events(tmp_path / "inbox"))]).select(
        "share.notices"
    )
    assert heard.grade is Grade.OK
    assert heard.says.startswith("The system reported a test file within ")


def test_watched_folders_against_the_limit(tmp_path: Path) -> None:
    for name in ("a/b", "a/c", "@eaDir"):
        (tmp_path / "inbox" / name).mkdir(parents=True)
    (tmp_path / "inbox" / "link").symlink_to(tmp_path)
    assert count_folders(tmp_path / "inbox") == 5
    few = judge_watch_limit(5, 8)
    assert (few.grade, few.says, few.fix) == (
        Grade.WARN,
        "5 folders in the inbox; 8 may be watched by one user.",
        "`sysctl fs.inotify.max_user_watches=524288`",
    )
    assert judge_watch_limit(5, 10).grade is Grade.OK
