"""Where the inbox reports: claims go to the ledger, what is not taken gets a note."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from socket import gethostname

from loguru import logger

from workflow.errors import error_reason
from workflow.intake import (
    FileStamp,
    InboxScan,
    PreviousSubmission,
    folder_origin,
    matches_stamp,
    printable_path,
)
from workflow.ledger import InPlaceFile, Ledger
from workflow.notes import (
    MASS_ARRIVAL_NOTE,
    mass_arrival_note_text,
    remove_note,
    write_note,
)
from workflow.pipeline.canary import is_canary
from workflow.pipeline.context import Context
from workflow.pipeline.heartbeat import Heartbeat
from workflow.pipeline.inbox_notes import InboxNotes
from workflow.pipeline.progress_notes import ProgressNotes
from workflow.pipeline.recovery import recover_claims
from workflow.pipeline.reorder import NoteOrders


def known_in_place_files(ledger: Ledger, folder: str) -> Mapping[str, FileStamp]:
    """Return every file of a read-only inbox that was taken, with its stamp. Raises StateFolderError.

    `folder` is the inbox as `folder_origin` names it.
    """
    return {path: FileStamp(*times) for path, times in ledger.in_place.read_files(folder).items()}


def is_known_in_place(ledger: Ledger, inbox: Path, path: str) -> bool:
    """True if a file of a read-only inbox was taken before as it is now. Raises StateFolderError."""
    try:
        folder = folder_origin(inbox, gethostname())
    except OSError:  # it can't be read now: nobody can tell
        return False
    left = known_in_place_files(ledger, folder).get(path)
    return left is not None and matches_stamp(inbox / path, left)


@dataclass
class InboxEvents:
    """Records what the inbox reports, and wakes the queue."""

    context: Context
    heartbeat: Heartbeat
    wake: Callable[[], None]
    limit: int
    """How many files may come at once."""
    progress: ProgressNotes | None = None
    """Is told of each file that is taken."""
    notes: InboxNotes = field(init=False)
    orders: NoteOrders = field(init=False)
    _noted: int | None = None
    """How many the note about a crowd names; None before it was looked after in this run."""
    _paths: dict[int, str] = field(default_factory=dict)
    _workers: int = 1
    """How many workers took part when orders were last recovered."""
    _origin: str | None = None
    _refused: Mapping[str, str] = field(default_factory=dict)
    """Notes that order what can't be carried out, and that have a note."""

    def __post_init__(self) -> None:
        context = self.context
        self.notes = InboxNotes(context.share)
        self.orders = NoteOrders(context.ledger, context.share, self.wake, self.limit)

    # -- files that are taken -----------------------------------------------------------------------

    def open_all(self, paths: Sequence[str]) -> Sequence[int]:
        """Begin submissions before their files are touched."""
        numbers = self.context.ledger.open_all(paths, self.heartbeat.me.name)
        self._paths.update(zip(numbers, paths, strict=True))
        return numbers

    def claimed(self, number: int, claimed_as: str) -> None:
        """The file is ours: its submission goes on."""
        path = self._paths[number]
        with self.orders.taken_along(number, path, claimed_as) as ordered:
            self.context.ledger.claimed(
                number, claimed_as, path=path, ordered=ordered, arrived_as=printable_path(path)
            )
        self._paths.pop(number)
        about = logger.bind(submission=number, path=path, state="claimed")
        about.info("Submission {}: {}", number, claimed_as)
        self.wake()
        if self.progress is not None and not is_canary(path):
            self.progress.add(number)

    def forget(self, number: int) -> None:
        """The file could not be taken after all."""
        self._paths.pop(number, None)
        self.context.ledger.forget(number)

    # -- files of a read-only inbox -----------------------------------------------------------------

    def left(self) -> Mapping[str, FileStamp]:
        """Return what was taken and left before."""
        return known_in_place_files(self.context.ledger, self._file("").folder)

    def previous_submission(self, path: str) -> PreviousSubmission | None:
        """Return what was last taken from a path."""
        known = self.context.ledger.in_place.find_record(self._file(path))
        if known is None:
            return None
        left = None if known.times is None else FileStamp(*known.times)
        return PreviousSubmission(known.number, left, known.sha256, known.unread)

    def submit_in_place(self, path: str, left: FileStamp, before: PreviousSubmission | None) -> bool:
        """Begin a submission for a file that stays where it is."""
        file = self._file(path)
        number = self.context.ledger.in_place.begin_read_only(
            file, left, None if before is None else before.left, printable_path(path)
        )
        if number is None:
            return False
        about = logger.bind(submission=number, path=path, state="claimed")
        about.info("Submission {}: {}", number, file.place)
        self.wake()
        return True

    def record_unchanged(self, path: str, left: FileStamp, before: PreviousSubmission) -> None:
        """The file has new times and its old content."""
        self.context.ledger.in_place.record_unchanged(self._file(path), left, before.number)

    def _file(self, path: str) -> InPlaceFile:
        """What the inbox is called is asked once for each time that it appears. Raises OSError."""
        inbox, me = self.context.share.inbox, self.heartbeat.me
        if self._origin is None:
            self._origin = folder_origin(inbox, me.host)
        return InPlaceFile(self._origin, path, str(inbox / path), me.home)

    # -- files that are not taken -------------------------------------------------------------------

    def on_share_available(self) -> None:
        """Recover claims that a crash cut off."""
        self._origin = None
        recover_claims(self.context.ledger, self.context.share)
        self.orders.recover()

    def on_untaken_file(self, path: str, why: str) -> None:
        """Write a note next to a file or folder that is not taken."""
        self.notes.write(path, why)

    def on_scan(self, found: InboxScan, settled: Collection[str]) -> None:
        """Carry out what notes order, and remove those that are no longer true."""
        self.heartbeat.note_scan()
        if self.context.share.left_inbox is None and self.context.share.decides_by_moving:
            if self._workers != self.heartbeat.among:  # one is gone: what it had taken is carried out here
                self._workers = self.heartbeat.among
                self.orders.recover()
            found = self._carry_out_orders(found)
        if self.progress is None:
            self.notes.remove_outdated(found, settled)
            return
        self.progress.check_texts(found.texts)
        self.notes.remove_outdated(found, settled, self.progress.own_texts())

    def _carry_out_orders(self, found: InboxScan) -> InboxScan:
        """Carry out what notes order; return the scan with those that can't be among what is not taken."""
        texts = found.texts - self.orders.carry_out(found, self.progress.own_texts() if self.progress else ())
        refused = self.orders.refused
        for text in refused.keys() - self._refused.keys():
            self.notes.write(text, refused[text])
        self._refused = refused
        return replace(found, texts=texts, strangers=found.strangers | refused.keys())

    def mass_arrival_paths(self) -> Mapping[str, bool]:
        """Return what waits for a person, and keep the note about it true."""
        paths = self.context.ledger.mass_arrival.read_paths()
        self._note_mass_arrival(sum(not accepted for accepted in paths.values()))
        return paths

    def record_mass_arrival(self, paths: Collection[str]) -> None:
        """Record that these files wait for approval; the first time, log it."""
        self.context.ledger.mass_arrival.add(paths)
        if not self._noted:
            logger.warning(
                "{} files came at once, more than {}: they wait in the inbox until someone accepts them "
                "with `stlflow intake accept`, or takes them out.",
                len(paths), self.limit,
            )  # fmt: skip
            self._note_mass_arrival(len(paths))

    def remove_mass_arrival(self, paths: Collection[str]) -> None:
        """These are taken, or taken away."""
        self.context.ledger.mass_arrival.remove(paths)
        self.mass_arrival_paths()

    def _note_mass_arrival(self, count: int) -> None:
        place = self._notes() / MASS_ARRIVAL_NOTE
        if count and count != self._noted:
            self._write(place, mass_arrival_note_text(count, self.limit))
        elif not count and self._noted != 0:
            with suppress(OSError):
                remove_note(place.with_suffix(""))
        self._noted = count

    def _notes(self) -> Path:
        """Return the folder for notes about files of the inbox; a read-only one gets none itself."""
        share = self.context.share
        return share.inbox if share.left_inbox is None else share.rejected

    def _write(self, place: Path, text: str) -> None:
        try:
            if self.context.share.left_inbox is not None:
                place.parent.mkdir(parents=True, exist_ok=True)
            write_note(place, text)
        except OSError as error:
            logger.warning("No note {}: {}", place.name, error_reason(error))
