"""The text of notes: what happened, why, and what to do next, for the person who dropped the file."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from workflow.model import (
    Destination,
    EventKind,
    FollowedPrint,
    MeshReport,
    Submission,
    SubmissionEvent,
    SubmissionState,
)
from workflow.notes.answer import Answer
from workflow.notes.answer_text import answer_line
from workflow.notes.next_step import BY_COMMAND, DecisionWays, next_step_text
from workflow.notes.prints import answer_once_printing, lateness_text, print_outcome_text

NOTE_PREFIX = "stlflow note"
"""How every note begins; what begins otherwise is a person's own file."""

_EVENTS_SHOWN = 12
_DECISIONS_SHOWN = {EventKind.HELD, EventKind.CANCELED, EventKind.NOT_APPROVED}
_LONGEST_DETAIL = 160
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://\S*[^\s.,:;?!]", re.IGNORECASE)

_SENT_TO_TEXT = {
    Destination.BACKLOG: "is in Eiger's backlog. An operator gives it to a printer.",
    Destination.JOB_REQUEST: "is in Eiger's job requests. An operator picks the printer.",
    Destination.DEVICE_QUEUE: "is in the queue of {device}.",
    Destination.PRINT_NOW: "was sent to {device} to be printed now.",
}

_ENDED_TEXT = {
    SubmissionState.REJECTED: "was REJECTED: nothing was sent to a printer.",
    SubmissionState.CANCELED: "was CANCELED.",
    SubmissionState.HELD: "is HELD: a person has to decide.",
}


def submission_note_text(
    submission: Submission,
    events: Sequence[SubmissionEvent],
    zone: tzinfo | None = None,
    fit: str = "",
    answer: Answer | None = None,
    ways: DecisionWays = BY_COMMAND,
    prints: Sequence[FollowedPrint] = (),
) -> str:
    """Return the note for a submission as it is now, with times of `zone`, or of this machine's zone.

    `fit` says which printers the part fits, `answer` what printing it takes, `ways` how a person decides,
    `prints` what is known of the prints of its copies.

    Lines end with a newline character; nothing in it is secret, and addresses of the web are left out.
    """
    sections = (
        f"{NOTE_PREFIX}: submission {submission.id}",
        f"{file_name(submission)} {state_text(submission, prints)}",
        *paragraph(
            "Print", None if answer is None else answer_line(answer_once_printing(answer, prints), zone)
        ),
        *paragraph("In Eiger", None if answer is None else answer.eiger_link),
        *paragraph("Late", lateness_text(submission)),
        *paragraph("Why", submission.reason),
        *paragraph("Not approved", _refusal(submission, events)),
        *paragraph("What to do next", next_step_text(submission, ways)),
        *paragraph("Careful", _revision_warning(events)),
        "\n".join(fact_lines(submission, fit)),
        "\n".join(("What happened when", *_history_lines(events, zone))),
    )
    text = without_addresses("\n\n".join(sections), None if answer is None else answer.eiger_link)
    return ways.with_command(text) + "\n"


def without_addresses(text: str, own: str | None = None) -> str:
    """Return the text without addresses of the web: they may be signed, and so secret. `own` stays."""
    return _URL.sub(lambda found: found[0] if found[0] == own else "(address left out)", text)


def naming_eiger(failure: str) -> str:
    """Return why Eiger can't be used without its address, the only one in such a text."""
    return _URL.sub("Eiger", failure)


def file_name(submission: Submission) -> str:
    """Return the name of the file as it was dropped."""
    return submission.path.rsplit("/", 1)[-1]


def paragraph(title: str, text: str | None) -> Iterator[str]:
    """Yield a paragraph under its title, if there is a text."""
    if text:
        yield f"{title}\n  {text}"


def state_text(submission: Submission, prints: Sequence[FollowedPrint] = ()) -> str:
    """Return how a submission is, as the rest of a sentence that begins with its file."""
    if submission.state in _ENDED_TEXT:
        return _ENDED_TEXT[submission.state]
    if (outcome := print_outcome_text(submission.state, prints)) is not None:
        return outcome
    if submission.destination is None:
        return f"is {submission.state}."
    return _SENT_TO_TEXT[submission.destination].format(device=submission.device or "a printer")


def _refusal(submission: Submission, events: Sequence[SubmissionEvent]) -> str | None:
    """Return why the file was put back when it was moved to approved/; None if that was another hold."""
    if submission.state not in {SubmissionState.HELD, SubmissionState.CANCELED} or not events:
        return None
    last = next((each for each in reversed(events) if each.event in _DECISIONS_SHOWN), None)
    return last.detail if last is not None and last.event == EventKind.NOT_APPROVED else None


def _revision_warning(events: Sequence[SubmissionEvent]) -> str | None:
    """An older revision of the same name may still be in a queue, and nobody wants to print that."""
    return next((f"This is {event.detail}." for event in events if event.event == EventKind.REVISION), None)


def fact_lines(submission: Submission, fit: str) -> Iterator[str]:
    """Yield what is known of the file and its journey, one fact a line."""
    rows = (
        ("File", submission.path),
        ("Bytes", f"{submission.size:,}" if submission.size is not None else None),
        *_mesh_rows(submission.mesh),
        ("Printers", fit),
        ("Taken as", f"{submission.taken_as}, by Eiger" if submission.taken_as else None),
        _preset_or_rule(submission),
        ("Sent to", _with_rule(_destination_text(submission), submission.routing_rule)),
        ("Copies", f"{submission.copies}" if (submission.copies or 1) > 1 else None),
        ("Due", submission.due_date.isoformat() if submission.due_date else None),
        ("Build", submission.build_id),
        ("Print job", submission.receipt_id),
        ("SHA-256", submission.sha256),
    )
    return (f"{title:<10}{value}" for title, value in rows if value)


