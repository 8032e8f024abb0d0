"""What was decided, and what other rules would have decided, for scripts and for people."""

from collections.abc import Iterator, Mapping

from workflow.cli.explained import as_document, as_lines
from workflow.model import Decided
from workflow.pipeline.hindsight import Past, Replay
from workflow.routing import Rulebook


def decisions_document(decided: Mapping[str, Decided]) -> list[dict[str, object]]:
    """Give the decisions of a submission, in the order in which they are taken."""
    return [
        {
            "stage": stage,
            "at": each.at.isoformat(),
            "revision": each.revision,
            "rule": each.rule,
            "passed": list(each.passed),
            "facts": dict(each.facts),
        }
        for stage, each in sorted(decided.items())
    ]


def decision_lines(decided: Mapping[str, Decided]) -> Iterator[str]:
    """Give one line for each decision: when, by which rule of which revision."""
    for stage, each in sorted(decided.items()):
        released = f", released from {', '.join(each.passed)}" if each.passed else ""
        when = f"{each.at.astimezone():%Y-%m-%d %H:%M}"
        yield f"{stage} decided {when} by '{each.rule}' of rules {each.revision}{released}"


def past_document(past: Past) -> dict[str, object]:
    """Give what scripts rely on: the document of a file, and by which rules."""
    return {
        "submission": past.submission.id,
        "path": past.submission.path,
        "state": past.submission.state.value,
        "decided": decisions_document(past.decided),
        "explained_by": past.revision,
        **as_document(past.explanation, past.submission.mesh),
    }


def past_lines(past: Past) -> Iterator[str]:
    """Give the same for people."""
    yield f"submission {past.submission.id}: {past.submission.path} is {past.submission.state}"
    yield from decision_lines(past.decided)
    if past.decided and past.revision not in {each.revision for each in past.decided.values()}:
        yield f"By rules {past.revision} it would be:"
    yield from as_lines(past.explanation, past.submission.mesh)
    if not past.decided:
        yield f"These are rules {past.revision}; none of them has seen the file."


def replay_document(replayed: Replay, rulebook: Rulebook) -> dict[str, object]:
    """Give what scripts rely on."""
    return {
        "revision": rulebook.revision,
        "looked_at": replayed.looked_at,
        "elsewhere": [
            {
                "id": each.number,
                "path": each.path,
                "before": each.before,
                "after": each.after,
                "why": list(each.why),
            }
            for each in replayed.elsewhere
        ],
        "not_comparable": list(replayed.not_comparable),
    }


def replay_lines(replayed: Replay, rulebook: Rulebook) -> Iterator[str]:
    """Give the same for people."""
    for each in replayed.elsewhere:
        yield f"{each.number}  {each.path}"
        yield f"    was:      {each.before}"
        yield f"    would be: {each.after}"
        yield from (f"    {why}" for why in each.why)
    count = len(replayed.elsewhere)
    yield f"{count} of {replayed.looked_at} would go elsewhere by rules {rulebook.revision}."
    if replayed.not_comparable:
        numbers = ", ".join(map(str, replayed.not_comparable))
        yield f"Not compared, for the rules that decided are not kept or can't be read: {numbers}."
