"""What a person can do about submissions, with who and why, and the question before it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from starlette.requests import Request

from workflow.console.access import console_of, visitor_of
from workflow.console.console import Console
from workflow.console.forms import Refused, first, is_whole_number, numbers, own_path
from workflow.console.views import Done, Form, ItemResult, Parameter
from workflow.errors import StlflowError, WrongSubmissionState
from workflow.frozen import frozen
from workflow.intake import printable_path
from workflow.model import ENDED_STATES, HoldReason, Submission, SubmissionState
from workflow.operations import check_build_holds_part
from workflow.pipeline.commands import (
    attach_build,
    cancel_submission,
    confirm_send,
    release_submission,
    retry_submission,
)
from workflow.pipeline.decider import Decider
from workflow.pipeline.holds import BUILD_MAY_CHANGE, RELEASABLE_HOLDS, RESUMABLE
from workflow.pipeline.order_again import order_again

MOST_AT_ONCE = 500


class ActionKind(StrEnum):
    """What can be done."""

    RELEASE = "release"
    RETRY = "retry"
    ATTACH = "attach"
    SENT = "sent"
    NOT_SENT = "not-sent"
    ORDER = "order"
    REJECT = "reject"


@frozen
class Action:
    """How an action is shown: its button, what it did in words, and what it asks first.

    `title` begins the question, before the name of the part; without one the button does.
    """

    button: str
    done: str
    needs_why: bool = False
    asks: str = ""
    hint: str = ""
    title: str = ""

    @property
    def asks_first(self) -> bool:
        """True if a dialog comes before it."""
        return bool(self.needs_why or self.asks or self.hint)


ACTIONS: Mapping[ActionKind, Action] = {
    ActionKind.RELEASE: Action("Release", "released"),
    ActionKind.RETRY: Action("Retry", "taken up again"),
    ActionKind.ATTACH: Action(
        "Attach…",
        "going on with that build",
        asks="build",
        hint="The id of a build, as Eiger shows it.",
        title="Attach a build to",
    ),
    ActionKind.SENT: Action(
        "It was sent…",
        "marked as sent",
        asks="receipt",
        hint="Look in Eiger first. The id of the print job or request there, or a word.",
        title="Confirm as sent:",
    ),
    ActionKind.NOT_SENT: Action(
        "It was not sent…",
        "being sent now",
        hint="Look in Eiger first: it is sent now. If it was sent after all, it prints twice.",
        title="Confirm as not sent:",
    ),
    ActionKind.ORDER: Action(
        "Order again…", "ordered again", asks="copies", hint="Nothing is uploaded again."
    ),
    ActionKind.REJECT: Action(
        "Reject…",
        "rejected",
        needs_why=True,
        hint="Its file goes to rejected/, with your reason in the note. Its state is Canceled then.",
    ),
}


ACTION_FIELDS = (
    Parameter("action", "release, retry, attach, sent, not-sent, order or reject"),
    Parameter("id", "the numbers of the submissions", "array"),
    Parameter("why", "the reason, for the history and the note"),
    Parameter("build", "for attach: the id of the build"),
    Parameter("anyway", "for attach: do not ask Eiger whether the build holds the part"),
    Parameter("receipt", "for sent: the id that Eiger shows"),
    Parameter("copies", "for order: how many"),
)


def sends_in_doubt(console: Console, submissions: Iterable[Submission]) -> frozenset[int]:
    """Return the numbers of those that are held because nobody knows whether they were sent."""
    held = [each.id for each in submissions if each.hold is HoldReason.SEND]
    return console.ledger.commands.list_sends_in_doubt(held)


def possible_actions(submission: Submission, in_doubt: Collection[int]) -> tuple[ActionKind, ...]:
    """Return what a submission's state allows, the likeliest first. The ledger checks it again.

    `in_doubt`: the submissions of which nobody knows whether they were sent.
    """
    state, hold = submission.state, submission.hold
    is_held, is_doubted = state is SubmissionState.HELD, submission.id in in_doubt
    allowed = {
        ActionKind.SENT: is_held and is_doubted,
        ActionKind.NOT_SENT: is_held and is_doubted,
        ActionKind.RELEASE: is_held and hold in RELEASABLE_HOLDS,
        ActionKind.ATTACH: is_held and hold in BUILD_MAY_CHANGE - {HoldReason.UNITS, HoldReason.ROUTE},
        ActionKind.RETRY: state in RESUMABLE and not is_doubted,
        ActionKind.ORDER: submission.receipt_id is not None and not submission.left_in_place,
        ActionKind.REJECT: state not in ENDED_STATES,
    }
    return tuple(kind for kind, is_allowed in allowed.items() if is_allowed)


def standing_of(state: str, hold: str | None) -> str:
    """Return what a person decides about: a hold, a part that was set aside, or one that goes its way."""
    if state == SubmissionState.HELD:
        return f"held {hold}"
    return state if state in {SubmissionState.REJECTED, SubmissionState.CANCELED} else "going"


def act_on_submissions(request: Request, form: Form) -> Done:
    """Carry out an action for each submission that the form names; each is checked by itself."""
    kind = parse_kind(first(form, "action"))
    chosen = numbers(form, "id")
    if not chosen or len(chosen) > MOST_AT_ONCE:
        raise Refused(f"{len(chosen)} submissions are chosen. Choose from 1 to {MOST_AT_ONCE}.")
    decider = Decider(visitor_of(request).by, first(form, "why"))
    if ACTIONS[kind].needs_why and not decider.why:
        raise Refused(
            "Say why in a few words: they are in the note for the person who dropped the file.", field="why"
        )
    console = console_of(request)
    results: tuple[ItemResult, ...]
    if len(chosen) == 1:  # its refusal is shown as it is
        results = (ItemResult(chosen[0], True, carry_out(console, decider, kind, chosen[0], form)),)
    else:
        results = tuple(_try(console, decider, kind, number, form) for number in chosen)
    console.wake()
    return Done(_summary(kind, results), results)


def parse_kind(word: str) -> ActionKind:
    """Return an action by its name. Raises Refused."""
    try:
        return ActionKind(word)
    except ValueError:
        raise Refused(f"There is no action {word!r}.") from None


def _try(console: Console, decider: Decider, kind: ActionKind, number: int, form: Form) -> ItemResult:
    try:
        return ItemResult(number, True, carry_out(console, decider, kind, number, form))
    except StlflowError as error:
        return ItemResult(number, False, str(error))


def carry_out(console: Console, decider: Decider, kind: ActionKind, number: int, form: Form) -> str:
    """Carry out an action, and return the file's path. Raises a StlflowError if it is not allowed."""
    ledger = console.ledger
    submission = ledger.get(number)
    _refuse_if_changed(submission, form)
    match kind:
        case ActionKind.RELEASE:
            release_submission(ledger, number, console.share, decider=decider)
        case ActionKind.RETRY:
            retry_submission(ledger, number, console.share, decider)
        case ActionKind.REJECT:
            cancel_submission(ledger, number, decider=decider)
        case ActionKind.SENT:
            confirm_send(
                ledger, number, _required(form, "receipt", "Say what Eiger shows: an id, or a word."), decider
            )
        case ActionKind.NOT_SENT:
            confirm_send(ledger, number, None, decider, console.share)
        case ActionKind.ORDER:
            order_again(ledger, number, _parse_copies(first(form, "copies")), decider)
        case ActionKind.ATTACH:
            build = _required(form, "build", "Say which build: its id in Eiger.")
            if not first(form, "anyway"):
                check_build_holds_part(console.settings, number, build)
            attach_build(ledger, number, build, decider, console.share)
    return submission.path


