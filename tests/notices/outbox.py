"""A ledger with submissions, a notifier whose clock is turned, and settings for local receivers."""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import SecretStr
from sqlalchemy import insert

from workflow.ledger import Ledger
from workflow.ledger.changes import append_event, inserted_id
from workflow.ledger.tables import submissions
from workflow.model import EventKind, HoldReason, SubmissionState
from workflow.pipeline.compose_notice import Composer
from workflow.pipeline.context import now
from workflow.pipeline.notifier import Notifier
from workflow.settings import NoticeSettings, NoticeTarget

STATES = {
    EventKind.HELD: SubmissionState.HELD,
    EventKind.REJECTED: SubmissionState.REJECTED,
}


@dataclass
class Clock:
    """The present time, put forward by hand."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        """Return the time as it is turned."""
        return now() + self.ahead

    def turn(self, seconds: float) -> None:
        """Put the clock forward."""
        self.ahead += timedelta(seconds=seconds)


def submit(ledger: Ledger, path: str, event: EventKind, reason: str = "3 holes.") -> int:
    """Write a submission and an event that people are told of; return its number."""
    number = ledger.open(path)
    ledger.claimed(number, f"processing/{number}~{path}", path=path)
    state = STATES.get(event, SubmissionState.CLAIMED)
    hold = HoldReason.MESH if event is EventKind.HELD else None
    ledger.record_event(ledger.get(number), event, reason, state=state, reason=reason, hold=hold)
    return number


def reject_at_once(ledger: Ledger, count: int) -> None:
    """Write many rejected submissions in one transaction, for two reasons with other numbers each."""
    with ledger.write_transaction() as connection:
        for at in range(count):
            reason = (
                f"{at + 3} holes: no printer takes it." if at % 5 else f"Longer than {500 + at} mm. Split it."
            )
            row = {"path": f"part{at}.stl", "state": "rejected", "opened_at": 0.0, "claimed_as": f"r/{at}"}
            number = inserted_id(connection.execute(insert(submissions).values(row)))
            append_event(connection, number, EventKind.REJECTED, reason)


def target(url: str, channel: str = "webhook", **more: object) -> NoticeTarget:
    """Return a target on this machine that hears of every event."""
    every = ("held", "rejected", "sent", "printed", "failed", "late", "trouble", "trouble_over")
    given = {channel: SecretStr(url), "internal": True, "events": every, "every_file": True, **more}
    return NoticeTarget.model_validate(given)


def notifier(ledger: Ledger, clock: Clock, **targets: NoticeTarget) -> Notifier:
    """Return a sender for these targets."""
    return Notifier(Composer(ledger, NoticeSettings(targets=targets)), clock=clock)


def work(sender: Notifier) -> None:
    """Send once what is due."""
    sender.work(threading.Event())
