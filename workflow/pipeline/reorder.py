"""Orders by note: the note of a sent part, dropped into the inbox, sends the same build once more.

A note is taken like a file: one rename moves it to processing/, for exactly one service. Then one
transaction begins the submission; it bears the note's name there, so that a crash orders nothing twice.
"""

import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path, PurePosixPath

from loguru import logger

from workflow.errors import error_reason
from workflow.intake import InboxScan, Outcome, Share, fit_name, move_file, plan_and_move, printable_path
from workflow.ledger import Ledger
from workflow.model import EventKind, Submission, SubmissionEvent
from workflow.notes import note_path, remove_note_file
from workflow.pipeline.context import now
from workflow.pipeline.duplicates import same_folder
from workflow.pipeline.note_order import COPIES_LINE, NoteOrder, OrderNotes, read_order

TAKEN_PREFIX = "order~"
TOGETHER = timedelta(minutes=1)
"""A note that comes so soon after its file was taken is part of the same order."""
_ORDERED = re.compile(r"(\d+) cop")


def ordered_copies(events: tuple[SubmissionEvent, ...]) -> int | None:
    """Return how many copies the note ordered; None if there is no such order."""
    orders = (_ORDERED.match(each.detail) for each in events if each.event == EventKind.REORDERED)
    return next((int(order[1]) for order in orders if order), None)


def read_order_beside(ledger: Ledger, share: Share, claimed_as: str, number: int) -> tuple[int, str] | None:
    """Return what the note orders that was taken along with a claimed file; None if there is none."""
    for note in (share.root / claimed_as).parent.glob(f"{number}~*.txt"):
        order = read_order(ledger, note, note.name.partition("~")[2])
        if order is not None and order.refusal is None:
            return order.earlier.id, order.detail
    return None


