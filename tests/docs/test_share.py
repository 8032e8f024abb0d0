"""The lines of docs/share.md for other programs: Samba and mount read them, with options that exist."""

import subprocess
from pathlib import Path
from shutil import which

import pytest

from tests.docs.blocks import ROOT, blocks

DOCUMENTED = {
    "credentials", "uid", "gid", "file_mode", "dir_mode", "noserverino",  # mount.cifs(8)
    "hard",  # nfs(5)
    "noatime", "_netdev", "nofail",  # mount(8)
    "x-systemd.automount",  # systemd.mount(5)
}  # fmt: skip
INI = [block.text for block in blocks("ini") if block.document == ROOT / "docs" / "share.md"]
SAMBA = next(text for text in INI if text.startswith("["))
FSTAB = [text for text in INI if not text.startswith("[")]


def test_every_mount_option_is_documented() -> None:
    kinds = set[str]()
    for line in FSTAB:
        _source, _target, kind, options, *checks = line.split()
        kinds.add(kind)
        assert {option.partition("=")[0] for option in options.split(",")} <= DOCUMENTED
        assert checks == ["0", "0"]
    assert kinds == {"cifs", "nfs4"}


@pytest.mark.skipif(which("findmnt") is None, reason="findmnt of util-linux is missing")
@pytest.mark.parametrize("line", FSTAB)
def test_mount_reads_the_line(line: str, tmp_path: Path) -> None:
    table = tmp_path / "fstab"
    table.write_text(line.replace("/mnt/stl", str(tmp_path)), "utf-8")
    done = subprocess.run(
        ["findmnt", "--verify", "--tab-file", str(table)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "0 parse errors" in done.stdout or "Success" in done.stdout) == (0, True), done


@pytest.mark.skipif(which("testparm") is None, reason="testparm of Samba is missing")
def test_samba_reads_its_section(tmp_path: Path) -> None:
    section = tmp_path / "smb.conf"
    section.write_text(SAMBA, "utf-8")
    done = subprocess.run(["testparm", "-s", str(section)], capture_output=True, text=True, check=False)
    assert (done.returncode, "Loaded services file OK." in done.stderr) == (0, True), done.stderr
    assert not {"unknown", "ignoring", "error"} & set(done.stderr.lower().split()), done.stderr
    for line in filter(None, map(str.strip, SAMBA.splitlines()[1:])):
        assert line.partition(" =")[0] in done.stdout
