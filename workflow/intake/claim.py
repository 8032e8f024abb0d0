"""The claim: one rename takes a file out of the inbox, for exactly one service."""

from workflow.intake.moves import exists, move
from workflow.intake.share import Share


def claim(share: Share, path: str, number: int) -> str | None:
    """Take `path` (under the inbox) into processing/ as `number`; gives its new place under the share.

    None means that somebody else has taken it. The rename becomes durable in `take_custody`. Raises
    OSError when the file could not be moved and stays in the inbox.
    """
    claimed_as = share.claimed_path(path, number)
    return claimed_as if _taken(share, f"inbox/{path}", claimed_as, durable=False) else None


def call_back(share: Share, placed: str, number: int, path: str) -> str:
    """Bring a file back from an outcome folder into processing/; gives its new place under the share.

    May be repeated after a crash. Raises FileNotFoundError when the file is gone, OSError when it
    can't be moved now.
    """
    claimed_as = share.claimed_path(path, number)
    if not _taken(share, placed, claimed_as, durable=True):
        raise FileNotFoundError(f"{placed} is gone")
    return claimed_as


def give_back(share: Share, claimed_as: str, path: str) -> bool:
    """Undo a claim, if the name in the inbox is still free. Raises OSError."""
    try:
        move(share, claimed_as, f"inbox/{path}")
    except FileExistsError:
        return False
    return True


def _taken(share: Share, here: str, claimed_as: str, *, durable: bool) -> bool:
    try:
        move(share, here, claimed_as, durable=durable)
    except FileNotFoundError:
        # A server may repeat a rename whose reply was lost: then the first one won, and it was ours.
        return exists(share, claimed_as)
    return True
