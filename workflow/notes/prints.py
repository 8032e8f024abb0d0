"""How far the print of what was sent is: in words for people, and as a document for scripts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import timedelta

from workflow.frozen import frozen
from workflow.model import (
    FollowedPrint,
    PrinterSnapshot,
    PrintPhase,
    RunningPrint,
    Submission,
    SubmissionState,
)
from workflow.notes.answer import Answer
from workflow.notes.answer_text import duration_text

_WORDS = {
    PrintPhase.QUEUED: "queued",
    PrintPhase.PRINTING: "printing",
    PrintPhase.PRINTED: "printed",
    PrintPhase.FAILED: "failed",
    PrintPhase.CANCELED: "canceled",
    PrintPhase.LOST: "lost track",
}

_BEFORE_PRINTER = {PrintPhase.QUEUED: " at", PrintPhase.CANCELED: " at", PrintPhase.LOST: ", last at"}
_OUTCOME = {
    SubmissionState.PRINTING: "is being printed{several}.",
    SubmissionState.PRINTED: "was PRINTED{several}.",
    SubmissionState.FAILED: "was sent, and was NOT PRINTED{copies}.",
    SubmissionState.LOST_TRACK: "was sent. What became of the print is NOT KNOWN.",
}


@frozen
class PrintStatus:
    """The followed copies of a submission; `running` is what printers showed last, by print job."""

    copies: Sequence[FollowedPrint]
    running: Mapping[str, RunningPrint] = field(default_factory=dict)

    def running_copies(self) -> tuple[RunningPrint, ...]:
        """Return what the printers show of the copies that are printed now."""
        jobs = (copy.job_id for copy in self.copies if copy.phase is PrintPhase.PRINTING)
        return tuple(self.running[job] for job in jobs if job is not None and job in self.running)

    @property
    def percent(self) -> float | None:
        """Return how far the copy that is printed now is; of several, the one that is least far."""
        return min((each.percent for each in self.running_copies() if each.percent is not None), default=None)

    @property
    def seconds_left(self) -> float | None:
        """Return how long the copies that are printed now still take."""
        left = (each.seconds_left for each in self.running_copies())
        return max((seconds for seconds in left if seconds is not None), default=None)


def running_by_job(printers: Iterable[PrinterSnapshot]) -> Mapping[str, RunningPrint]:
    """Return what the printers show as running, by print job."""
    return {each.running.job_id: each.running for each in printers if each.running is not None}


def print_status_text(status: PrintStatus) -> str:
    """Return how far the print is in a few words: `printing 55 % on Mark Two - Anvil, 35 min left`."""
    counts = Counter(copy.phase for copy in status.copies)
    if len(status.copies) > 1 and len(counts) > 1:
        return ", ".join(f"{counts[phase]} {_word(phase, status)}" for phase in PrintPhase if counts[phase])
    phase = status.copies[0].phase
    where = print_places(status.copies)
    text = (
        f"{_word(phase, status)}{_BEFORE_PRINTER.get(phase, ' on')} {where}"
        if where
        else _word(phase, status)
    )
    left = status.seconds_left
    return text if left is None else f"{text}, {duration_text(left)} left"


def answer_once_printing(answer: Answer, copies: Sequence[FollowedPrint]) -> Answer:
    """Return the answer as it is when printing has begun: no queue is ahead, and it is ready sooner or later.

    Ready by the time since the print was first seen. While any copy waits, the answer stays as it was.
    """
    if not copies or any(copy.phase is PrintPhase.QUEUED for copy in copies):
        return answer
    seconds = answer.print_seconds
    begun = [copy.since for copy in copies if copy.phase is PrintPhase.PRINTING and seconds is not None]
    ready = max(begun) + timedelta(seconds=seconds or 0.0) if begun else None
    return replace(answer, destination=None, printer=None, jobs_ahead=None, ready_from=ready, ready_to=ready)


def print_places(copies: Iterable[FollowedPrint]) -> str:
    """Return the names of the printers."""
    return ", ".join(sorted({copy.device for copy in copies if copy.device}))


def print_status_document(status: PrintStatus) -> dict[str, object]:
    """Return how far the print is for scripts; null for what is unknown."""
    return {
        "percent": status.percent,
        "seconds_left": status.seconds_left,
        "copies": [
            {
                "copy": copy.copy,
                "state": copy.phase.value,
                "since": copy.since.isoformat(),
                "printer": copy.device,
                "print_job_id": copy.job_id,
                "reason": copy.reason,
            }
            for copy in status.copies
        ],
    }


def _word(phase: PrintPhase, status: PrintStatus) -> str:
    percent = status.percent if phase is PrintPhase.PRINTING else None
    return _WORDS[phase] if percent is None else f"{_WORDS[phase]} {percent:.0f} %"


def print_outcome_text(state: SubmissionState, prints: Sequence[FollowedPrint]) -> str | None:
    """Return what a note says of a print that has begun or ended; None while it waits."""
    if state not in _OUTCOME:
        return None
    where = f" on {places}" if (places := print_places(prints)) else ""
    copies = f": {print_status_text(PrintStatus(prints))}" if prints else ""
    several = copies if len({copy.phase for copy in prints}) > 1 else where
    return _OUTCOME[state].format(several=several, copies=copies)


def lateness_text(submission: Submission) -> str | None:
    """Return that the due date is missed by queue and estimate, while that is so."""
    if submission.late_on is None or submission.due_date is None or submission.followed is not True:
        return None
    due, ready = submission.due_date, submission.late_on
    return f"Due {due:%a %d %b}. By queue and estimate it is ready on {ready:%a %d %b} at the earliest."
