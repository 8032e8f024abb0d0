"""The gate: one decision on whether a file is ready, the same for events, scans and start-up.

Pure: snapshots and the reading of our own clock go in, a verdict with its reason comes out. The times
of a file are compared only with what they were in an earlier snapshot.
"""

from dataclasses import replace

from workflow.frozen import frozen
from workflow.intake.completeness import FileShape, FileSnapshot
from workflow.intake.open_writers import WriterState

COMPLETE_SHAPES = frozenset({FileShape.BINARY, FileShape.ASCII, FileShape.TRAILING, FileShape.FOREIGN})
"""Shapes that a finished file can have; the others wait for their rest."""

_SESSION_PAUSE_SECONDS = 0.1
"""A whole file that changes after standing still for this long is being written in several goes."""
_MIN_CHECK_SECONDS = 0.25
_MAX_CHECK_SECONDS = 10.0


@frozen
class StabilityTimes:
    """How long a file must stay unchanged, in seconds, by what it looks like; and how often to check.

    `binary_seconds` is for a whole binary STL whose arrival in one go an event told of; others wait as long
    as an ASCII STL, whose end can't be seen. `wrong_seconds` is for files that are no STL, doubled for
    trailing bytes. `stall_seconds` lets an unfinished file through, to be
    rejected with a reason. `unsure_seconds` is the least where the system can't tell whether a writer is
    left; all others are doubled there. After `decay_seconds` without a change, an open file that only a
    server's cache holds counts as such a case. `stranger_seconds` is when a file that is not
    taken gets a note.
    """

    binary_seconds: float = 0.3
    ascii_seconds: float = 5.0
    wrong_seconds: float = 5.0
    stall_seconds: float = 600.0
    unsure_seconds: float = 4.0
    decay_seconds: float = 30.0
    sweep_seconds: float = 2.0
    network_sweep_seconds: float = 5.0
    stranger_seconds: float = 300.0


@frozen
class Observation:
    """A file as last seen, and since when it has been so.

    `sessions` counts the writers that closed it, and a rename that put it in place. `born` says that
    an event told of its arrival, so that no session can have gone unnoticed before.
    """

    snapshot: FileSnapshot
    since: float
    sessions: int = 0
    rewritten: bool = False
    born: bool = False


@frozen
class StabilityVerdict:
    """Whether to take the file now; else why not, and when to check again (on our clock).

    `blocked` says that something besides the file's own content keeps it, `stalled` that this has
    lasted for too long.
    """

    ready: bool
    due: float
    why: str
    stalled: bool = False
    blocked: bool = False


def update_observation(
    before: Observation | None,
    snapshot: FileSnapshot,
    now: float,
    sessions: int = 0,
    *,
    born: bool = False,
    age: float = 0.0,
) -> Observation:
    """Compare a snapshot with the last one; `sessions` and `born` are what events told since.

    `age` is for how many seconds a file has already been as it is when it is seen for the first time.
    """
    if before is None or before.snapshot.signature[:2] != snapshot.signature[:2]:
        return Observation(snapshot, now - age, sessions, born=born)
    counted, born = before.sessions + sessions, before.born or born
    if before.snapshot == snapshot:
        return replace(before, sessions=counted, born=born)
    in_first_session = before.born and not before.sessions
    paused = now - before.since >= _SESSION_PAUSE_SECONDS and not in_first_session
    again = before.snapshot.ends.shape in COMPLETE_SHAPES and paused
    return Observation(snapshot, now, counted, before.rewritten or again, born)


def decide_stability(
    seen: Observation,
    now: float,
    times: StabilityTimes,
    writer: WriterState,
    obstacle: str | None = None,
) -> StabilityVerdict:
    """Decide on one file. `obstacle` is a known reason to wait even though the file looks whole."""
    still_for = now - seen.since
    if seen.snapshot.links > 1:
        why = hard_link_text(seen.snapshot.links)
        return StabilityVerdict(
            False, _next_check_time(seen, now), why, still_for >= times.stall_seconds, blocked=True
        )
    if writer is WriterState.OPEN:
        why = "it is still open in another program"
        return StabilityVerdict(
            False, _next_check_time(seen, now), why, still_for >= times.stall_seconds, blocked=True
        )
    needed = times.stall_seconds if obstacle else required_quiet_seconds(seen, times, writer)
    if now >= seen.since + needed:
        return StabilityVerdict(True, now, "it is complete")
    due = min(seen.since + needed, _next_check_time(seen, now)) if obstacle else seen.since + needed
    if seen.snapshot.ends.shape not in COMPLETE_SHAPES:
        due = min(due, _next_check_time(seen, now))
    return StabilityVerdict(False, due, obstacle or incomplete_reason(seen))


def hard_link_text(links: int) -> str:
    """Return why a file with several names is not taken: who has the other name could still write to it."""
    return f"it has {links} names (hard links). Copy it into the inbox instead"


def may_be_server_cached(seen: Observation, now: float, times: StabilityTimes, writer: WriterState) -> bool:
    """True if to ask who holds the file open: it has long stood still, and looks whole."""
    still_for = now - seen.since
    return (
        writer is WriterState.OPEN
        and still_for >= times.decay_seconds
        and seen.snapshot.ends.shape in COMPLETE_SHAPES
    )


def required_quiet_seconds(seen: Observation, times: StabilityTimes, writer: WriterState) -> float:
    """Return how long the file must have stood still before it is taken."""
    seconds = _quiet_by_shape(seen, times, several=_expects_another_session(seen, writer))
    return seconds if writer is WriterState.NONE else max(2 * seconds, times.unsure_seconds)


def _expects_another_session(seen: Observation, writer: WriterState) -> bool:
    """True if a next session may follow. Where events tell of every session, none of them is no proof."""
    if writer is WriterState.NONE and not (seen.born and seen.sessions == 1):
        return True
    return seen.rewritten or seen.sessions > 1


def _quiet_by_shape(seen: Observation, times: StabilityTimes, *, several: bool) -> float:
    match seen.snapshot.ends.shape:
        case FileShape.BINARY:
            return max(times.binary_seconds, times.ascii_seconds) if several else times.binary_seconds
        case FileShape.ASCII:
            return times.ascii_seconds
        case FileShape.FOREIGN:
            return times.wrong_seconds
        case FileShape.TRAILING:
            return min(2 * times.wrong_seconds, times.stall_seconds)
        case _:
            return times.stall_seconds


def _next_check_time(seen: Observation, now: float) -> float:
    """Return when to check again: often what has just changed, seldom what has long been the same."""
    still_for = now - seen.since
    return now + min(max(still_for / 4, _MIN_CHECK_SECONDS), _MAX_CHECK_SECONDS)


def incomplete_reason(seen: Observation) -> str:
    """Return what a file lacks, or that it only has to stay unchanged."""
    ends = seen.snapshot.ends
    if ends.shape is FileShape.SHORT and ends.announced:
        return f"it is incomplete: {ends.size:,} of {ends.announced:,} bytes"
    if ends.shape in COMPLETE_SHAPES:
        return "it has just been written"
    return f"it is incomplete: {ends.shape}"
