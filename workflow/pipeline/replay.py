"""Why a submission was decided as it was, and what other rules would have decided.

Each decision is kept with its facts and the text of its rules. Both questions are answered by evaluating
the facts again, without the cloud.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo

from workflow.errors import RulesError, UnknownSubmission
from workflow.frozen import frozen
from workflow.ledger import Ledger
from workflow.model import DecisionRecord, IntakeDecision, Route, Submission, SubmissionState
from workflow.pipeline.decision_text import describe_intake, describe_route
from workflow.pipeline.facts import facts_before_upload
from workflow.routing import (
    Explanation,
    Rulebook,
    explain,
    explain_intake,
    explain_routing,
    parse_rules,
)

NOT_KEPT = "the rules that decided were not kept, or this stlflow can't read them"
OTHER_PRESET = "It would be sliced otherwise: where that build would go can't be told."


@frozen
class PastDecision:
    """Why a submission went where it went. `revision` is that of the rules that explain it.

    Where `decided` is empty, inspection came before any rule, and the explanation says what the rules
    would do if it had accepted the file.
    """

    submission: Submission
    decided: Mapping[str, DecisionRecord]
    revision: str
    explanation: Explanation


@frozen
class Difference:
    """A submission that other rules would treat otherwise: what was, what would be, and why, in words."""

    number: int
    path: str
    before: str
    after: str
    why: tuple[str, ...]


@frozen
class ReplayResult:
    """What other rules would have done, for how many submissions, and what can't be decided."""

    looked_at: int
    elsewhere: tuple[Difference, ...]
    not_comparable: tuple[int, ...]


def explain_past_decision(
    ledger: Ledger,
    number: int,
    other: Rulebook | None,
    zone: tzinfo | None,
    in_force: Callable[[], Rulebook] | None = None,
) -> PastDecision:
    """Explain a submission by the rules that decided, or by others.

    One that inspection rejected is explained by the rules in force. Raises UnknownSubmission where no
    rule has anything to say, and what `in_force` raises.
    """
    submission, decided = ledger.get(number), ledger.decisions.read(number)
    intake, routing = decided.get("intake"), decided.get("routing")
    if intake is None:
        rulebook = other or (
            in_force() if in_force is not None and _was_stopped_with_measures(submission) else None
        )
        return _explain_if_accepted(ledger, submission, rulebook, zone)
    books = _PastRulebooks(ledger)
    rulebook = other or books.of(intake)
    if rulebook is None:
        raise UnknownSubmission(
            f"Submission {number} can't be explained: {NOT_KEPT}. Name others with --rules."
        )
    routed_by = other or books.of(routing)
    explained = _explain_by(rulebook, routed_by, intake, routing, zone)
    return PastDecision(submission, decided, (routed_by or rulebook).revision, explained)


def _explain_by(
    intake_rules: Rulebook,
    routing_rules: Rulebook | None,
    intake: DecisionRecord,
    routing: DecisionRecord | None,
    zone: tzinfo | None,
) -> Explanation:
    """Evaluate the facts on which a submission was decided against rules, those of then or others."""
    explained = explain_intake(intake_rules, intake.facts, passed=intake.passed)
    if explained.intake.action != "upload" or routing is None or routing_rules is None:
        return explained
    day = routing.at.astimezone(zone).date()
    return explain_routing(
        explained, routing_rules, routing.facts, routing.devices, today=day, passed=routing.passed
    )


def _explain_if_accepted(
    ledger: Ledger, submission: Submission, rulebook: Rulebook | None, zone: tzinfo | None
) -> PastDecision:
    """Say what rules would do with a file that none has seen: inspection rejected it."""
    if rulebook is None or not _was_stopped_with_measures(submission):
        if submission.state is SubmissionState.REJECTED and submission.reason:
            raise UnknownSubmission(f"No rule saw submission {submission.id}: {submission.reason}")
        raise UnknownSubmission(
            f"Nothing was decided yet for submission {submission.id}, or it was not kept."
        )
    facts = facts_before_upload(ledger, submission, submission.opened_at, zone, rulebook.volumes)
    day = submission.opened_at.astimezone(zone).date()
    return PastDecision(submission, {}, rulebook.revision, explain(rulebook, facts, today=day))


def _was_stopped_with_measures(submission: Submission) -> bool:
    """True if inspection held or rejected the file, but measured how large it is."""
    mesh = submission.mesh
    was_stopped = submission.state in {SubmissionState.HELD, SubmissionState.REJECTED}
    return was_stopped and mesh is not None and mesh.verdict != "accept" and mesh.triangles > 0


def replay_rules(
    ledger: Ledger,
    rulebook: Rulebook,
    since: datetime | None,
    zone: tzinfo | None,
    *,
    newest: int | None = None,
) -> ReplayResult:
    """Send past submissions, all or the newest, through other rules.

    Nothing is changed, and the cloud is not asked.
    """
    books, elsewhere, unclear = _PastRulebooks(ledger), [], []
    numbers = ledger.decisions.list_decided_since(since)
    numbers = numbers if newest is None else numbers[-newest:]
    for number in numbers:
        decided = ledger.decisions.read(number)
        intake, routing = decided.get("intake"), decided.get("routing")
        before, routed_by = books.of(intake), books.of(routing)
        if intake is None or before is None or (routing is not None and routed_by is None):
            unclear.append(number)
            continue
        changed = _compare(
            _explain_by(before, routed_by, intake, routing, zone),
            _explain_by(rulebook, rulebook, intake, routing, zone),
        )
        if changed is not None:
            elsewhere.append(Difference(number, ledger.get(number).path, *changed))
    return ReplayResult(len(numbers), tuple(elsewhere), tuple(unclear))


BeforeAfterReasons = tuple[str, str, tuple[str, ...]]


def _compare(before: Explanation, after: Explanation) -> BeforeAfterReasons | None:
    """Return what differs, before the upload or after slicing; None if nothing does."""
    then, now = before.intake, after.intake
    if describe_intake(then) != describe_intake(now):
        is_sliced_differently = then.action == now.action == "upload" and then.preset != now.preset
        gap = (OTHER_PRESET,) if is_sliced_differently else ()
        return _difference(then, now, describe_intake(then), describe_intake(now), gap)
    old, new = before.routing, after.routing
    if old is None or new is None or describe_route(old) == describe_route(new):
        return None
    return _difference(old, new, describe_route(old), describe_route(new), new.reasons)


def _difference(
    old: IntakeDecision | Route, new: IntakeDecision | Route, before: str, after: str, more: tuple[str, ...]
) -> BeforeAfterReasons:
    why = (*_why_not_matched(old, new), *more)
    return f"{before} (rule '{old.rule}')", f"{after} (rule '{new.rule}')", why


def _why_not_matched(old: IntakeDecision | Route, new: IntakeDecision | Route) -> tuple[str, ...]:
    """Return why the rule that matched before does not match now; empty if the new rules lack it."""
    passed = (rule for rule in new.considered if rule.rule == old.rule and not rule.matched)
    return tuple(f"'{rule.rule}': {rule.why_not}" for rule in passed)


class _PastRulebooks:
    """The rules of the past, each read once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._read: dict[str, Rulebook | None] = {}

    def of(self, decided: DecisionRecord | None) -> Rulebook | None:
        """Return the rules that decided; None when they were not kept, or can't be read any more."""
        if decided is None:
            return None
        revision = decided.revision
        if revision not in self._read:
            text = self._ledger.decisions.read_rules(revision)
            try:
                self._read[revision] = None if text is None else parse_rules(text, f"rules {revision}")
            except RulesError:
                self._read[revision] = None
        return self._read[revision]
