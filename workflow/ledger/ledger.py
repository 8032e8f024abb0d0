"""The ledger: one row per submission and one line per event, written in the same transaction.

`Ledger` itself writes and reads submissions with their events. Each other kind of record has its own store:
`ledger.sends.begin(…)`, `ledger.decisions.read(…)`.
"""

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Unpack

from sqlalchemy import and_, delete, func, insert, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from workflow.errors import DatabaseUnavailable, StateFolderError
from workflow.ledger.canary import CanaryStore
from workflow.ledger.changes import (
    Draft,
    acquire_transaction_lock,
    append_event,
    apply_changes,
    chunks,
    draft_of,
    insert_with_number,
    inserted_id,
    next_turn,
    read_submission,
    seconds_now,
    write_draft,
)
from workflow.ledger.commands import CommandStore
from workflow.ledger.connections import Connections, database_error_text
from workflow.ledger.console_tokens import ConsoleDropStore, ConsoleTokenStore
from workflow.ledger.database import CLOCK, migrate_schema
from workflow.ledger.decisions import DecisionStore
from workflow.ledger.duplicates import DuplicateStore
from workflow.ledger.earlier_prints import EarlierPrintStore
from workflow.ledger.handover import HANDED_OVER, becomes_job, hand_over
from workflow.ledger.in_place import InPlaceStore
from workflow.ledger.locks import LockStore
from workflow.ledger.mass_arrival import MassArrivalStore, append_acceptance
from workflow.ledger.metadata import MetadataStore
from workflow.ledger.notices import NoticeStore
from workflow.ledger.outages import OutageStore
from workflow.ledger.printers import PrinterStore
from workflow.ledger.prints import PrintStore
from workflow.ledger.queue_schema import leave_leases, migrate_queue
from workflow.ledger.retention import RetentionStore
from workflow.ledger.rows import event_from
from workflow.ledger.rule_matches import RuleMatchStore
from workflow.ledger.search import SearchStore
from workflow.ledger.sends import SendStore
from workflow.ledger.statements import (
    CLAIM_SUBMISSION,
    FIND_CONTENT,
    LIST_RESUMED_FROM_HELD,
    OPEN_SUBMISSION,
    READ_EVENTS,
    READ_SUBMISSION,
    list_submissions,
)
from workflow.ledger.store import Store
from workflow.ledger.tables import submissions
from workflow.ledger.troubles import TroubleStore
from workflow.ledger.vital_counts import VitalCountStore
from workflow.ledger.work import Work
from workflow.model import (
    DecisionRecord,
    EventKind,
    HoldReason,
    Step,
    Submission,
    SubmissionChanges,
    SubmissionEvent,
    SubmissionState,
)

OPEN_ERRORS = (SQLAlchemyError, ImportError, ValueError)
"""What opening a database raises. A port that is no number is a ValueError, and may be a password."""