@dataclass
class NoteOrders:
    """Carries out the orders of notes in the inbox."""

    ledger: Ledger
    share: Share
    wake: Callable[[], None]
    limit: int
    """How many may come at once; 0: any number."""
    _notes: OrderNotes = field(init=False)
    _taken: dict[str, str] = field(default_factory=dict)
    """Notes in processing/, by their place there, with the path that the order is for."""
    _along: dict[int, str] = field(default_factory=dict)
    """Notes in processing/ that were taken along with a file whose claim is not recorded yet."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Notes that order what can't be carried out, and why. They stay in the inbox."""
    _said: set[str] = field(default_factory=set)
    """Notes that were logged: one that can't be moved, or that waits, is tried again and again."""

    def __post_init__(self) -> None:
        """Begin with no order known."""
        self._notes = OrderNotes(self.ledger, self.share)

    def recover(self) -> None:
        """Find orders that were taken and not carried out, by a worker that is gone, too."""
        top = self.share.root / self.share.claims_folder
        for note in top.rglob("*~*.txt"):
            below = note.relative_to(top).as_posix()
            place = f"{self.share.claims_folder}/{below}"
            if note.name.startswith(TAKEN_PREFIX):
                self._taken[place] = below
            elif not self._is_being_claimed(note.name.partition("~")[0]):
                self.put_away(place, None)

    def _is_being_claimed(self, number: str) -> bool:
        """True if a worker that is alive is about to record the file that the note was taken along with."""
        found = self.ledger.among([int(number)] if number.isdecimal() else [])
        return any(each.claimed_as is None for each in found)

    @contextmanager
    def taken_along(self, number: int, path: str, claimed_as: str) -> Iterator[tuple[int, str] | None]:
        """Yield what the note orders that was dropped together with a claimed file; then put the note away.

        May be repeated until the claim is recorded. Raises StateFolderError.
        """
        place = self._along.get(number) or self._take_along(number, path, claimed_as)
        yield None if place is None else read_order_beside(self.ledger, self.share, claimed_as, number)
        self._along.pop(number, None)
        if place is not None:
            self.put_away(place, path)

    def _take_along(self, number: int, path: str, claimed_as: str) -> str | None:
        """Move the note that was dropped together with a file; return its place, None if there is none."""
        known = [text for text, order in self._notes.known().items() if _file_of(text, order) == path]
        for text in (note_path(Path(path)).as_posix(), *known) if self.share.decides_by_moving else ():
            name = PurePosixPath(text).name
            order = read_order(self.ledger, self.share.inbox / text, name)
            if order is not None and order.refusal is None and _file_of(text, order) == path:
                taken = fit_name(printable_path(name), before=f"{number}~")
                place = PurePosixPath(claimed_as).with_name(taken).as_posix()
                if self._move(f"inbox/{text}", place):
                    self._along[number] = place
                    return place
        return None

    def carry_out(self, found: InboxScan, own: Collection[str] = ()) -> frozenset[str]:
        """Carry out what was ordered; return the notes of the inbox that are orders still to come.

        `own` are notes that stlflow has written there.
        """
        orders, unchanged = self._notes.check(found.texts, own)
        files = found.paths | found.unfinished  # an order goes with its file, if that was dropped with it
        settled = [text for text in unchanged if _file_of(text, orders[text]) not in files]
        self.refused = {text: why for text in settled if (why := orders[text].refusal) is not None}
        settled = sorted(set(settled) - self.refused.keys())
        if self.limit and len(settled) > self.limit:
            self.refused[settled[0]] = (
                f"{len(settled)} notes came at once, more than {self.limit}, so none of them is ordered. "
                f"Take them out, and put them back in portions of up to {self.limit}."
            )
            return frozenset(orders)
        for text in settled:
            self._take(text)
        for place in tuple(self._taken):
            self._order(place)
        return frozenset(orders)

    def _take(self, text: str) -> None:
        here = PurePosixPath(printable_path(text))
        taken = fit_name(here.name, before=f"{TAKEN_PREFIX}{secrets.token_hex(4)}~")
        below = here.with_name(taken).as_posix()
        place = f"{self.share.claims_folder}/{below}"
        if self._move(f"inbox/{text}", place):
            self._taken[place] = below

    def _move(self, here: str, there: str) -> bool:
        """True if a note was moved; False if another service was quicker, or the file system refuses."""
        try:
            move_file(self.share, here, there)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                why = error_reason(error)
                self._say(here, f"{printable_path(here)} can't be taken: {why}. It is tried again.")
            return False
        return True

    def _say(self, note: str, what: str) -> None:
        if note not in self._said:
            logger.warning("{}", what)
        self._said.add(note)

    def _order(self, place: str) -> None:
        """Begin the submission, unless a crash came after that; wait while another one sends the build."""
        note = self.share.root / place
        token_and_name = PurePosixPath(self._taken[place]).name.removeprefix(TAKEN_PREFIX)
        order = read_order(self.ledger, note, token_and_name.partition("~")[2])
        if order is None or order.refusal is not None:  # it was carried out, or its submission is forgotten
            self.put_away(place, None)
            return
        path = PurePosixPath(self._taken[place]).with_name(PurePosixPath(order.earlier.path).name).as_posix()
        number = self.ledger.commands.begin_reorder(
            order.earlier, path, place, order.detail, lambda other: same_folder(other.path, path)
        )
        if number is None:
            if self._came_with_file(order.earlier, path):
                self.put_away(place, path)
            else:
                self._say(place, f"The order {path} waits: its part or its build is in progress.")
            return
        logger.info("Submission {} ({}): {}", number, path, order.detail)
        self.put_away(place, path)
        self.wake()

    def _came_with_file(self, earlier: Submission, path: str) -> bool:
        """True if the note's file was taken just before the note was seen: both are one order."""
        alike = self.ledger.list_with_content(earlier.sha256 or "")
        lately = (each for each in alike if each.id > earlier.id and each.reused is None)
        return any(each.path == path and now() - each.opened_at < TOGETHER for each in lately)

    def put_away(self, place: str, path: str | None) -> None:
        """Remove a note that did its work; what a person wrote in it is kept in done/.

        One that can't be moved stays in processing/ until the next start: by then it orders nothing more.
        """
        try:
            if not remove_note_file(self.share.root / place, COPIES_LINE):
                kept = f"{path}.txt" if path else PurePosixPath(place).name
                plan_and_move(self.share, place, kept, Outcome.DONE)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                self._say(place, f"The note {place} stays: {error_reason(error)}.")
        self._taken.pop(place, None)
        self._said.discard(place)


def _file_of(text: str, order: NoteOrder) -> str:
    """Return the path that the file of a note has, if it was dropped beside it."""
    return PurePosixPath(text).with_name(PurePosixPath(order.earlier.path).name).as_posix()