def _preset_or_rule(submission: Submission) -> tuple[str, str | None]:
    if submission.preset is None:
        return "Rule", submission.intake_rule
    return "Preset", _with_rule(submission.preset, submission.intake_rule)


def _mesh_rows(mesh: MeshReport | None) -> Iterator[tuple[str, str]]:
    if mesh is None or mesh.format is None:
        return
    if not any(mesh.size_mm):  # not measured: zeros would be untrue
        yield "Mesh", f"{mesh.triangles:,} facets, {mesh.format}"
        return
    surface = "closed" if mesh.watertight else f"{mesh.open_edges:,} open edges"
    bodies = f", {mesh.bodies:,} bodies" if (mesh.bodies or 0) > 1 else ""
    yield "Mesh", f"{mesh.triangles:,} facets, {mesh.format}, {surface}{bodies}"
    yield "Size", _size_text(mesh)
    if mesh.volume_cm3 is not None:
        yield "Volume", f"{mesh.volume_cm3:.{1 if mesh.volume_cm3 >= 1 else 3}f} cm³"
    yield from (("Warning", warning) for warning in mesh.warnings)
    if mesh.open_places:
        yield (
            "Picture",
            "`stlflow check FILE --picture part.png` shows where it is open (FILE: the full path)",
        )


def _size_text(mesh: MeshReport) -> str:
    """Return the size; of a small part also what it would be if its numbers were meant in inches."""
    size, in_inches = _dimensions_text(mesh.size_mm), mesh.size_if_inches_mm
    return f"{size}; if it was drawn in inches: {_dimensions_text(in_inches)}" if in_inches else size


def _dimensions_text(size_mm: Sequence[float]) -> str:
    digits = 1 if max(size_mm) >= 1 else 3
    return " × ".join(f"{side:.{digits}f}" for side in size_mm) + " mm"


def _destination_text(submission: Submission) -> str | None:
    if submission.destination is None:
        return None
    words = submission.destination.replace("_", " ")
    return f"{words}, {submission.device}" if submission.device else words


def _with_rule(value: str | None, rule: str | None) -> str | None:
    return f"{value}  (rule: {rule})" if value and rule else value


def _history_lines(events: Sequence[SubmissionEvent], zone: tzinfo | None) -> Iterator[str]:
    if len(events) > _EVENTS_SHOWN:
        yield f"  ({len(events) - _EVENTS_SHOWN} earlier)"
    for event in events[-_EVENTS_SHOWN:]:
        what = event.label + (f": {_shorten_detail(event.detail)}" if event.detail else "")
        yield f"  {event.at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}  {what}"


def _shorten_detail(detail: str) -> str:
    return detail if len(detail) <= _LONGEST_DETAIL else f"{detail[:_LONGEST_DETAIL]}…"


MASS_ARRIVAL_NOTE = "FILES WAIT HERE.txt"
_NOT_TAKEN = " is not taken"


def untaken_file_note_text(path: str, why: str) -> str:
    """Return the note about a file or folder of the inbox that is not taken."""
    return (
        f"{NOTE_PREFIX}: {path}{_NOT_TAKEN}\n\n"
        f"Why, and what to do next\n  {why}\n"
        f"  The file is left as it is. This note goes away when that is put right.\n"
    )


def untaken_file_of_note(title: str) -> str | None:
    """Return the path that a note about an untaken file names in its title; None for other notes."""
    return title.removesuffix(_NOT_TAKEN) if title.endswith(_NOT_TAKEN) else None


def mass_arrival_note_text(count: int, limit: int) -> str:
    """Return the note for many files that came at once."""
    return (
        f"{NOTE_PREFIX}: {count:,} files wait\n\n"
        f"Why\n  More than {limit} files came at once. That may be a folder that was put here by mistake,\n"
        f"  so none of these files is taken until a person says that they are meant.\n\n"
        f"What to do next\n  They are meant: `stlflow intake accept` takes them, all together.\n"
        f"  Without that command: take them out, and put them back in portions of up to {limit},\n"
        f"  more than a minute apart.\n"
        f"  They are not meant: take them out of the inbox.\n"
    )


def orphaned_claims_note_text(count: int) -> str:
    """Return the note beside a folder of files that another stlflow claimed."""
    files = "1 file waits" if count == 1 else f"{count:,} files wait"
    return (
        f"{NOTE_PREFIX}: {files} for another stlflow\n\n"
        f"Why\n  Another stlflow claimed the files in this folder. It can't finish without its database.\n\n"
        f"What to do next\n  Does it still run, on this share? Then wait: it goes on by itself.\n"
        f"  Is it gone for good? `stlflow intake adopt` takes the files over.\n"
        f"  A file that may have been sent is held, so that nothing is printed twice.\n"
    )


def spreadsheet_cell(value: object) -> object:
    """Return a value for CSV; a text that a spreadsheet would take for a formula gets a mark before it."""
    if isinstance(value, datetime):
        return value.isoformat()
    is_formula = isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}
    return f"'{value}" if is_formula else value
