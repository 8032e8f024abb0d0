"""One submission: what it is, where it is on its way, what was decided and why, and all that happened."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from starlette.requests import Request

from workflow.console.access import console_of
from workflow.console.attention import proposal_of
from workflow.console.console import Console
from workflow.console.part_files import PartFile, list_files
from workflow.console.part_view import can_be_shown
from workflow.console.rows import SubmissionRow, make_rows
from workflow.errors import StlflowError
from workflow.frozen import frozen
from workflow.intake import printable_path
from workflow.model import (
    SENT_STATES,
    ConsideredRule,
    FactValue,
    HoldReason,
    MeshReport,
    Submission,
    SubmissionEvent,
    SubmissionState,
)
from workflow.notes import Answer, answer_line, materials_text, print_time_text
from workflow.operations import read_answers
from workflow.pipeline.decision_text import describe_intake, describe_route
from workflow.pipeline.replay import explain_past_decision

_S = SubmissionState
PATH: tuple[tuple[str, str, str, frozenset[SubmissionState]], ...] = (
    ("Checked", "Checking", "check", frozenset({_S.CLAIMED})),
    ("Sliced", "Slicing", "slice", frozenset({_S.INSPECTED, _S.UPLOADED, _S.SLICING})),
    ("Place chosen", "Choosing", "route", frozenset({_S.SLICED})),
    ("Sent", "Sending", "send", frozenset({_S.ROUTED})),
    ("Printed", "Printing", "printing", frozenset({_S.DISPATCHED, _S.PRINTING, _S.FAILED})),
)
"""The way of a part: each step, its word while it goes on, its icon, and the states in which it is next."""


@frozen
class PathStep:
    """One step of the way: `status` is done, now, stopped or ahead."""

    title: str
    icon: str
    status: str


@frozen
class HistoryLine:
    """One thing that happened."""

    at: datetime
    event: str
    label: str
    detail: str


@frozen
class DecisionShown:
    """What the rules decided at one stage: by which rule, on which facts, and every rule with its reason."""

    stage: str
    at: datetime
    rule: str
    outcome: str
    rules: tuple[ConsideredRule, ...]
    facts: Mapping[str, FactValue]
    passed: tuple[str, ...]
    revision: str


@frozen
class SubmissionPage:
    """Everything about one submission."""

    id: int
    row: SubmissionRow
    proposal: str
    path: str
    way: tuple[PathStep, ...]
    has_mesh: bool
    mesh: MeshReport | None
    answer: Answer | None
    answer_facts: tuple[tuple[str, str], ...]
    decisions: tuple[DecisionShown, ...]
    history: tuple[HistoryLine, ...]
    files: tuple[PartFile, ...]
    build_id: str | None
    part_version_id: str | None
    receipts: tuple[str, ...]
    sha256: str | None
    same_content: tuple[int, ...]
    command: str


def read_submission_page(request: Request) -> SubmissionPage:
    """Return everything about one submission. Raises UnknownSubmission."""
    console, number = console_of(request), int(request.path_params["number"])
    ledger = console.ledger
    submission = ledger.get(number)
    answer = read_answers(ledger, console.settings, [submission]).get(number)
    row = make_rows(console, [submission])[0]
    alike = ledger.list_with_content(submission.sha256) if submission.sha256 else ()
    return SubmissionPage(
        id=number,
        row=row,
        proposal=proposal_of(row),
        path=printable_path(submission.path),
        way=tuple(_path_steps(submission, ledger.events(number))),
        has_mesh=submission.mesh is not None and can_be_shown(submission, submission.mesh),
        mesh=submission.mesh,
        answer=answer,
        answer_facts=tuple(_answer_facts(console, answer, row)),
        decisions=tuple(_decisions(console, submission)),
        history=tuple(
            HistoryLine(each.at, str(each.event), each.label, printable_path(each.detail))
            for each in ledger.events(number)
        ),
        files=tuple(list_files(console, submission)),
        build_id=submission.build_id,
        part_version_id=submission.part_version_id,
        receipts=tuple(ledger.sends.list_receipts(number)),
        sha256=submission.sha256,
        same_content=tuple(each.id for each in alike if each.id != number)[:10],
        command=f"stlflow show {number}",
    )


def _path_steps(submission: Submission, events: Sequence[SubmissionEvent]) -> Iterator[PathStep]:
    """Yield the way with what is behind, where it is now, and where it stopped."""
    state = submission.state
    reached = _reached(submission)
    stopped = state in {_S.HELD, _S.REJECTED, _S.CANCELED, _S.FAILED, _S.LOST_TRACK}
    is_followed = state in SENT_STATES - {_S.DISPATCHED} or any(
        each.event in {"printing", "printed"} for each in events
    )
    for place, (title, going_on, icon, _) in enumerate(PATH):
        if title == "Printed" and not is_followed:
            continue
        if place < reached:
            yield PathStep(title, icon, "done")
        elif place == reached:
            yield PathStep(title, icon, "stopped") if stopped else PathStep(going_on, icon, "now")
        else:
            yield PathStep(title, icon, "ahead")


def _reached(submission: Submission) -> int:
    """Return how many steps are behind a submission; of one that was stopped, as far as it got."""
    for place, (*_, states) in enumerate(PATH):
        if submission.state in states:
            return place
    if submission.state is _S.PRINTED:
        return len(PATH)
    marks = (submission.mesh, submission.build_id, submission.routing_rule, submission.receipt_id)
    if submission.hold in {HoldReason.MESH, HoldReason.FILE} or submission.state is _S.REJECTED:
        return 0
    return next((place for place, mark in enumerate(marks) if mark is None), len(marks))


def _answer_facts(console: Console, answer: Answer | None, row: SubmissionRow) -> Iterator[tuple[str, str]]:
    """Yield what printing takes, one fact a line."""
    if answer is None:
        return
    zone = console.settings.zone
    yield "Print time", print_time_text(answer)
    yield "Material", materials_text(answer)
    cost = [each for each in answer_line(answer, zone).split(" · ") if each.startswith(("about ", "cost "))]
    yield from (("Cost", each) for each in cost)
    if row.ready:
        yield "Ready", row.ready.removeprefix("ready: ")


def _decisions(console: Console, submission: Submission) -> Iterator[DecisionShown]:
    """Yield what the rules decided, each rule with its reason where the rules of then are known."""
    decided = console.ledger.decisions.read(submission.id)
    explained = None
    with suppress(StlflowError):
        explained = explain_past_decision(
            console.ledger, submission.id, None, console.settings.zone
        ).explanation
    for stage in ("intake", "routing"):
        if (each := decided.get(stage)) is None:
            continue
        rules: tuple[ConsideredRule, ...] = ()
        outcome = ""
        if explained is not None and stage == "intake":
            rules, outcome = explained.intake_rules, describe_intake(explained.intake)
        elif explained is not None:
            rules = explained.routing_rules
            outcome = describe_route(explained.routing) if explained.routing else ""
        yield DecisionShown(stage, each.at, each.rule, outcome, rules, each.facts, each.passed, each.revision)
