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
    """Mark a folder as a share, unless it is one; gives the id that stands there. Raises OSError."""
    with suppress(FileExistsError), (root / MARKER).open("x", encoding="ascii", newline="\n") as file:
        file.write(f"{share_id or secrets.token_hex(16)}\n{_WORDS}")
    found = read_marker(root)
    if found is None:  # empty after a power cut, or somebody's own file
        (root / MARKER).unlink()
        return make_marker(root, share_id)
    return found
