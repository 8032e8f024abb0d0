"""Everything about one submission, for people: labels, whole sentences, the times of the shop."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo

from rich.console import Console
from rich.text import Text

from workflow.cli.progress import result_console
from workflow.cli.rules_output import decision_lines
from workflow.cli.submission_table import STATE_COLORS, plain_text, state_text
from workflow.frozen import frozen
from workflow.model import DecisionRecord, PrintPhase, Submission, SubmissionEvent, SubmissionState
from workflow.notes import (
    Answer,
    DecisionWays,
    PrintStatus,
    answer_line,
    answer_once_printing,
    fact_lines,
    next_step_text,
    print_status_text,
)

_LABEL_WIDTH = 11
_DECIDABLE = frozenset({SubmissionState.HELD, SubmissionState.REJECTED, SubmissionState.CANCELED})
_UNLIMITED = 100_000
_FACT_TITLE = 10
"""How wide titles are in the facts of a note."""
_COMMAND = re.compile(r"`[^`]*`")


@frozen
class SubmissionPage:
    """One submission, its history, what was decided for it, and how far its print is."""

    submission: Submission
    events: Sequence[SubmissionEvent]
    decided: Mapping[str, DecisionRecord]
    receipts: Sequence[str]
    answer: Answer | None
    status: PrintStatus | None


def print_submission(page: SubmissionPage, ways: DecisionWays, zone: tzinfo | None) -> None:
    """Print the page on stdout."""
    console, submission = result_console(), page.submission
    width = console.width if console.is_terminal else _UNLIMITED
    title = f"Submission {submission.id}: {plain_text(submission.path)}"
    console.print(Text(title, style="bold"), soft_wrap=True)
    _print_rows(console, _rows(page, ways, zone), width, submission)
    console.print()
    for event in page.events:
        when = f"{event.at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}  "
        lines = _wrapped(f"{event.label:<14}{event.detail}", width - len(when))
        for place, line in enumerate(lines):
            console.print(Text(f"{when if not place else '':<{len(when)}}{line}"), soft_wrap=True)


def _rows(page: SubmissionPage, ways: DecisionWays, zone: tzinfo | None) -> Iterator[tuple[str, str]]:
    submission, copies = page.submission, () if page.status is None else page.status.copies
    seen = (copy.since for copy in copies if copy.phase is not PrintPhase.QUEUED)
    ended = max(seen, default=submission.ended_at)
    since = f", since {ended.astimezone(zone):%a %d %b %H:%M %Z}" if ended else ""
    yield "State", f"{state_text(submission)}{since}"
    yield "Why", submission.reason or ""
    if submission.state in _DECIDABLE:
        step = ways.with_command(next_step_text(submission, ways))
        by_move, _, by_command = step.partition("\n  By command: ")
        yield "Next", by_move
        yield "", f"By command: {' or '.join(_COMMAND.findall(by_command))}" if by_command else ""
    answer = page.answer
    if answer is not None and page.status is not None:
        answer = answer_once_printing(answer, page.status.copies)
    yield "Print", "" if answer is None else answer_line(answer, zone)
    yield "In Eiger", "" if answer is None else answer.eiger_link or ""
    yield "Now", "" if page.status is None else print_status_text(page.status)
    yield "Late", f"{submission.late_on:%a %d %b %Y} by queue and estimate" if submission.late_on else ""
    yield "Dropped by", submission.dropped_by or ""
    for line in fact_lines(submission, ""):
        yield line[:_FACT_TITLE].strip(), line[_FACT_TITLE:]
    yield "Receipts", ", ".join(page.receipts) if len(page.receipts) > 1 else ""
    for line in decision_lines(page.decided, zone):
        yield "Decided", line


def _print_rows(
    console: Console, rows: Iterator[tuple[str, str]], width: int, submission: Submission
) -> None:
    for title, value in rows:
        for place, line in enumerate(_wrapped(value, width - _LABEL_WIDTH - 2) if value else ()):
            label = "" if place else title
            style = STATE_COLORS.get(submission.state, "") if title == "State" else ""
            text = Text().append(f"  {label:<{_LABEL_WIDTH}}", style="dim").append(line, style=style)
            console.print(text, soft_wrap=True)


def _wrapped(text: str, width: int) -> list[str]:
    """Break between words only: an id or a name that is cut in two can't be copied."""
    return textwrap.wrap(
        plain_text(text), max(width, 20), break_on_hyphens=False, break_long_words=False
    ) or [""]
