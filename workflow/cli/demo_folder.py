"""The folder of a demo: removed afterwards, unless something went wrong or it holds the user's own files."""

import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from workflow.intake.share import MARKER
from workflow.notes import is_note


def remove_demo_files(place: Path, samples: Iterable[Path]) -> bool:
    """Remove what a demo made, and nothing else; True if everything is removed.

    Copies of the samples, notes and folders are removed one by one: a file that is dropped at the last
    moment stays, with its folders.
    """
    ours = {sample.read_bytes() for sample in samples}
    shutil.rmtree(place / "state", ignore_errors=True)
    share = place / "share"
    for found in sorted(share.rglob("*"), key=lambda found: len(found.parts), reverse=True):
        with suppress(OSError):  # what can't be removed stays, and is told
            if _is_folder(found):
                found.rmdir()
            elif found.name == MARKER or is_note(found) or _is_sample_copy(found, ours):
                found.unlink()
    for folder in (share, place):
        with suppress(OSError):
            folder.rmdir()
    return not place.exists()


def _is_folder(place: Path) -> bool:
    return stat.S_ISDIR(place.lstat().st_mode)


def _is_sample_copy(file: Path, contents: set[bytes]) -> bool:
    status = file.lstat()
    sizes = {len(content) for content in contents}
    return stat.S_ISREG(status.st_mode) and status.st_size in sizes and file.read_bytes() in contents
