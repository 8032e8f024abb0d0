"""Notices: what people are told, as rows of the outbox and as messages for a channel."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from workflow.frozen import frozen
from workflow.model.states import EventKind


class NoticeEvent(StrEnum):
    """What a notice can be about. Few and fixed: settings and receivers rely on the names."""

    HELD = "held"
    REJECTED = "rejected"
    SENT = "sent"
    PRINTED = "printed"
    FAILED = "failed"
    LATE = "late"
    TROUBLE = "trouble"
    TROUBLE_OVER = "trouble_over"


TOLD_EVENTS: Mapping[EventKind, NoticeEvent] = {
    EventKind.HELD: NoticeEvent.HELD,
    EventKind.REJECTED: NoticeEvent.REJECTED,
    EventKind.DISPATCHED: NoticeEvent.SENT,
    EventKind.PRINTED: NoticeEvent.PRINTED,
    EventKind.PRINT_FAILED: NoticeEvent.FAILED,
    EventKind.PRINT_CANCELED: NoticeEvent.FAILED,
    EventKind.LOST_TRACK: NoticeEvent.FAILED,
    EventKind.LATE: NoticeEvent.LATE,
}
"""The events that people are told of."""


@frozen
class Notice:
    """One row of the outbox: one event for one target. `target` "" is not addressed yet.

    `subject` tells the event from all others: "event 17", or "trouble cloud 1764366000". `due_at` is when it
    may be sent. `message` is the id of the message that it is being sent in since `begun_at`.
    """

    id: int
    event: NoticeEvent
    subject: str
    at: datetime
    target: str = ""
    submission: int | None = None
    detail: str = ""
    due_at: datetime | None = None
    tries: int = 0
    message: str | None = None
    begun_at: datetime | None = None
    unconfirmed: int = 0
    """How many times it was sent without a reply, or while stlflow was stopped: it may have arrived."""
    problem: str = ""
    """Why the last try failed."""


@frozen
class NoticeText:
    """A message in words for any channel: no markup, no secret. `paragraphs` are titles and texts.

    `events` are those that it tells, each once. `picture` is a PNG. `link` leads to the console,
    `decide_link` to a page that decides about a held file without a login.
    """

    title: str
    paragraphs: tuple[tuple[str, str], ...] = ()
    events: tuple[NoticeEvent, ...] = ()
    submissions: tuple[int, ...] = ()
    link: str | None = None
    picture: bytes | None = None
    decide_link: str | None = None


@frozen
class TroubleState:
    """What is known of one kind of trouble, such as "cloud". `since` None: all is well.

    `fine_since`: it seems to be over, but not for long enough. `told_at` is when people last heard of it,
    `is_told` whether they know of the present one. `words` say what is wrong.
    """

    kind: str
    since: datetime | None = None
    fine_since: datetime | None = None
    told_at: datetime | None = None
    is_told: bool = False
    words: str = ""
