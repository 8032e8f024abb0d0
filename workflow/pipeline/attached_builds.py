"""Sends of a build that a person attached: it may have been printed before, and Eiger shows that, too.

No time tells those prints from ours. So whatever Eiger shows of the build is written down before the first
send goes out; what comes on top of that is of our doing, or of a person who was quicker. What may have
been printed for this very file, and not by us, is shown to a person before anything is sent.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from workflow.frozen import frozen
from workflow.ledger import SendIntent
from workflow.model import EventKind, Submission, SubmissionEvent
from workflow.pipeline.context import Context
from workflow.pipeline.find_build import part_made_at
from workflow.pipeline.reconcile import AmbiguousTraces, Trace, judge, traces
from workflow.pipeline.time_bounds import not_before


@frozen
class PrintedBefore:
    """Traces of the build that are not of our doing, and not surely older than the file: a person looks."""

    fresh: tuple[str, ...]
    seen: tuple[str, ...]


def was_attached(history: Sequence[SubmissionEvent], build_id: str) -> bool:
    """True if a person named this build."""
    return any(
        event.event == EventKind.BUILD_ATTACHED and event.detail.startswith(build_id) for event in history
    )


def find_attached_send(
    context: Context, submission: Submission, intent: SendIntent, done: Sequence[str]
) -> str | AmbiguousTraces | PrintedBefore | None:
    """Return the cloud's id of what an earlier attempt sent, None if none did; else why nobody can tell.

    `done` are the receipts of the copies before this one. None means that what Eiger shows is written down.
    Raises CloudError, StateFolderError, Superseded.
    """
    first = intent.times == 1
    if first and done:  # a further copy leaves no trace that could be told from those before it
        return None
    seen = traces(context.client, submission)
    before = context.ledger.earlier_prints.read(submission)
    if first or before is None:
        return _record_earlier_prints(context, submission, seen, before, first=first)
    return compared(seen, before, done)


def compared(
    seen: Sequence[Trace], before: Collection[str], done: Sequence[str]
) -> str | AmbiguousTraces | None:
    """Return what came on top of what was there before the first send, judged as any other trace.

    What was there and is gone may have come back under another id, as a queued job that was begun.
    """
    verdict = judge([trace for trace in seen if trace.id not in before], done)
    gone = set(before) - {trace.id for trace in seen}
    if isinstance(verdict, str) and gone:
        return AmbiguousTraces(
            f"of {len(before)} earlier prints of this build Eiger shows {len(gone)} no more"
        )
    return verdict


def _record_earlier_prints(
    context: Context,
    submission: Submission,
    seen: Sequence[Trace],
    before: Collection[str] | None,
    *,
    first: bool,
) -> AmbiguousTraces | PrintedBefore | None:
    ids = tuple(dict.fromkeys([*(before or ()), *(trace.id for trace in seen)]))
    new = [trace for trace in seen if trace.id not in (before or ())]
    if new and before is None:
        new = not_surely_older(new, _part_made_at(context, submission))
    if not new:
        context.ledger.earlier_prints.remember(submission, ids)
        return None
    if not first:  # an attempt of an older release, which wrote nothing down
        return AmbiguousTraces(f"Eiger shows {len(new)} print(s) of this build since the upload")
    return PrintedBefore(tuple(trace.id for trace in new), ids)


def _part_made_at(context: Context, submission: Submission) -> datetime | None:
    return part_made_at(context.client, context.client.read_part_version(submission.part_version_id or ""))


def not_surely_older(traces: Sequence[Trace], made_at: datetime | None) -> list[Trace]:
    """Return the traces that may be younger than the part: a time that Eiger does not say proves no age."""
    if made_at is None:
        return list(traces)
    return [trace for trace in traces if trace.made_at is None or trace.made_at >= not_before(made_at)]
