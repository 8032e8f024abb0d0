"""The text of notices: one message about a file or a trouble, and the digest of a burst."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo

from workflow.errors import format_count
from workflow.model import (
    FollowedPrint,
    HoldReason,
    Notice,
    NoticeEvent,
    NoticeText,
    Submission,
    SubmissionState,
)
from workflow.notes.answer import Answer
from workflow.notes.answer_text import answer_line
from workflow.notes.next_step import BY_COMMAND, DecisionWays, next_step_text
from workflow.notes.prints import PrintStatus, print_status_text
from workflow.notes.text import file_name, state_text, without_addresses

_MAX_NAMES = 12
_MAX_REASONS = 5
_TROUBLE_TITLES = {
    "cloud": "Eiger can't be used",
    "share": "the share is away",
    "rules": "the changed rules are not loaded",
    "hanging": "stlflow hangs",
    "arrival": "many files came at once and wait",
}
_TROUBLE_STEPS = {
    "cloud": "Nothing is lost: files wait, and continue by themselves. If it lasts, run `stlflow doctor`.",
    "share": "Check the mount and the file server. Files wait, and continue by themselves.",
    "rules": "Run `stlflow rules check`, and correct the file. The previous rules are still used.",
    "hanging": "Check that the share answers. Then restart stlflow.",
    "arrival": "If they are meant: `stlflow intake accept`. Otherwise take them out of the inbox.",
}
_FOR_HOLD = {
    HoldReason.MESH: "the mesh",
    HoldReason.RULE: "a rule",
    HoldReason.ROUTE: "a rule",
    HoldReason.BUILD: "a missing build",
    HoldReason.DEVICE: "a printer",
    HoldReason.UNITS: "the units",
    HoldReason.SEND: "a send that is not confirmed",
    HoldReason.UPLOAD: "the upload",
    HoldReason.SLICE: "the slicing",
    HoldReason.PRESET: "the preset",
}
REPEATED = "This message may have come before: stlflow got no reply when it sent it."
_WORDS = {
    NoticeEvent.HELD: "held", NoticeEvent.REJECTED: "rejected", NoticeEvent.SENT: "sent",
    NoticeEvent.PRINTED: "printed", NoticeEvent.FAILED: "failed", NoticeEvent.LATE: "late",
}  # fmt: skip


def notice_text(
    notice: Notice,
    submission: Submission,
    *,
    zone: tzinfo | None = None,
    answer: Answer | None = None,
    ways: DecisionWays = BY_COMMAND,
    link: str | None = None,
    picture: bytes | None = None,
    prints: Sequence[FollowedPrint] = (),
) -> NoticeText:
    """Return the message about one file: what, why, and what to do next, in the words of its note."""
    name, event = file_name(submission), notice.event
    detail = without_addresses(notice.detail)
    paragraphs = [("What", f"{name} {_what(notice, submission, prints)}")]
    if event in {NoticeEvent.HELD, NoticeEvent.REJECTED, NoticeEvent.FAILED, NoticeEvent.LATE} and detail:
        paragraphs.append(("Why", detail))
    if answer is not None:
        paragraphs.append(("Print", answer_line(answer, zone)))
    if step := _next_step(event, submission, ways):
        paragraphs.append(("What to do next", step))
    paragraphs.append(("File", f"{submission.path} (submission {submission.id})"))
    title = f"{name}: {_WORDS[event]}"
    return NoticeText(title, tuple(paragraphs), (event,), (submission.id,), link, picture)


def _what(notice: Notice, submission: Submission, prints: Sequence[FollowedPrint]) -> str:
    where = f" on {submission.device}" if submission.device else ""
    counts = print_status_text(PrintStatus(prints)) if len(prints) > 1 else ""
    match notice.event:
        case NoticeEvent.PRINTED if counts and submission.state is not SubmissionState.PRINTED:
            text = f"was printed in part: {counts}."
        case NoticeEvent.PRINTED:
            text = f"was printed: {len(prints)} copies {counts}." if counts else f"was printed{where}."
        case NoticeEvent.FAILED if len({each.phase for each in prints}) > 1:
            text = f"was not printed in full: {counts}."
        case NoticeEvent.FAILED if submission.state is SubmissionState.LOST_TRACK:
            text = "was sent. What became of the print is not known."
        case NoticeEvent.FAILED:
            text = f"was not printed{where}."
        case NoticeEvent.LATE:
            text = "will be late."
        case _:
            text = without_addresses(state_text(submission))
    return text


def _next_step(event: NoticeEvent, submission: Submission, ways: DecisionWays) -> str:
    if event in {NoticeEvent.HELD, NoticeEvent.REJECTED}:
        return ways.with_command(next_step_text(submission, ways))
    if event is NoticeEvent.PRINTED:
        return "Fetch it from the printer."
    if event is NoticeEvent.FAILED:
        return "Check the printer. To print it again, drag the file back into the inbox."
    if event is NoticeEvent.LATE:
        return "In Eiger, move it to another printer or forward in its queue. Or agree on a later date."
    return ""


def is_outdated(notice: Notice, submission: Submission) -> bool:
    """True if what a notice says is no longer so, or not yet of all copies.

    A person has decided about the held file meanwhile; or some copies are printed, and others are not yet.
    """
    if notice.event is NoticeEvent.PRINTED:
        return submission.state in {SubmissionState.DISPATCHED, SubmissionState.PRINTING}
    return notice.event is NoticeEvent.HELD and submission.state is not SubmissionState.HELD


def trouble_text(notice: Notice, *, ways: DecisionWays = BY_COMMAND, link: str | None = None) -> NoticeText:
    """Return the message about a trouble, or about its end. The subject of the notice names the kind."""
    kind = next((kind for kind in _TROUBLE_TITLES if kind in notice.subject.split()), "cloud")
    title, detail = _TROUBLE_TITLES[kind], without_addresses(notice.detail)
    if notice.event is NoticeEvent.TROUBLE_OVER:
        paragraphs = (("What", "Everything goes on by itself."), ("It was", detail))
        return NoticeText(f"Over: {title}", paragraphs, (notice.event,), link=link)
    next_step = ways.with_command(_TROUBLE_STEPS[kind])
    paragraphs = (("Why", detail), ("What to do next", next_step))
    return NoticeText(f"Trouble: {title}", paragraphs, (notice.event,), link=link)


def digest_text(
    notices: Sequence[Notice], submissions: Mapping[int, Submission], link: str | None = None
) -> NoticeText:
    """Return one message about many files: counts, the most frequent reasons, and some names."""
    known = [(each, submissions[each.submission or 0]) for each in notices if each.submission in submissions]
    counts = Counter(each.event for each, _ in known)
    told = ", ".join(f"{count:,} {_WORDS[event]}" for event, count in counts.most_common())
    paragraphs = [
        (_heading(event, count), "\n".join(_lines(event, known))) for event, count in counts.most_common()
    ]
    files = len({submission.id for _, submission in known})
    title = f"{format_count(files, 'file')}: {told}"
    numbers = tuple(dict.fromkeys(submission.id for _, submission in known))
    return NoticeText(title, tuple(paragraphs), tuple(counts), numbers, link)


def _heading(event: NoticeEvent, count: int) -> str:
    return f"{count:,} {_WORDS[event]}"


def _lines(event: NoticeEvent, known: Sequence[tuple[Notice, Submission]]) -> Iterator[str]:
    these = [(notice, submission) for notice, submission in known if notice.event is event]
    reasons = Counter(_reason(notice, submission) for notice, submission in these)
    for reason, count in reasons.most_common(_MAX_REASONS):
        if reason:
            yield f"{count:,} for {reason}"
    names = [f"{submission.path} ({submission.id})" for _, submission in these]
    more = f", and {len(names) - _MAX_NAMES:,} more" if len(names) > _MAX_NAMES else ""
    yield f"{', '.join(names[:_MAX_NAMES])}{more}"


def _reason(notice: Notice, submission: Submission) -> str:
    """Return what files have in common: why they were held, or their reason without its numbers."""
    if notice.event is NoticeEvent.HELD and submission.hold in _FOR_HOLD:
        return _FOR_HOLD[submission.hold or HoldReason.FAULT]
    if notice.event not in {NoticeEvent.HELD, NoticeEvent.REJECTED, NoticeEvent.FAILED}:
        return ""
    sentence = re.split(r"(?<=[a-z])[.:;] ", without_addresses(notice.detail), maxsplit=1)[0].rstrip(".")
    return f'"{re.sub(r"[0-9][0-9.,]*", "…", sentence)[:80]}"' if sentence else ""
