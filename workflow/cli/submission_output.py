"""Submissions as rows for scripts and as tables for people."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import tzinfo
from types import MappingProxyType

from rich.live import Live
from rich.table import Table
from rich.text import Text

from workflow.cli.progress import progress_console, result_console
from workflow.cli.rules_output import decision_lines, decisions_document
from workflow.cli.watch import ShowSubmissions
from workflow.model import DecisionRecord, MeshReport, Submission, SubmissionEvent, SubmissionState
from workflow.notes import (
    Answer,
    PrintStatus,
    answer_document,
    answer_line,
    materials_text,
    print_status_document,
    print_status_text,
    print_time_text,
    ready_text,
)

NO_ANSWERS: Mapping[int, Answer] = MappingProxyType({})
SUBMISSION_COLUMNS = ("#", "file", "mesh", "preset", "rule", "destination", "build", "receipt or reason")
ANSWER_COLUMNS: tuple[tuple[str, Callable[[Answer, tzinfo | None], str]], ...] = (
    ("print time", lambda answer, _: print_time_text(answer)),
    ("ready", lambda answer, zone: ready_text(answer, zone).removeprefix("ready ")),
    ("material", lambda answer, _: materials_text(answer)),
)
COLUMNS_BY_WIDTH = (120, 130, 160)
"""How wide a terminal has to be for one, two and three of these columns."""
NO_PRINTS: Mapping[int, PrintStatus] = MappingProxyType({})
NO_DECISIONS: Mapping[str, DecisionRecord] = MappingProxyType({})
STATE_COLORS = {
    SubmissionState.DISPATCHED: "green",
    SubmissionState.PRINTING: "green",
    SubmissionState.PRINTED: "green",
    SubmissionState.FAILED: "red",
    SubmissionState.LOST_TRACK: "yellow",
    SubmissionState.REJECTED: "red",
    SubmissionState.HELD: "yellow",
    SubmissionState.CANCELED: "dim",
}


def submission_row(
    submission: Submission, answer: Answer | None = None, status: PrintStatus | None = None
) -> dict[str, object]:
    """Return the row that scripts rely on; null where not reached."""
    return {
        "id": submission.id,
        "path": submission.path,
        "state": submission.state.value,
        "hold": submission.hold.value if submission.hold else None,
        "reason": submission.reason,
        "preset": submission.preset,
        "intake_rule": submission.intake_rule,
        "routing_rule": submission.routing_rule,
        "destination": submission.destination.value if submission.destination else None,
        "device": submission.device,
        "build_id": submission.build_id,
        "receipt_id": submission.receipt_id,
        "sha256": submission.sha256,
        "seconds": duration_seconds(submission),
        "due": submission.due_date and submission.due_date.isoformat(),
        "late_on": submission.late_on and submission.late_on.isoformat(),
        "answer": answer and answer_document(answer),
        "print": status and print_status_document(status),
    }


def submission_row_with_history(
    submission: Submission,
    events: Sequence[SubmissionEvent],
    decided: Mapping[str, DecisionRecord] = NO_DECISIONS,
    receipts: Sequence[str] = (),
    answer: Answer | None = None,
    status: PrintStatus | None = None,
) -> dict[str, object]:
    """Return the row with `mesh` (null if not measured), decisions, receipts, and `events`, oldest first."""
    return {
        **submission_row(submission, answer, status),
        "copies": submission.copies,
        "dropped_by": submission.dropped_by,
        "receipts": list(receipts),
        "decided": decisions_document(decided),
        "mesh": asdict(submission.mesh) if submission.mesh else None,
        "events": [
            {"at": event.at.isoformat(), "event": event.event, "detail": event.detail} for event in events
        ],
    }


def duration_seconds(submission: Submission) -> float | None:
    """Return how long the submission took from claim to end."""
    if submission.ended_at is None:
        return None
    return round((submission.ended_at - submission.opened_at).total_seconds(), 3)


def submissions_table(
    submissions: Sequence[Submission],
    answers: Mapping[int, Answer] = NO_ANSWERS,
    zone: tzinfo | None = None,
    width: int = 0,
    prints: Mapping[int, PrintStatus] = NO_PRINTS,
) -> Table:
    """Return the table that people read: what became of each file, and why.

    A terminal of enough `width` shows print time and when the part is ready, and the material, too.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    extra = ANSWER_COLUMNS[: bisect_right(COLUMNS_BY_WIDTH, width)] if answers else ()
    for heading in (*SUBMISSION_COLUMNS, *(heading for heading, _ in extra)):
        table.add_column(heading, overflow="fold", no_wrap=heading in {"#", "build"})
    for submission in submissions:
        answer = answers.get(submission.id)
        cells = [Text("" if answer is None else text_of(answer, zone)) for _, text_of in extra]
        table.add_row(*_table_cells(submission, prints.get(submission.id)), *cells)
    return table


