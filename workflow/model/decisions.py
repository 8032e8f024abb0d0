"""The facts that rules test, and what the rules decided."""

from collections.abc import Mapping
from datetime import date, datetime

from workflow.frozen import frozen
from workflow.model.states import Destination

FactValue = str | int | float | bool
Facts = Mapping[str, FactValue]
"""Flat facts that rules test, by documented name; an unknown fact is absent."""


@frozen
class ConsideredRule:
    """One rule that was evaluated: whether it matched, and if not, the first condition that failed."""

    rule: str
    matched: bool
    why_not: str | None = None


@frozen
class IntakeDecision:
    """How a part is uploaded, or not: exactly one of upload, reject, hold.

    `preset` is a title or an id; None uses Eiger's default. `reason` is set for
    reject and hold.
    """

    rule: str
    action: str
    preset: str | None = None
    owner: str | None = None
    folder: str | None = None
    reason: str | None = None
    considered: tuple[ConsideredRule, ...] = ()


@frozen
class DeviceFacts:
    """What is known of one device when one has to be chosen; None where Eiger says nothing."""

    id: str
    name: str
    type: str
    series: str
    state: str | None = None
    material: str | None = None
    fiber: str | None = None
    primary_remaining_cm3: float | None = None
    queue_seconds: float | None = None
    queue_length: int | None = None
    fiber_remaining_cm3: float | None = None
    last_sent_at: datetime | None = None
    """When stlflow last sent a build there; None for never."""
    is_busy: bool = False
    """True if Eiger shows a running print."""
    active_seconds: float | None = None
    """Seconds until the running print ends; None where Eiger does not say."""
    outage: str | None = None
    """Until when and why a person took it out of choice; None if nobody did."""


@frozen
class Route:
    """Where a build goes and why: a value, no effect.

    `destination` None means held, and `reason` says why. `reasons` are the facts that decided,
    in words; where a device had to be chosen, one per device. `waits_for_device`: it is held only because
    no device qualifies, and continues by itself once one does.
    """

    rule: str
    destination: Destination | None
    device_id: str | None = None
    device: str | None = None
    due: date | None = None
    reason: str | None = None
    reasons: tuple[str, ...] = ()
    considered: tuple[ConsideredRule, ...] = ()
    copies: int = 1
    spread_ids: tuple[str, ...] = ()
    """The device of each copy, where the copies go to several."""
    approve_first: bool = False
    waits_for_device: bool = False
    send_window: tuple[int, int] | None = None
    """The minutes of the day between which the build is sent; None to send at once."""
    follow: bool | None = None
    """Whether the rule has the print followed to its end; None where it does not say."""

    @property
    def is_followed(self) -> bool:
        """True if the print is followed: the rule says so, or it goes to a printer or has a due date."""
        to_printer = self.destination in {Destination.DEVICE_QUEUE, Destination.PRINT_NOW}
        return (to_printer or self.due is not None) if self.follow is None else self.follow


@frozen
class DecisionRecord:
    """One decision: when it was made, by which rules, and on which facts.

    `stage` is "intake" or "routing"; `revision` names the text of the rules. `devices` is None where
    no device had to be chosen.
    """

    stage: str
    at: datetime
    revision: str
    rule: str
    facts: Facts
    passed: tuple[str, ...] = ()
    devices: tuple[DeviceFacts, ...] | None = None
    device_id: str | None = None
