"""Files out of archives that strangers made: zip (wheels), tar (npm) and Debian packages.

Only regular files are read, each up to a fixed size whatever the archive says of it, and nothing is ever
unpacked by its own path: `safe_place` says where a file may go.
"""

import stat
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

MOST_BYTES = 300_000_000
"""Of one file: larger ones are left out."""
MOST_FILES = 5_000

File = tuple[str, bytes]
"""Its path in the archive, and what it holds."""


def safe_place(inner: str) -> PurePosixPath | None:
    """Return a path below some folder, or None for one that leads elsewhere on any system."""
    place = PurePosixPath(inner)
    is_strange = any(character in inner for character in '\\:*?"<>|') or not inner.isprintable()
    if place.is_absolute() or ".." in place.parts or is_strange or not place.parts:
        return None
    return place


def files_in(archive: Path, ending: str) -> Iterator[File]:
    """Return the regular files with this ending, in any case, as long as they are not too large or many.

    Raises OSError, ValueError or the errors of tarfile and zipfile for a broken archive.
    """
    reader = {".whl": _in_zip, ".zip": _in_zip, ".deb": _in_deb}.get(archive.suffix, _in_tar)
    for count, file in enumerate(reader(archive, ending)):
        if count == MOST_FILES:
            raise ValueError(f"{archive.name}: more than {MOST_FILES:,} files with {ending}")
        yield file


def _in_zip(archive: Path, ending: str) -> Iterator[File]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if not info.is_dir() and kind in {0, stat.S_IFREG} and info.filename.lower().endswith(ending):
                with opened.open(info) as file:
                    yield from _read(info.filename, file)


def _in_tar(archive: Path, ending: str) -> Iterator[File]:
    with archive.open("rb") as opened:
        yield from _in_tar_stream(opened, ending)


def _in_deb(archive: Path, ending: str) -> Iterator[File]:
    command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield from _in_tar_stream(process.stdout, ending)
    if process.returncode:
        raise OSError(f"{archive.name}: dpkg-deb ended with exit code {process.returncode}")


def _in_tar_stream(stream: IO[bytes], ending: str) -> Iterator[File]:
    with tarfile.open(fileobj=stream, mode="r|*") as opened:
        for member in opened:
            if member.isreg() and member.name.lower().endswith(ending):
                file = opened.extractfile(member)
                assert file is not None
                yield from _read(member.name, file)


def _read(inner: str, file: IO[bytes]) -> Iterator[File]:
    content = file.read(MOST_BYTES + 1)
    if len(content) <= MOST_BYTES:
        yield inner, content
