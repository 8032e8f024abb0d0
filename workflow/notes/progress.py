"""The note of a file that is worked on: it stands beside the place where the file was dropped."""

import re
from datetime import datetime, tzinfo

from workflow.model import Submission, SubmissionState
from workflow.notes.answer import Answer, PastPrints
from workflow.notes.answer_text import answer_line, past_prints_text
from workflow.notes.text import (
    NOTE_PREFIX,
    fact_lines,
    file_name,
    naming_eiger,
    paragraph,
    without_addresses,
)

_RECEIVED = "received as submission "
_TITLE = re.compile(rf"{_RECEIVED}(\d+)")
_STATE_TEXT = {
    SubmissionState.CLAIMED: "was received and is being checked.",
    SubmissionState.INSPECTED: "was checked and is on its way to Eiger.",
    SubmissionState.UPLOADED: "is at Eiger and is going to be sliced.",
    SubmissionState.SLICING: "is being sliced by Eiger",
    SubmissionState.SLICED: "is sliced, and its place is being chosen.",
    SubmissionState.ROUTED: "is being sent to {place}.",
}
PROGRESS_STATES = frozenset(_STATE_TEXT)
"""The states in which a file is worked on."""


def progress_note_text(
    submission: Submission,
    zone: tzinfo | None,
    fit: str = "",
    answer: Answer | None = None,
    past: PastPrints | None = None,
) -> str:
    """Return the note for a file that is worked on: where it is, since when it waits, what it will take.

    `past` says what earlier parts took; it is left out once the `answer` is known.
    """
    forecast = past_prints_text(past) if answer is None else answer_line(answer, zone)
    sections = (
        f"{NOTE_PREFIX}: {_RECEIVED}{submission.id}",
        f"{file_name(submission)} {_state_text(submission, zone)}",
        *paragraph("Print", forecast),
        *paragraph("In Eiger", None if answer is None else answer.eiger_link),
        *paragraph("Why it waits", _wait_text(submission, zone)),
        *paragraph("What to do next", "Nothing. At the end this note moves with the file."),
        "\n".join(fact_lines(submission, fit)),
    )
    return without_addresses("\n\n".join(sections), None if answer is None else answer.eiger_link) + "\n"


def submission_in_progress(title: str) -> int | None:
    """Return the number in the title of a note about a file that is worked on; None for other notes."""
    found = _TITLE.fullmatch(title)
    return None if found is None else int(found[1])


def _state_text(submission: Submission, zone: tzinfo | None) -> str:
    text = _STATE_TEXT.get(submission.state, "is in progress.")
    if submission.state is SubmissionState.SLICING:
        since = submission.uploaded_at
        return f"{text}{f', since {_moment(since, zone)}' if since else ''}."
    place = submission.device or str(submission.destination or "Eiger").replace("_", " ")
    return text.format(place=place)


def _wait_text(submission: Submission, zone: tzinfo | None) -> str | None:
    if submission.reason is None:
        return None
    reason, since = naming_eiger(submission.reason), submission.waiting_since
    return reason if since is None else f"{reason} (since {_moment(since, zone)})"


def _moment(moment: datetime, zone: tzinfo | None) -> str:
    return f"{moment.astimezone(zone):%a %d %b %H:%M %Z}"