def print_submissions_table(
    submissions: Sequence[Submission],
    answers: Mapping[int, Answer] = NO_ANSWERS,
    zone: tzinfo | None = None,
    prints: Mapping[int, PrintStatus] = NO_PRINTS,
) -> None:
    """Print the table on stdout; print times, material and when it is ready where there is room."""
    console = result_console()
    console.print(submissions_table(submissions, answers, zone, console.width, prints))


@contextmanager
def live_table() -> Iterator[ShowSubmissions]:
    """Show the table on stderr while the block runs; returns the function that brings it up to date."""
    with Live(console=progress_console(), auto_refresh=False, transient=True) as live:
        yield lambda seen: live.update(submissions_table(seen), refresh=True)


def print_submission(
    submission: Submission,
    events: Sequence[SubmissionEvent],
    decided: Mapping[str, DecisionRecord] = NO_DECISIONS,
    receipts: Sequence[str] = (),
    zone: tzinfo | None = None,
    answer: Answer | None = None,
    status: PrintStatus | None = None,
) -> None:
    """Print one submission, what was decided for it, and its history on stdout."""
    console = result_console()
    for name, value in submission_row(submission).items():
        if value is not None:
            console.print(Text(f"{name:>14}  {value}"))
    if submission.mesh is not None:
        console.print(Text(f"{'mesh':>14}  {mesh_facts(submission.mesh)}"))
    if answer is not None:
        console.print(Text(f"{'print':>14}  {answer_line(answer, zone)}"))
    if status is not None:
        console.print(Text(f"{'now':>14}  {print_status_text(status)}"))
    if len(receipts) > 1:
        console.print(Text(f"{'receipts':>14}  {', '.join(receipts)}"))
    for line in decision_lines(decided, zone):
        console.print(Text(f"{'':>14}  {line}"))
    for event in events:
        console.print(
            Text(f"{event.at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}  {event.event:<12}  {event.detail}")
        )


def mesh_facts(mesh: MeshReport) -> str:
    """Return size and triangles in a few words."""
    return f"{' x '.join(f'{side:.4g}' for side in mesh.size_mm)} mm, {mesh.triangles:,} tri."


def _table_cells(submission: Submission, status: PrintStatus | None) -> list[Text]:
    rule = submission.routing_rule or submission.intake_rule or ""
    where = submission.destination.value if submission.destination else submission.state.value
    device = f" {submission.device}" if submission.device else ""
    ended_badly = submission.state in {SubmissionState.FAILED, SubmissionState.LOST_TRACK}
    outcome = (submission.reason if ended_badly else None) or (submission.receipt_id or "")[:8]
    words = (
        str(submission.id),
        submission.path,
        mesh_facts(submission.mesh) if submission.mesh and any(submission.mesh.size_mm) else "",
        submission.preset or "",
        rule,
        f"{where}{device}{_progress_cell(submission, status)}",
        (submission.build_id or "")[:8],
        outcome or submission.reason or "",
    )
    style = STATE_COLORS.get(submission.state, "")
    return [Text(word, style=style if place in {5, 7} else "") for place, word in enumerate(words)]


def _progress_cell(submission: Submission, status: PrintStatus | None) -> str:
    """Return how far the print is, and that it will be late."""
    late = f"late: {submission.late_on:%a %d %b}" if submission.late_on and submission.followed else ""
    words = ", ".join(filter(None, ("" if status is None else print_status_text(status), late)))
    where = f" on {submission.device}" if submission.device else ""
    return f": {words.replace(where, '').replace(where.replace(' on ', ' at '), '')}" if words else ""
