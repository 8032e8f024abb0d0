"""The prints of what was sent: how far each copy is, as far as stlflow follows it."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Unpack

from sqlalchemy import Connection, Table, delete, insert, select, update

from workflow.ledger.changes import (
    Event,
    acquire_transaction_lock,
    apply_changes,
    chunks,
    seconds_now,
)
from workflow.ledger.print_tables import prints
from workflow.ledger.rows import submission_from, to_columns
from workflow.ledger.statements import READ_PRINTS_OF, READ_SENDS_OF, PreparedStatement
from workflow.ledger.store import Store
from workflow.ledger.tables import metadata_entries, sends, submissions
from workflow.model import FollowedPrint, PrintPhase, Submission, SubmissionChanges, SubmissionState

ROUND_KEY = "prints followed"
_STORED = (
    "phase", "since", "device_id", "device", "job_id", "percent", "missing_since", "online_since",
    "waited_at", "ahead_jobs", "ahead_seconds", "reason",
)  # fmt: skip
_OPEN_STATES = (SubmissionState.DISPATCHED.value, SubmissionState.PRINTING.value)


class PrintStore(Store):
    """One row per copy whose print is followed."""

    def begin_round(self, interval_seconds: float) -> bool:
        """True if it is time to ask Eiger again, and for this worker alone: a round is for all of them."""
        now = seconds_now()
        entry = metadata_entries.c.name == ROUND_KEY
        with self.write_transaction(durable=False) as connection:
            acquire_transaction_lock(connection, ROUND_KEY)
            last = connection.execute(select(metadata_entries.c.value).where(entry)).scalar_one_or_none()
            if last and 0 <= now - float(last) < interval_seconds:
                return False
            connection.execute(delete(metadata_entries).where(entry))
            connection.execute(insert(metadata_entries).values(name=ROUND_KEY, value=str(now)))
            return True

    def any_followed(self) -> bool:
        """True if the end of any print is awaited."""
        return self.exists(_followed(submissions.c.id).limit(1))

    def stop_following(self) -> None:
        """Await the end of no print any longer: what was sent stays as it was seen last."""
        awaited = update(submissions).where(
            submissions.c.followed.is_(True), submissions.c.state.in_(_OPEN_STATES)
        )
        with self.write_transaction() as connection:
            connection.execute(awaited.values(followed=False))

    def list_followed(self) -> tuple[tuple[Submission, tuple[FollowedPrint, ...]], ...]:
        """Return the submissions whose print is followed and has not ended, oldest first, with each copy."""
        with self.read_connection() as connection:
            rows = connection.execute(_followed(submissions).order_by(submissions.c.id)).mappings()
            open_ones = [submission_from(row) for row in rows]
            known, _ = _read_copies(connection, open_ones)
        return tuple((each, known[each.id]) for each in open_ones)

    def read(self, some: Collection[Submission]) -> Mapping[int, tuple[FollowedPrint, ...]]:
        """Return each copy of those of these submissions whose print is or was followed, by number."""
        sent = [each for each in some if each.receipt_id is not None and each.followed is not None]
        if not sent:
            return {}
        with self.read_connection() as connection:
            known, begun = _read_copies(connection, sent)
        return {each.id: known[each.id] for each in sent if each.followed or each.id in begun}

    def list_known_jobs(self, builds: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Return the print jobs and receipts of these builds that belong to a submission, by its number."""
        found: dict[str, set[str]] = defaultdict(set)
        with self.read_connection() as connection:
            for some in chunks(sorted(builds)):
                of_build = submissions.c.build_id.in_(some)
                for table, column in ((prints, prints.c.job_id), (sends, sends.c.receipt_id)):
                    query = (
                        select(submissions.c.build_id, column)
                        .join(table, table.c.submission == submissions.c.id)
                        .where(of_build, column.is_not(None))
                    )
                    for build_id, known in connection.execute(query):
                        found[build_id].add(known)
        return {build_id: frozenset(known) for build_id, known in found.items()}

    def write(
        self,
        submission: Submission,
        seen: Sequence[FollowedPrint],
        events: Sequence[Event] = (),
        **changes: Unpack[SubmissionChanges],
    ) -> Submission:
        """Store what was seen of some copies, with the events and changes of the submission that follow.

        With an event, the note is due again. Raises Superseded if the submission's turn is over.
        """
        with self.write_transaction() as connection:
            written = apply_changes(connection, submission, changes, *events)
            for each in seen:
                _write_copy(connection, each, is_noted=not events)
            if events:
                mine = update(prints).where(prints.c.submission == submission.id)
                connection.execute(mine.values(is_noted=False))
            return written

    def list_unnoted(self) -> tuple[Submission, ...]:
        """Return the submissions whose note does not say yet how far the print is."""
        due = select(prints.c.submission).where(prints.c.is_noted.is_(False)).distinct()
        return self.select_submissions(select(submissions).where(submissions.c.id.in_(due)))

    def mark_noted(self, submission: Submission) -> None:
        """Record that the note is up to date with the submission, unless more has happened since."""
        with self.write_transaction(durable=False) as connection:
            same = submissions.c.state == submission.state.value, submissions.c.turn == submission.turn
            unchanged = select(submissions.c.id).where(submissions.c.id == submission.id, *same)
            mine = update(prints).where(prints.c.submission.in_(unchanged))
            connection.execute(mine.values(is_noted=True))


