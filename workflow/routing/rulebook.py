"""What a rules file says, as values: two ordered lists of rules, and the owner's own tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from workflow.errors import Mistake
from workflow.model import Destination, DeviceFacts, Facts
from workflow.routing.conditions import Condition
from workflow.routing.due import Due
from workflow.routing.globs import Glob
from workflow.routing.intervals import Interval
from workflow.routing.tags import NamePattern


class Choose(StrEnum):
    """Which of the devices that fit is taken; the name breaks ties."""

    SOONEST = "soonest"
    """The least time queued."""
    SHORTEST_QUEUE = "shortest_queue"
    """The fewest builds queued."""
    FIRST = "first"
    """The first in the order of `name`, where that is a list; else by name."""
    ROUND_ROBIN = "round_robin"
    """The one to which nothing was sent for the longest time."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Upload with this preset (title or id), for this owner, into this folder (an id of Eiger's)."""

    preset: str
    owner: str | None = None
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Set the file aside, and tell its owner why."""

    reason: str


@dataclass(frozen=True, slots=True)
class HoldBack:
    """Wait for a person, and say why."""

    reason: str


@dataclass(frozen=True, slots=True)
class DeviceWish:
    """Which devices may take a build; an empty tuple means any, and of states any that takes a queue.

    `spare_percent` is how much more material than the slicer's estimate has to be left, and counts
    only with `loaded_material`. `queue_hours` and `queue_length` say how long its queue may be.
    """

    name: tuple[Glob, ...] = ()
    series: tuple[Glob, ...] = ()
    type: tuple[Glob, ...] = ()
    state: tuple[Glob, ...] = ()
    loaded_material: bool = False
    spare_percent: float = 0.0
    choose: Choose = Choose.SOONEST
    queue_hours: Interval | None = None
    queue_length: Interval | None = None


@dataclass(frozen=True, slots=True)
class Copies:
    """How many times a build is sent: a number, or what a tag of the file's name says (without it, once)."""

    number: int = 1
    tag: str | None = None


ONCE = Copies()
MOST_COPIES = 100


@dataclass(frozen=True, slots=True)
class Send:
    """Send the build. `otherwise` is for when no device qualifies; None then holds it.

    `hold_first` is why a person looks before it is sent; `approve_first` has it approved in Eiger.
    """

    destination: Destination
    due: Due | None = None
    device: DeviceWish | None = None
    otherwise: Destination | None = None
    copies: Copies = ONCE
    hold_first: str | None = None
    approve_first: bool = False


@dataclass(frozen=True, slots=True)
class IntakeRule:
    """How a part is uploaded, or not. `when` None takes every file."""

    name: str
    line: int
    when: Condition | None
    action: Upload | Reject | HoldBack


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """Where a build goes. `when` None takes every build."""

    name: str
    line: int
    when: Condition | None
    action: Send | HoldBack

    @property
    def device(self) -> DeviceWish | None:
        """What the rule wants of a device; None when it names none."""
        return self.action.device if isinstance(self.action, Send) else None


Rule = TypeVar("Rule", IntakeRule, RoutingRule)


class Subject(StrEnum):
    """What a rules file can name that only the cloud knows."""

    PRESET = "preset"
    PRESET_TITLE = "preset title"
    USER = "user"
    DEVICE = "device"
    SERIES = "series"


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in the file that names something of the cloud's; a pattern except for presets and users."""

    subject: Subject
    text: str
    line: int
    column: int
    source_line: str


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One of the owner's own tests: facts in, and what is expected by the name of the answer.

    `devices` None leaves the choice of a device open.
    """

    name: str
    line: int
    facts: Facts
    sliced: bool
    """Whether facts of a build are given, so that the routing is looked at too."""
    expected: Mapping[str, str]
    today: date | None = None
    devices: tuple[DeviceFacts, ...] | None = None


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A rules file that can be trusted: both lists end in a rule that takes everything.

    `revision` names the very text: the first 12 hex digits of its sha256.
    """

    source: str
    revision: str
    intake: tuple[IntakeRule, ...]
    routing: tuple[RoutingRule, ...]
    tests: tuple[RuleTest, ...] = ()
    warnings: tuple[Mistake, ...] = ()
    mentions: tuple[Mention, ...] = ()
    names: tuple[NamePattern, ...] = ()
    """What the names of files hold."""
    text: str = ""
    """The very text that was read."""
