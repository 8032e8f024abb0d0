"""One submission as a row of a table: what all tables of the console and its API show."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from workflow.console.actions import ActionKind, possible_actions, sends_in_doubt, standing_of
from workflow.console.console import Console
from workflow.frozen import frozen
from workflow.intake import printable_path
from workflow.ledger import LatestEvent
from workflow.model import ENDED_STATES, EventKind, Submission, SubmissionState
from workflow.notes import Answer, answer_document, print_time_text, ready_text
from workflow.operations import read_answers
from workflow.pipeline.thumbnails import THUMBNAILS_FOLDER, thumbnail_path

NOT_COMING = ENDED_STATES - {SubmissionState.DISPATCHED, SubmissionState.PRINTING}
"""States in which nothing will be ready: it is, or never will be."""


@frozen
class SubmissionRow:
    """A submission in short. Texts are for people; `version` grows with each change."""

    id: int
    path: str
    folder: str
    name: str
    state: str
    hold: str | None
    reason: str | None
    preset: str | None
    rule: str | None
    destination: str
    print_time: str
    cost: str
    ready: str
    dropped_by: str | None
    opened_at: datetime
    changed_at: datetime
    version: int
    size: int | None
    copies: int | None
    actions: tuple[ActionKind, ...]
    reordered_from: int | None = None
    held_at: datetime | None = None
    is_drawn: bool = False
    """True if there is a picture of the part."""

    @property
    def standing(self) -> str:
        """Return what the page showed when its buttons were pressed."""
        return standing_of(self.state, self.hold)


def make_rows(console: Console, submissions: Sequence[Submission]) -> tuple[SubmissionRow, ...]:
    """Return the rows of these submissions, in their order."""
    search, held = console.ledger.search, [each.id for each in submissions if each.hold is not None]
    latest = search.latest_events([each.id for each in submissions])
    holds = search.latest_events(held, EventKind.HELD)
    answers = read_answers(console.ledger, console.settings, submissions)
    in_doubt = sends_in_doubt(console, submissions)
    return tuple(_make_row(console, each, latest, holds, answers, in_doubt) for each in submissions)


def _make_row(
    console: Console,
    submission: Submission,
    latest: Mapping[int, LatestEvent],
    holds: Mapping[int, LatestEvent],
    answers: Mapping[int, Answer],
    in_doubt: Collection[int],
) -> SubmissionRow:
    path, last, answer = (
        printable_path(submission.path),
        latest.get(submission.id),
        answers.get(submission.id),
    )
    held = holds.get(submission.id)
    folder, _, name = path.rpartition("/")
    picture = thumbnail_path(console.settings.state.absolute() / THUMBNAILS_FOLDER, submission)
    return SubmissionRow(
        id=submission.id,
        path=path,
        folder=folder,
        name=name,
        state=submission.state.value,
        hold=submission.hold and submission.hold.value,
        reason=submission.reason and printable_path(submission.reason),
        preset=submission.preset,
        rule=submission.routing_rule or submission.intake_rule,
        destination=destination_text(submission),
        print_time="" if answer is None or answer.print_seconds is None else print_time_text(answer),
        cost="" if answer is None else _cost_text(answer),
        ready=""
        if answer is None or submission.state in NOT_COMING
        else ready_text(answer, console.settings.zone).removeprefix("ready "),
        dropped_by=submission.dropped_by,
        opened_at=submission.opened_at,
        changed_at=submission.opened_at if last is None else last.at,
        version=0 if last is None else last.id,
        size=submission.size,
        copies=submission.copies,
        actions=possible_actions(submission, in_doubt),
        reordered_from=submission.reused,
        held_at=None if held is None else held.at,
        is_drawn=picture is not None and picture.exists(),
    )


def destination_text(submission: Submission) -> str:
    """Return where the build went, or goes: the printer, or the queue."""
    if submission.destination is None:
        return ""
    if submission.device:
        return printable_path(submission.device)
    return {"backlog": "Backlog", "job_request": "Job requests"}.get(
        submission.destination.value, submission.destination.value.replace("_", " ")
    )


def _cost_text(answer: Answer) -> str:
    """Return the cost alone: `6.80 USD`."""
    document = answer_document(answer)["cost"]
    if not isinstance(document, dict) or document["amount"] is None:
        return ""
    return f"{document['amount']:,.2f} {document['currency']}"
