"""What a note in the inbox orders, and which notes there are orders."""

import os
import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from workflow.errors import UnknownSubmission
from workflow.frozen import frozen
from workflow.intake import Share
from workflow.ledger import Ledger
from workflow.model import SENT_STATES, Submission
from workflow.notes import note_path, read_submission_note
from workflow.routing import MAX_COPIES

OWN_CHECK_SECONDS = 20.0
"""How often the notes that stlflow writes into the inbox are checked: a person may have replaced one."""
COPIES_LINE = re.compile(r"^\s*copies\s*[:=]\s*(\d{1,9})\s*$", re.IGNORECASE | re.MULTILINE)
_PREFIX = re.compile(r"(\d{1,9})\s*x[\s_-]+", re.IGNORECASE)


@frozen
class NoteOrder:
    """What a note orders: the build of this submission, so many copies; None for as many as the rule says."""

    earlier: Submission
    copies: int | None

    @property
    def refusal(self) -> str | None:
        """Return why it can't be carried out, and what to do; None if it can."""
        if self.copies is None or 1 <= self.copies <= MAX_COPIES:
            return None
        return (
            f"it orders {self.copies:,} copies, and 1 to {MAX_COPIES} can be ordered at once. "
            "Correct the number in the note or in its name."
        )

    @property
    def detail(self) -> str:
        """Return the order in words, as the history has it."""
        many = {None: "", 1: "1 copy, "}.get(self.copies, f"{self.copies} copies, ")
        return f"{many}by the note of submission {self.earlier.id}"


def read_order(ledger: Ledger, note: Path, name: str) -> NoteOrder | None:
    """Return what a note orders that is, or was, called `name`; None for every other file.

    Only the note of a part that was sent orders. Raises StateFolderError.
    """
    about = read_submission_note(note)
    if about is None:
        return None
    try:
        earlier = ledger.get(about.number)
    except UnknownSubmission:
        return None
    sent = earlier.state in SENT_STATES and earlier.build_id is not None
    if not sent or earlier.left_in_place or earlier.sha256 != about.sha256:
        return None
    line, prefix = COPIES_LINE.search(about.text), _PREFIX.match(name)
    if note_path(Path(earlier.path)).name.startswith(name.removesuffix(".txt")):
        prefix = None  # the part itself is called so
    found = line or prefix
    return NoteOrder(earlier, int(found[1]) if found is not None else None)


@dataclass
class OrderNotes:
    """The texts of the inbox: each is read when it is new or has changed, and only orders are of interest."""

    ledger: Ledger
    share: Share
    clock: Callable[[], float] = time.monotonic
    _seen: dict[str, tuple[int, NoteOrder | None]] = field(default_factory=dict)
    """By path: a hash of times and size, and what the text orders."""
    _next_full_check: float = 0.0

    def known(self) -> dict[str, NoteOrder]:
        """Return the orders of the last check."""
        return {text: order for text, (_, order) in self._seen.items() if order is not None}

    def check(self, texts: Collection[str], own: Collection[str]) -> tuple[dict[str, NoteOrder], set[str]]:
        """Return the orders among these texts, and which of them have not changed since the last check.

        Thousands of texts may be `own` notes: those are checked seldom. Raises StateFolderError.
        """
        passed_over: Collection[str] = own
        if self.clock() >= self._next_full_check:
            self._next_full_check, passed_over = self.clock() + OWN_CHECK_SECONDS, ()
        inbox, seen = str(self.share.inbox), dict[str, tuple[int, NoteOrder | None]]()
        for text in texts:
            known = self._seen.get(text)
            if known is None or known[1] is not None or text not in passed_over:
                known = self._look(inbox, text, known)
            if known is not None:
                seen[text] = known
        before, self._seen = self._seen, seen
        orders = self.known()
        return orders, {text for text in orders if seen[text] is before.get(text)}

    def _look(
        self, inbox: str, text: str, known: tuple[int, NoteOrder | None] | None
    ) -> tuple[int, NoteOrder | None] | None:
        try:
            seen = os.lstat(f"{inbox}/{text}")
        except OSError:
            return None
        signature = hash((seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns))
        if known is not None and known[0] == signature:
            return known
        return signature, read_order(self.ledger, Path(inbox, text), PurePosixPath(text).name)
