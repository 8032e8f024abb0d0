"""The marker: a small file that proves that a folder is the right share, and not an empty mount point."""

import re
import secrets
from contextlib import suppress
from pathlib import Path

MARKER = ".stlflow-share"
_WORDS = "stlflow knows this share by the line above. Please leave the file here.\n"
_ID = re.compile(r"[0-9a-f]{32}")
_MOST_BYTES = 64


def read_marker(root: Path) -> str | None:
    """Give the id of a share; None where there is no marker. Raises OSError when it can't be read."""
    try:
        with (root / MARKER).open("rb") as file:
            found = _ID.match(file.read(_MOST_BYTES).decode("ascii", errors="replace"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found[0] if found else None


def make_marker(root: Path, share_id: str | None = None) -> str:
    """Mark a folder as a share, unless it is one; gives the id that stands there. Raises OSError.

    The marker appears whole: of several services that mark a share at once, all get the same id.
    """
    if (found := read_marker(root)) is not None:
        return found
    ours = root / f"{MARKER}.{secrets.token_hex(4)}"
    try:
        ours.write_text(f"{share_id or secrets.token_hex(16)}\n{_WORDS}", encoding="ascii", newline="\n")
        _put_unless_there(ours, root / MARKER)
        if read_marker(root) is None:  # empty after a power cut, or somebody's own file
            ours.replace(root / MARKER)
    finally:
        ours.unlink(missing_ok=True)
    return make_marker(root, share_id)  # what stands there now, whoever put it there


def _put_unless_there(ours: Path, marker: Path) -> None:
    with suppress(FileExistsError):
        try:
            marker.hardlink_to(ours)
        except FileExistsError:
            return
        except OSError:  # a file system without hard links
            with marker.open("xb") as file:
                file.write(ours.read_bytes())