def _refuse_if_changed(submission: Submission, form: Form) -> None:
    """Raise WrongSubmissionState if the page showed another state or hold. Scripts may leave it out."""
    now = f"{submission.id} {standing_of(submission.state, submission.hold)}"
    seen = [each for each in form.get("seen", ()) if each.startswith(f"{submission.id} ")]
    if seen and now not in seen:
        raise WrongSubmissionState(
            f"Submission {submission.id} is {submission.state} now, not as you saw it: look again."
        )


def _required(form: Form, name: str, why: str) -> str:
    value = first(form, name)
    if not value:
        raise Refused(why, field=name)
    return value[:200]


def _parse_copies(text: str) -> int | None:
    if not text:
        return None
    if not is_whole_number(text, 4):
        raise Refused(f"{text[:20]!r} is no number of copies.", field="copies")
    return int(text)


def _summary(kind: ActionKind, results: Sequence[ItemResult]) -> str:
    """Return what was done in words: names and numbers of one, the count of many, and each refusal."""
    done = [each for each in results if each.done]
    refused = [each.said for each in results if not each.done]
    parts = []
    if len(done) == 1:
        parts.append(f"{done[0].said} ({done[0].id}) is {ACTIONS[kind].done}.")
    elif done:
        parts.append(f"{len(done)} are {ACTIONS[kind].done}.")
    if refused:
        parts.append(f"{len(refused)} not done: {' '.join(refused)}")
    return " ".join(parts)


@frozen
class ChosenPart:
    """One part that an action is for; `refused` is why it can't be done to it now."""

    id: int
    path: str
    refused: str = ""
    standing: str = ""


@frozen
class Question:
    """What is asked before an action."""

    kind: ActionKind
    action: Action
    parts: tuple[ChosenPart, ...]
    possible: int
    goes_to: str


def read_question(request: Request) -> Question:
    """Return what an action would be done to: `action` and each `id` of the query. Raises Refused."""
    query = request.query_params
    kind = parse_kind(query.get("action", ""))
    try:
        chosen = sorted({int(each) for each in query.getlist("id") if len(each) < 10})
    except ValueError:
        raise Refused("A number of a submission is not a number.") from None
    if not chosen:
        raise Refused("No part is chosen. Choose some rows first.")
    console = console_of(request)
    found = {each.id: each for each in console.ledger.among(chosen)}
    in_doubt = sends_in_doubt(console, found.values())
    parts = []
    for number in chosen:
        submission = found.get(number)
        if submission is None:
            parts.append(ChosenPart(number, "", "There is no such submission."))
            continue
        refused = _why_refused(kind, submission, in_doubt)
        standing = standing_of(submission.state, submission.hold)
        parts.append(ChosenPart(number, printable_path(submission.path), refused, standing))
    possible = sum(not each.refused for each in parts)
    return Question(kind, ACTIONS[kind], tuple(parts), possible, own_path(query.get("next", "")) or "/")


def _why_refused(kind: ActionKind, submission: Submission, in_doubt: Collection[int]) -> str:
    """Return why an action can't be done to a submission now; empty if it can."""
    if kind in possible_actions(submission, in_doubt):
        return ""
    if kind is ActionKind.RETRY and submission.id in in_doubt:
        return "It may have been sent already: confirm that first."
    if kind in {ActionKind.SENT, ActionKind.NOT_SENT} and submission.state is SubmissionState.HELD:
        return "Its send is not in doubt: read its reason."
    if submission.state is SubmissionState.HELD:
        return "It is held for another reason: read it."
    return f"It is {submission.state}."
