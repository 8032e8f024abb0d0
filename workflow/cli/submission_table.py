"""The table of submissions that people read, once or live."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from types import MappingProxyType

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from workflow.cli.fitted_table import Column, Row, table_lines
from workflow.cli.progress import progress_console, table_console
from workflow.cli.watch import ShowSubmissions
from workflow.errors import format_count
from workflow.model import MeshReport, Submission, SubmissionState
from workflow.notes import Answer, PrintStatus, answer_once_printing, materials_text, print_time_text

NO_ANSWERS: Mapping[int, Answer] = MappingProxyType({})
NO_PRINTS: Mapping[int, PrintStatus] = MappingProxyType({})
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
COLUMNS = (
    Column("#", right=True), Column("file", usual=24, least=12, keeps_end=True), Column("state"),
    Column("where", 1, usual=17, least=8), Column("age", 2, right=True), Column("print", 3, right=True),
    Column("ready", 4), Column("material", 5, usual=30), Column("preset", 6, usual=16),
    Column("rule", 7, usual=20), Column("size", 8),
)  # fmt: skip
_STATE = 2
_EXPLAINED = frozenset({SubmissionState.DISPATCHED, SubmissionState.PRINTING, SubmissionState.PRINTED})
"""States whose reason is no news."""
_SAME_WEEK = timedelta(days=6)
_LINES_AROUND = 4
"""Of a live table: headings, what is left out, and room for the prompt."""


def state_text(submission: Submission, status: PrintStatus | None = None) -> str:
    """Return the state in the words of tables: `sent`, `printing 55 %`."""
    word = "sent" if submission.state is SubmissionState.DISPATCHED else submission.state.replace("_", " ")
    percent = status.percent if status and submission.state is SubmissionState.PRINTING else None
    return word if percent is None else f"{word} {percent:.0f} %"


def age_text(since: datetime, now: datetime) -> str:
    """Return how long ago something was, in one unit: `5 min`, `3 h`, `4 d`."""
    seconds = max((now - since).total_seconds(), 0)
    for limit, size, unit in ((90, 1, "s"), (90 * 60, 60, "min"), (36 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def ready_text(
    submission: Submission,
    answer: Answer | None,
    status: PrintStatus | None,
    now: datetime,
    zone: tzinfo | None,
) -> str:
    """Return when the part is ready, as short as the date allows; empty where nobody has said."""
    if submission.late_on is not None and submission.followed:
        return f"late, {submission.late_on:%d %b}"
    if status is not None and status.seconds_left is not None:
        ready = now + timedelta(seconds=status.seconds_left)
        return _moments_text(ready, ready, now, zone)
    if answer is None or answer.ready_from is None or answer.ready_to is None or _is_over(submission):
        return ""
    return _moments_text(answer.ready_from, answer.ready_to, now, zone)


def _is_over(submission: Submission) -> bool:
    """True if the print has ended in any way."""
    over = {SubmissionState.PRINTED, SubmissionState.FAILED, SubmissionState.LOST_TRACK}
    return submission.state in over


def _moments_text(begin: datetime, end: datetime, now: datetime, zone: tzinfo | None) -> str:
    first, last, today = (moment.astimezone(zone) for moment in (begin, end, now))
    form = "%H:%M" if first.date() == today.date() else "%a %H:%M"
    form = form if abs(first - today) < _SAME_WEEK else "%d %b"
    until = f"-{last:%H:%M}" if last - first >= timedelta(minutes=1) and "H" in form else ""
    return f"{first:{form}}{until}"


def where_text(submission: Submission) -> str:
    """Return where the build was sent: the printer, otherwise the destination in words."""
    return submission.device or str(submission.destination or "").replace("_", " ")


def size_text(mesh: MeshReport | None) -> str:
    """Return the size of a measured mesh in mm; empty for another."""
    return "" if mesh is None or not any(mesh.size_mm) else f"{_sides(mesh)} mm"


def _sides(mesh: MeshReport) -> str:
    return " × ".join(f"{side:.4g}" for side in mesh.size_mm)


def submission_rows(
    submissions: Sequence[Submission],
    answers: Mapping[int, Answer] = NO_ANSWERS,
    zone: tzinfo | None = None,
    prints: Mapping[int, PrintStatus] = NO_PRINTS,
) -> list[Row]:
    """Return the rows of the table."""
    now = datetime.now(UTC)
    return [_row(each, answers.get(each.id), prints.get(each.id), now, zone) for each in submissions]


def _row(
    submission: Submission,
    answer: Answer | None,
    status: PrintStatus | None,
    now: datetime,
    zone: tzinfo | None,
) -> Row:
    if answer is not None and status is not None:
        answer = answer_once_printing(answer, status.copies)
    takes = ("", "") if answer is None else (print_time_text(answer), materials_text(answer))
    cells = (
        str(submission.id), submission.path, state_text(submission, status), where_text(submission),
        age_text(submission.opened_at, now), takes[0].removeprefix("print time unknown"),
        ready_text(submission, answer, status, now, zone), takes[1], submission.preset or "",
        submission.routing_rule or submission.intake_rule or "", size_text(submission.mesh),
    )  # fmt: skip
    note = "" if submission.state in _EXPLAINED else submission.reason or ""
    style = STATE_COLORS.get(submission.state, "")
    return Row([plain_text(cell) for cell in cells], style, _STATE, plain_text(note))


def plain_text(text: str) -> str:
    """Return a text without characters that move the cursor or turn the direction of writing."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def print_submissions_table(
    submissions: Sequence[Submission],
    answers: Mapping[int, Answer] = NO_ANSWERS,
    zone: tzinfo | None = None,
    prints: Mapping[int, PrintStatus] = NO_PRINTS,
) -> None:
    """Print the table on stdout, as wide as the window."""
    console = table_console()
    for line in table_lines(COLUMNS, submission_rows(submissions, answers, zone, prints), console.width):
        console.print(line)


