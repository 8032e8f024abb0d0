"""Which print job prints which copy. Pure.

A print job that has the id of the receipt, or was seen before, belongs to its copy for certain. Otherwise the
build is the only thread: jobs of the build that began after the send belong to the copies that have left the
place where they waited, first sent, first printed. Of two such copies nobody can say which one it is.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from workflow.frozen import frozen
from workflow.model import FollowedPrint, PrintPhase
from workflow.pipeline.print_phase import SeenJob

CLOCK_SLACK = timedelta(seconds=30)
"""By so much the clocks of Eiger and of the ledger may differ, beyond what was measured."""
_LONG_AGO = datetime.fromtimestamp(0, UTC)


@frozen
class Match:
    """The print job of a copy; `others` is how many other copies of the build it may belong to."""

    job: SeenJob
    others: int = 0


def is_candidate(copy: FollowedPrint, job: SeenJob) -> bool:
    """True if a job may be the print of a copy: by its build and its time, at the printer it was sent to."""
    not_before = max(copy.sent_at, copy.waited_at or _LONG_AGO) - CLOCK_SLACK
    is_there = copy.device_id in {None, job.device_id}
    return is_there and job.build_id == copy.build_id and (job.began_at or _LONG_AGO) >= not_before


def match_jobs(
    copies: Sequence[FollowedPrint],
    jobs: Sequence[SeenJob],
    has_left: Collection[str],
    taken: Collection[str] = (),
) -> Mapping[str, Match]:
    """Return the print job of each copy by its receipt, as far as one is shown.

    `has_left` are the receipts that no longer wait; `taken` are jobs that belong to other copies, ended ones
    included. Running and ended jobs count; others say nothing.
    """
    telling = {job.id: job for job in jobs if job.is_active or job.has_ended}
    matches: dict[str, Match] = {}
    for copy in copies:
        known = telling.get(copy.job_id or "") or telling.get(copy.receipt_id)
        if known is not None:
            matches[copy.receipt_id] = Match(known)
    used = {match.job.id for match in matches.values()} | {copy.job_id for copy in copies} | set(taken)
    free = [job for job in telling.values() if job.id not in used]
    waiting = _by_build(copies, matches, has_left)
    for build_id, unmatched in waiting.items():
        of_build = sorted((job for job in free if job.build_id == build_id), key=_began)
        for job in of_build:
            fitting = [copy for copy in unmatched if is_candidate(copy, job)]
            if fitting:
                matches[fitting[0].receipt_id] = Match(job, len(fitting) - 1)
                unmatched.remove(fitting[0])
    return matches


def _by_build(
    copies: Sequence[FollowedPrint], matches: Mapping[str, Match], has_left: Collection[str]
) -> Mapping[str, list[FollowedPrint]]:
    """Return the copies that wait for a job, by build, first sent first; one for each receipt."""
    found: dict[str, dict[str, FollowedPrint]] = defaultdict(dict)
    for copy in sorted(copies, key=lambda each: (each.sent_at, each.submission, each.copy)):
        awaits = copy.phase is PrintPhase.QUEUED and copy.receipt_id in has_left
        if awaits and copy.receipt_id not in matches:
            found[copy.build_id].setdefault(copy.receipt_id, copy)
    return {build_id: list(waiting.values()) for build_id, waiting in found.items()}


def _began(job: SeenJob) -> datetime:
    return job.began_at or _LONG_AGO
