"""The question before an action: which parts, how many, and what it asks. It changes nothing."""

from dataclasses import dataclass

from starlette.requests import Request

from workflow.console.access import console_of
from workflow.console.actions import ACTIONS, Action, ActionKind, parse_kind, possible_actions
from workflow.console.forms import Refused, own_path
from workflow.intake import printable_path


@dataclass(frozen=True, slots=True)
class ChosenPart:
    """One part that an action is for; `refused` is why it can't be done to it now."""

    id: int
    path: str
    refused: str = ""


@dataclass(frozen=True, slots=True)
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
    found = {each.id: each for each in console_of(request).ledger.among(chosen)}
    parts = []
    for number in chosen:
        submission = found.get(number)
        if submission is None:
            parts.append(ChosenPart(number, "", "There is no such submission."))
            continue
        refused = "" if kind in possible_actions(submission) else f"It is {submission.state}."
        parts.append(ChosenPart(number, printable_path(submission.path), refused))
    possible = sum(not each.refused for each in parts)
    return Question(kind, ACTIONS[kind], tuple(parts), possible, own_path(query.get("next", "")) or "/")
