"""Where the inbox reports: claims go to the ledger, what is not taken gets a note."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import gethostname

from loguru import logger

from workflow.feedback import (
    CROWD_NOTE,
    crowd_text,
    has_note,
    note_path,
    remove_note,
    stranger_text,
    write_note,
)
from workflow.intake import Before, Left, looks_like, origin_of, readable
from workflow.ledger import (
    InPlace,
    Ledger,
    add_to_waitlist,
    drop_from_waitlist,
    left_before,
    read_left,
    read_waitlist,
    still_left,
    take_left,
)
from workflow.pipeline.adoption import adopt
from workflow.pipeline.crew import Crew
from workflow.pipeline.workshop import Workshop


def memory_of_left(ledger: Ledger, folder: str) -> Mapping[str, Left]:
    """Give every file of a read-only inbox that was taken, as it looked then. Raises StateError.

    `folder` is the inbox as `origin_of` names it.
    """
    return {path: Left(*times) for path, times in read_left(ledger, folder).items()}


def was_left(ledger: Ledger, inbox: Path, path: str) -> bool:
    """Tell whether a file of a read-only inbox was taken before as it is now. Raises StateError."""
    try:
        folder = origin_of(inbox, gethostname())
    except OSError:  # it can't be read now: nobody can tell
        return False
    left = memory_of_left(ledger, folder).get(path)
    return left is not None and looks_like(inbox / path, left)


@dataclass
class Desk:
    """What the inbox tells, written down; the keeper is woken at once."""

    shop: Workshop
    crew: Crew
    wake: Callable[[], None]
    limit: int
    """How many files may come at once."""
    _noted: int | None = None
    """How many the note about a crowd names; None before it was looked after in this run."""
    _paths: dict[int, str] = field(default_factory=dict)
    _origin: str | None = None

    # -- files that are taken -----------------------------------------------------------------------

    def open(self, path: str) -> int:
        """Begin a submission before its file is touched."""
        number = self.shop.ledger.open(path, self.crew.me.name)
        self._paths[number] = path
        return number

    def claimed(self, number: int, claimed_as: str) -> None:
        """The file is ours: its submission goes on."""
        self.shop.ledger.claimed(number, claimed_as, path=self._paths[number])
        self._paths.pop(number)
        logger.info("Submission {}: {}", number, claimed_as)
        self.wake()

    def forget(self, number: int) -> None:
        """The file could not be taken after all."""
        self._paths.pop(number, None)
        self.shop.ledger.forget(number)

    # -- files of a read-only inbox -----------------------------------------------------------------

    def left(self) -> Mapping[str, Left]:
        """Give what was taken and left before."""
        return memory_of_left(self.shop.ledger, self._file("").folder)

    def left_before(self, path: str) -> Before | None:
        """Give what was last taken from a path."""
        known = left_before(self.shop.ledger, self._file(path))
        if known is None:
            return None
        left = None if known.times is None else Left(*known.times)
        return Before(known.number, left, known.sha256, known.unread)

    def take_left(self, path: str, left: Left, before: Before | None) -> bool:
        """Begin a submission for a file that stays where it is."""
        file = self._file(path)
        number = take_left(self.shop.ledger, file, left, None if before is None else before.left)
        if number is None:
            return False
        logger.info("Submission {}: {}", number, file.place)
        self.wake()
        return True

    def still_left(self, path: str, left: Left, before: Before) -> None:
        """The file has new times and its old content."""
        still_left(self.shop.ledger, self._file(path), left, before.number)

    def _file(self, path: str) -> InPlace:
        """What the inbox is called is asked once for each time that it appears. Raises OSError."""
        inbox, me = self.shop.share.inbox, self.crew.me
        if self._origin is None:
            self._origin = origin_of(inbox, me.host)
        return InPlace(self._origin, path, str(inbox / path), me.home)

    # -- files that are not taken -------------------------------------------------------------------

    def share_back(self) -> None:
        """Look for claims that a crash cut off."""
        self._origin = None
        adopt(self.shop.ledger, self.shop.share)

    def stranger(self, path: str, why: str) -> None:
        """Put a note beside a file that is none of ours, once."""
        place = self._notes() / path
        if has_note(place):
            return
        logger.info("{} is not taken: {}", readable(path), why)
        self._write(note_path(place), stranger_text(readable(place.name), why))

    def set_aside(self) -> Mapping[str, bool]:
        """Give what waits for a person, and keep the note about it true."""
        paths = read_waitlist(self.shop.ledger)
        self._note_crowd(sum(not accepted for accepted in paths.values()))
        return paths

    def crowd(self, paths: Collection[str]) -> None:
        """Write down that these have to wait; said when a crowd begins."""
        add_to_waitlist(self.shop.ledger, paths)
        if not self._noted:
            logger.warning(
                "{} files came at once, more than {}: they wait in the inbox until somebody accepts them "
                "with `stlflow intake accept`, or takes them out.",
                len(paths), self.limit,
            )  # fmt: skip
            self._note_crowd(len(paths))

    def crowd_left(self, paths: Collection[str]) -> None:
        """These are taken, or taken away."""
        drop_from_waitlist(self.shop.ledger, paths)
        self.set_aside()

    def _note_crowd(self, count: int) -> None:
        place = self._notes() / CROWD_NOTE
        if count and count != self._noted:
            self._write(place, crowd_text(count, self.limit))
        elif not count and self._noted != 0:
            with suppress(OSError):
                remove_note(place.with_suffix(""))
        self._noted = count

    def _notes(self) -> Path:
        """Give the folder for notes about files of the inbox; a read-only one gets none itself."""
        share = self.shop.share
        return share.inbox if share.left_inbox is None else share.rejected

    def _write(self, place: Path, text: str) -> None:
        try:
            if self.shop.share.left_inbox is not None:
                place.parent.mkdir(parents=True, exist_ok=True)
            write_note(place, text)
        except OSError as error:
            logger.warning("No note {}: {}", place.name, error.strerror)