def _followed(what: Any) -> Any:
    return select(what).where(
        submissions.c.followed.is_(True),
        submissions.c.state.in_(_OPEN_STATES),
        submissions.c.step.is_(None),
        submissions.c.receipt_id.is_not(None),
    )


def _read_copies(
    connection: Connection, sent: Sequence[Submission]
) -> tuple[dict[int, tuple[FollowedPrint, ...]], Collection[int]]:
    """Return the copies of each submission, and which submissions have a stored print."""
    receipts: dict[int, dict[int, Any]] = defaultdict(dict)
    stored: dict[int, dict[int, Any]] = defaultdict(dict)
    for row in _rows_of(connection, sends, READ_SENDS_OF, sent):
        receipts[row["submission"]][row["copy"]] = row
    for row in _rows_of(connection, prints, READ_PRINTS_OF, sent):
        stored[row["submission"]][row["copy"]] = row
    begun = frozenset(stored)
    return {each.id: tuple(_copies(each, receipts[each.id], stored[each.id])) for each in sent}, begun


def _rows_of(
    connection: Connection, table: Table, of_one: PreparedStatement, sent: Sequence[Submission]
) -> Iterator[Any]:
    """Yield the rows of some submissions; the note of each part asks for those of one."""
    if len(sent) == 1:
        yield from of_one.execute(connection, number=sent[0].id).mappings().all()
        return
    for numbers in chunks(each.id for each in sent):
        yield from connection.execute(select(table).where(table.c.submission.in_(numbers))).mappings()


def _copies(
    submission: Submission, receipts: Mapping[int, Any], stored: Mapping[int, Any]
) -> Iterator[FollowedPrint]:
    """Yield each copy with a receipt; one that lies on the bed of another submission has that one's."""
    for copy in range(1, (submission.copies or 1) + 1):
        sent, known = receipts.get(copy), stored.get(copy)
        receipt_id = sent["receipt_id"] if sent else (submission.receipt_id if copy == 1 else None)
        if receipt_id is None or submission.destination is None:
            continue
        begun = _time(sent["intent_at"]) if sent else submission.uploaded_at or submission.opened_at
        spread = submission.spread_ids
        fresh: dict[str, Any] = {
            "since": submission.ended_at or begun,
            "device_id": spread[copy - 1] if len(spread) >= copy else submission.device_id,
            "device": None if spread else submission.device,
        }
        values = fresh if known is None else {name: known[name] for name in _STORED}
        yield FollowedPrint(
            submission.id, copy, submission.build_id or "", receipt_id, submission.destination, begun,
            **{name: _value(name, value) for name, value in values.items()},
        )  # fmt: skip


def _value(name: str, stored: Any) -> Any:
    if name == "phase":
        return PrintPhase(stored)
    if name in {"since", "missing_since", "online_since", "waited_at"} and isinstance(stored, float | int):
        return _time(stored)
    return stored


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _write_copy(connection: Connection, seen: FollowedPrint, *, is_noted: bool) -> None:
    row = to_columns({name: getattr(seen, name) for name in _STORED})
    this = prints.c.submission == seen.submission, prints.c.copy == seen.copy
    if connection.execute(update(prints).where(*this).values(row)).rowcount == 0:
        key = {"submission": seen.submission, "copy": seen.copy, "is_noted": is_noted}
        connection.execute(insert(prints).values({**row, **key}))