class Ledger(Store):
    """The durable record of submissions and their events, and the stores of everything else.

    Each method raises StateFolderError when the database refuses, for example because the disk is full.
    """

    def __init__(self, url: str, *, as_it_is: bool = False) -> None:
        """Open the ledger and update its tables; `as_it_is` only reads, and waits for no lock."""
        self.url = url
        try:
            with ExitStack() as on_failure:
                connections = Connections(url)
                on_failure.callback(connections.close)
                _prepare(connections, as_it_is=as_it_is)
                on_failure.pop_all()
        except OPEN_ERRORS as error:
            raise open_error(url, error) from None
        super().__init__(connections)
        self.commands = CommandStore(connections)
        self.console_drops = ConsoleDropStore(connections)
        self.console_tokens = ConsoleTokenStore(connections)
        self.decisions = DecisionStore(connections)
        self.duplicates = DuplicateStore(connections)
        self.earlier_prints = EarlierPrintStore(connections)
        self.in_place = InPlaceStore(connections)
        self.locks = LockStore(connections)
        self.mass_arrival = MassArrivalStore(connections)
        self.metadata = MetadataStore(connections)
        self.canary = CanaryStore(connections)
        self.outages = OutageStore(connections)
        self.printers = PrinterStore(connections)
        self.notices = NoticeStore(connections)
        self.prints = PrintStore(connections)
        self.retention = RetentionStore(connections)
        self.search = SearchStore(connections)
        self.rule_matches = RuleMatchStore(connections)
        self.sends = SendStore(connections)
        self.troubles = TroubleStore(connections)
        self.vital_counts = VitalCountStore(connections)

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    @property
    def is_shared(self) -> bool:
        """True if several processes may run steps of this ledger; SQLite belongs to one."""
        return self._connections.are_shared

    # -- claims ---------------------------------------------------------------------------------

    def open(self, path: str, opened_by: str | None = None) -> int:
        """Begin a submission before its file is touched, and return its number. It shows only once claimed.

        `opened_by` is the worker that is about to claim the file.
        """
        return self.open_all([path], opened_by)[0]

    def open_all(self, paths: Sequence[str], opened_by: str | None = None) -> tuple[int, ...]:
        """Begin submissions of files that came together, in one transaction; return their numbers."""
        row = {
            "state": SubmissionState.CLAIMED.value,
            "opened_at": seconds_now(),
            "opened_by": opened_by,
        }
        with self.write_transaction() as connection:
            opened = (OPEN_SUBMISSION.execute(connection, path=path, **row) for path in paths)
            return tuple(int(each.scalar_one()) for each in opened)

    def forget(self, number: int) -> None:
        """Undo `open`: the file could not be claimed."""
        with self.write_transaction() as connection:
            unclaimed = and_(submissions.c.id == number, submissions.c.claimed_as.is_(None))
            connection.execute(delete(submissions).where(unclaimed))

    def claimed(
        self,
        number: int,
        claimed_as: str,
        *,
        path: str | None = None,
        left_in_place: bool = False,
        home: str | None = None,
        ordered: tuple[int, str] | None = None,
        arrived_as: str | None = None,
    ) -> None:
        """Record that the file is claimed: its submission continues by itself from here.

        Another worker that took this one for dead may have deleted the row meanwhile, or recorded the claim.
        Then the row is inserted again for `path`, or left as it is. `arrived_as`: see `append_acceptance`.
        """
        claim = {
            "claimed_as": claimed_as,
            "left_in_place": left_in_place,
            "home": home,
            "reused": ordered and ordered[0],
            "step": Step.INTAKE.value,
            "due_at": seconds_now(),
        }
        with self.write_transaction(durable=False) as connection:
            at_once = becomes_job(connection, Step.INTAKE, seconds_now())
            if at_once:
                claim["due_at"] = HANDED_OVER
            values = {f"new_{name}": value for name, value in claim.items()}
            if CLAIM_SUBMISSION.execute(connection, number=number, **values).rowcount != 1:
                fresh = {
                    "path": path,
                    "state": SubmissionState.CLAIMED.value,
                    "opened_at": seconds_now(),
                    **claim,
                }
                if path is None or not insert_with_number(connection, number, fresh):
                    return
            append_event(connection, number, EventKind.CLAIMED, claimed_as)
            append_acceptance(connection, number, arrived_as)
            if ordered is not None:
                append_event(connection, number, EventKind.REORDERED, ordered[1])
            if at_once:
                hand_over(connection, Work(number, 0, Step.INTAKE), home)

    def adopt(self, path: str, placed_as: str, reason: str, sha256: str | None = None) -> int:
        """Insert a held submission for a file that no submission of ours has, and return its number.

        If another worker has just done so for this place, return the number of its submission.
        """
        row = {
            "path": path,
            "state": SubmissionState.HELD.value,
            "hold": HoldReason.FILE.value,
            "reason": reason,
            "opened_at": seconds_now(),
            "claimed_as": placed_as,
            "sha256": sha256,
            "step": Step.FINISH.value,
            "due_at": seconds_now(),
        }
        with self.write_transaction() as connection:
            acquire_transaction_lock(connection, placed_as)
            pending = and_(submissions.c.claimed_as == placed_as, submissions.c.step == Step.FINISH.value)
            other = connection.execute(select(submissions.c.id).where(pending)).scalars().first()
            if other is not None:
                return int(other)
            number = inserted_id(connection.execute(insert(submissions).values(row)))
            append_event(connection, number, EventKind.ADOPTED, placed_as)
            append_event(connection, number, EventKind.HELD, reason)
            return number

    # -- changes --------------------------------------------------------------------------------

    def write(self, draft: Draft, *, durable: bool = True) -> Submission:
        """Write a draft in one transaction, and return the submission as it is then. Raises Superseded."""
        if not (draft.changes or draft.events):
            return draft.stored
        with self.write_transaction(durable=durable) as connection:
            return write_draft(connection, draft)

    def record_event(
        self, submission: Submission, event: EventKind, detail: str = "", **changes: Unpack[SubmissionChanges]
    ) -> Submission:
        """Write one event and the changes that go with it. Raises Superseded if the turn is over."""
        with self.write_transaction() as connection:
            return apply_changes(connection, submission, changes, (event, detail))

    def record_decision(
        self,
        submission: Submission,
        decided: DecisionRecord,
        event: EventKind,
        detail: str,
        /,
        **changes: Unpack[SubmissionChanges],
    ) -> Submission:
        """Write a decision with its facts, one event, and the changes that go with it. Raises Superseded."""
        return self.write(draft_of(submission).record(event, detail, decided, **changes))

    def update_submission(self, submission: Submission, **changes: Unpack[SubmissionChanges]) -> Submission:
        """Write changes that need no event. Raises Superseded if the turn is over."""
        with self.write_transaction() as connection:
            return apply_changes(connection, submission, changes)

    def schedule_next_step(
        self,
        submission: Submission,
        step: Step | None,
        due_at: datetime | None,
        event: EventKind | None = None,
        detail: str = "",
        /,
        **changes: Unpack[SubmissionChanges],
    ) -> Submission:
        """End the current turn, so that `step` begins at `due_at`. Raises Superseded if it was over."""
        happened = () if event is None else ((event, detail),)
        with self.write_transaction() as connection:
            ahead: SubmissionChanges = {**next_turn(submission, step, due_at), **changes}
            return apply_changes(connection, submission, ahead, *happened)

    # -- reading --------------------------------------------------------------------------------

    def get(self, number: int) -> Submission:
        """Return one submission. Raises UnknownSubmission."""
        with self.read_connection() as connection:
            return read_submission(connection, number)

    def events(self, number: int) -> tuple[SubmissionEvent, ...]:
        """Return all events of a submission, oldest first."""
        with self.read_connection() as connection:
            return tuple(map(event_from, READ_EVENTS.execute(connection, number=number).mappings()))

    def among(self, numbers: Collection[int]) -> tuple[Submission, ...]:
        """Return those of these submissions that exist, claimed or not, lowest number first."""
        if len(numbers) == 1:
            return self.find_submissions(READ_SUBMISSION, number=next(iter(numbers)))
        queries = (select(submissions).where(submissions.c.id.in_(some)) for some in chunks(sorted(numbers)))
        return tuple(submission for query in queries for submission in self.select_submissions(query))

    def all(
        self, states: Collection[SubmissionState] = (), limit: int | None = None
    ) -> tuple[Submission, ...]:
        """Return claimed submissions, newest first; only those in the given states, if any are given."""
        names = tuple(sorted(state.value for state in states))
        if limit is None:
            return self.find_submissions(list_submissions(names))
        return self.find_submissions(list_submissions(names, limited=True), most=limit)

    def count_by_state(self) -> dict[SubmissionState, int]:
        """Return how many claimed submissions are in each state that has any."""
        query = select(submissions.c.state, func.count()).where(submissions.c.claimed_as.is_not(None))
        with self.read_connection() as connection:
            rows = connection.execute(query.group_by(submissions.c.state)).all()
        return {SubmissionState(state): count for state, count in rows}

    def list_with_content(self, sha256: str) -> tuple[Submission, ...]:
        """Return submissions of exactly these bytes, newest first."""
        return self.find_submissions(FIND_CONTENT, content=sha256)

    def list_resumed_from_held(self) -> tuple[Submission, ...]:
        """Return retried and released submissions whose file no worker has taken from held/ yet."""
        return self.find_submissions(LIST_RESUMED_FROM_HELD)

    def list_at_path(self, place: str) -> tuple[Submission, ...]:
        """Return the submissions whose file is in a place, or about to be moved there."""
        there = (submissions.c.claimed_as == place) | (submissions.c.placed_as == place)
        return self.select_submissions(select(submissions).where(there))


def _prepare(connections: Connections, *, as_it_is: bool) -> None:
    """Update the tables, unless they stay as they are, and read the database's clock."""
    with connections.opened(read_only=as_it_is) as connection:
        if not as_it_is:
            if connections.are_shared:
                leave_leases(connection)
            migrate_schema(connection)
        CLOCK.synchronize(connection)
    if connections.are_shared and not as_it_is:
        migrate_queue(lambda: connections.opened(read_only=False))


def open_error(url: str, error: Exception) -> StateFolderError:
    """Return what to raise for one of `OPEN_ERRORS`."""
    away = isinstance(error, OperationalError) and not url.startswith("sqlite")
    return (DatabaseUnavailable if away else StateFolderError)(
        f"The ledger can't be opened: {database_error_text(error)}"
    )