@contextmanager
def live_table(console: Console | None = None) -> Iterator[ShowSubmissions]:
    """Show the table on stderr while the block runs; returns the function that brings it up to date."""
    console = console or progress_console()
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield lambda seen: live.update(live_view(seen, console.width, console.height), refresh=True)


def live_view(submissions: Sequence[Submission], width: int, height: int) -> Group:
    """Return the table as far as the window has room: what needs a person, the newest, and the counts."""
    room = max(height - _LINES_AROUND, 1)
    shown = choose_rows(submissions, room)
    lines = table_lines(COLUMNS, submission_rows(shown), width) if shown else []
    if len(lines) > room + 1:  # no room for reasons
        bare = [Row(row.cells, row.style, row.styled) for row in submission_rows(shown)]
        lines = table_lines(COLUMNS, bare, width)
    return Group(*lines, Text(counts_text(submissions), style="bold", no_wrap=True, overflow="ellipsis"))


def choose_rows(submissions: Sequence[Submission], room: int) -> list[Submission]:
    """Return at most `room` submissions in their order: those held, up to half the room, and the newest."""
    if len(submissions) <= room:
        return list(submissions)
    newest = sorted(submissions, key=lambda each: each.id, reverse=True)
    held = [each for each in newest if each.state is SubmissionState.HELD][: room // 2]
    chosen = {each.id for each in [*held, *(each for each in newest if each not in held)][:room]}
    return [each for each in submissions if each.id in chosen]


def counts_text(submissions: Sequence[Submission]) -> str:
    """Return how many there are, and in which states: `16 files: 11 sent, 5 rejected`."""
    order = list(SubmissionState)
    words = map(state_text, sorted(submissions, key=lambda each: order.index(each.state)))
    told = ", ".join(f"{count:,} {word}" for word, count in Counter(words).items())
    files = format_count(len(submissions), "file")
    return f"{files}: {told}" if told else files
