"""Examples of notices: one real message of each event, to be sent to a target as a test."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from workflow.model import (
    Destination,
    HoldReason,
    Notice,
    NoticeEvent,
    NoticeText,
    Submission,
    SubmissionState,
)
from workflow.notices import NotDelivered, deliver
from workflow.pipeline.compose_notice import Composer
from workflow.settings import NoticeTarget, default_events

_STATES = {
    NoticeEvent.HELD: SubmissionState.HELD,
    NoticeEvent.REJECTED: SubmissionState.REJECTED,
    NoticeEvent.PRINTED: SubmissionState.PRINTED,
}
_DETAILS = {
    NoticeEvent.HELD: "3 holes, the largest 4.2 mm across.",
    NoticeEvent.REJECTED: "Longer than 525 mm: no printer takes it. Split the part.",
    NoticeEvent.FAILED: "The printer reports that the print failed at 55 %.",
    NoticeEvent.LATE: "It is due on Friday, and will be ready on Monday.",
    NoticeEvent.TROUBLE: "No connection to Eiger for 2 min.",
    NoticeEvent.TROUBLE_OVER: "No connection to Eiger for 2 min.",
}
TEST_PARAGRAPH = ("Test", "This is a test message of `stlflow notify test`: nothing has happened.")


def example_texts(composer: Composer, at: datetime) -> Iterator[tuple[NoticeEvent, NoticeText]]:
    """Yield a message of each event about a part that does not exist."""
    for event in NoticeEvent:
        is_file = event not in {NoticeEvent.TROUBLE, NoticeEvent.TROUBLE_OVER}
        notice = Notice(0, event, f"{event} cloud 0", at, submission=17, detail=_DETAILS.get(event, ""))
        submission = Submission(
            17,
            "anna/bracket.stl",
            _STATES.get(event, SubmissionState.DISPATCHED),
            at,
            hold=HoldReason.MESH if event is NoticeEvent.HELD else None,
            destination=Destination.DEVICE_QUEUE,
            device="Mark Two left",
        )
        text = composer.compose([notice], {17: submission} if is_file else {})
        yield event, replace(text, title=f"Test: {text.title}", paragraphs=(TEST_PARAGRAPH, *text.paragraphs))


def heard_events(name: str, target: NoticeTarget) -> tuple[NoticeEvent, ...]:
    """Return what a target hears of."""
    return default_events(name) if target.events is None else target.events


def send_examples(
    name: str,
    target: NoticeTarget,
    composer: Composer,
    at: datetime,
    message: Callable[[], str],
    ca_bundle: str | None,
    proxy: str | None,
) -> Iterator[tuple[NoticeEvent, str]]:
    """Send a target an example of each event that it hears of; yield each with why it failed, or ""."""
    for event, text in example_texts(composer, at):
        if event in heard_events(name, target):
            try:
                deliver(
                    target, text, message(), at, settings=composer.settings, ca_bundle=ca_bundle, proxy=proxy
                )
            except NotDelivered as failed:
                yield event, str(failed)
            else:
                yield event, ""
