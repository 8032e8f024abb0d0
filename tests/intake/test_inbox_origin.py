"""What a folder is called on every machine: by its share's marker, by its server, or by this machine."""

from pathlib import Path

import pytest

from workflow.intake import folder_origin, make_marker

MOUNTS = r"""22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
36 22 0:52 / /mnt/nas rw,relatime shared:2 - nfs4 nas:/export rw,vers=4.2
37 22 0:52 /cad /mnt/cad rw,relatime shared:2 - nfs4 nas:/export/ rw,vers=4.2
38 22 0:53 / /mnt/z\040drive rw,relatime shared:3 - cifs //nas/cad rw,vers=3.1.1
39 22 0:54 / /mnt/tmp rw - tmpfs tmpfs rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS, "utf-8")
    return mounts


def test_a_share_is_called_by_its_marker_wherever_it_is_mounted(tmp_path: Path) -> None:
    for place in ("mnt", "Z"):
        (tmp_path / place / "exports" / "rush").mkdir(parents=True)
        make_marker(tmp_path / place, "ab" * 16)
        (tmp_path / f"link to {place}").symlink_to(tmp_path / place / "exports")
    named = f"share {'ab' * 16}"
    assert folder_origin(tmp_path / "mnt" / "exports" / "rush", "here") == f"{named}/exports/rush"
    assert folder_origin(tmp_path / "Z" / "exports" / "rush", "there") == f"{named}/exports/rush"
    assert folder_origin(tmp_path / "link to Z" / "rush", "there") == f"{named}/exports/rush"
    assert folder_origin(tmp_path / "mnt", "here") == named


@pytest.mark.parametrize(
    ("folder", "origin"),
    [
        ("/mnt/nas/cad/rush", "nas:/export/cad/rush"),
        ("/mnt/cad/rush", "nas:/export/cad/rush"),
        ("/mnt/nas", "nas:/export"),
        ("/mnt/z drive/rush", "//nas/cad/rush"),
        ("/mnt/tmp/rush", "here:/mnt/tmp/rush"),
        ("/srv/rush", "here:/srv/rush"),
    ],
)
def test_without_a_marker_the_server_names_it_and_a_local_disk_is_this_machines(
    mounts: Path, folder: str, origin: str
) -> None:
    assert folder_origin(Path(folder), "here", mounts) == origin


def test_where_nobody_can_tell_it_is_this_machines(tmp_path: Path) -> None:
    assert folder_origin(Path("/mnt/nas"), "here", tmp_path / "none") == "here:/mnt/nas"
