"""The content of a rules file as values: two ordered lists of rules, and the tests of them."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import TypeVar

from workflow.errors import Mistake
from workflow.frozen import frozen
from workflow.model import Destination, DeviceFacts, Facts
from workflow.routing.build_volumes import BuildVolume
from workflow.routing.conditions import Condition
from workflow.routing.due import DueDate, Holidays
from workflow.routing.filename_tags import NamePattern
from workflow.routing.globs import Glob
from workflow.routing.matchers import Interval, TimeWindow


class SelectionPolicy(StrEnum):
    """Which of the devices that fit is taken; the name breaks ties."""

    SOONEST = "soonest"
    """The least time queued."""
    SHORTEST_QUEUE = "shortest_queue"
    """The fewest builds queued."""
    FIRST = "first"
    """The first in the order of `name` where that is a list, otherwise by name."""
    ROUND_ROBIN = "round_robin"
    """The one to which nothing was sent for the longest time."""


@frozen
class UploadAction:
    """Upload with this preset (title or id), for this owner, into this folder (an id of Eiger's)."""

    preset: str
    owner: str | None = None
    folder: str | None = None


@frozen
class RejectAction:
    """Set the file aside; the reason is for its owner."""

    reason: str


@frozen
class HoldAction:
    """Wait for a person; the reason says why."""

    reason: str


@frozen
class DeviceRequirements:
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
    choose: SelectionPolicy = SelectionPolicy.SOONEST
    queue_hours: Interval | None = None
    queue_length: Interval | None = None


@frozen
class Copies:
    """How many times a build is sent: a number, or what a tag of the file's name says (without it, once)."""

    number: int = 1
    tag: str | None = None


ONE_COPY = Copies()
MAX_COPIES = 100


@frozen
class SendAction:
    """Send the build. `otherwise` is for when no device qualifies; None then holds it.

    `hold_first` is why a person checks before it is sent; `approve_first` has it approved in Eiger.
    `window` is the time of day in which it is sent; a build that comes earlier waits.
    """

    destination: Destination
    due: DueDate | None = None
    device: DeviceRequirements | None = None
    otherwise: Destination | None = None
    copies: Copies = ONE_COPY
    hold_first: str | None = None
    approve_first: bool = False
    window: TimeWindow | None = None
    spread: bool = False
    """The copies are dealt over the devices that qualify, instead of all to one."""
    follow: bool | None = None
    """Whether stlflow follows the print to its end; None: by its destination."""


@frozen
class IntakeRule:
    """How a part is uploaded, or not. `when` None takes every file."""

    name: str
    line: int
    when: Condition | None
    action: UploadAction | RejectAction | HoldAction
    notify: tuple[str, ...] = ()
    """Who hears of the files that it takes, beside others: targets of the settings, or e-mail addresses."""


@frozen
class RoutingRule:
    """Where a build goes. `when` None takes every build."""

    name: str
    line: int
    when: Condition | None
    action: SendAction | HoldAction
    notify: tuple[str, ...] = ()
    """Who hears of the files that it takes, beside others: targets of the settings, or e-mail addresses."""

    @property
    def device(self) -> DeviceRequirements | None:
        """The devices that the rule asks for; None when it names none."""
        return self.action.device if isinstance(self.action, SendAction) else None

    @property
    def has_window(self) -> bool:
        """True if it sends at certain times of the day only."""
        return isinstance(self.action, SendAction) and self.action.window is not None


Rule = TypeVar("Rule", IntakeRule, RoutingRule)


class MentionKind(StrEnum):
    """Kinds of names in a rules file that only the cloud, or the file of build volumes, knows."""

    PRESET = "preset"
    PRESET_TITLE = "preset title"
    USER = "user"
    DEVICE = "device"
    SERIES = "series"
    TYPE = "printer type"
    STATE = "printer state"
    MATERIAL = "material"
    FIBER = "fiber"
    BUILD_SERIES = "printer series"
    FITS = "printer"
    FITS_SERIES = "series"


@frozen
class Mention:
    """A place in the file with a name of the cloud; a pattern, except for presets and users."""

    subject: MentionKind
    text: str
    line: int
    column: int
    source_line: str


@frozen
class RuleTest:
    """One test of a rules file: facts in, and the expected values by the name of the result.

    `devices` None leaves the choice of a device open.
    """

    name: str
    line: int
    facts: Facts
    sliced: bool
    """True if facts of a build are given, so that the routing is tested too."""
    expected: Mapping[str, str]
    today: date | None = None
    devices: tuple[DeviceFacts, ...] | None = None
    stl: str | None = None
    """An STL file to measure, for the facts that are not given; relative to the rules file."""


@frozen
class Rulebook:
    """A valid rules file: both lists end in a catch-all.

    `revision` is the first 12 hex digits of the text's sha256.
    """

    source: str
    revision: str
    intake: tuple[IntakeRule, ...]
    routing: tuple[RoutingRule, ...]
    tests: tuple[RuleTest, ...] = ()
    warnings: tuple[Mistake, ...] = ()
    mentions: tuple[Mention, ...] = ()
    names: tuple[NamePattern, ...] = ()
    """Patterns for the names of files."""
    holidays: Holidays = ()
    """Days that are no working days, besides the weekends."""
    text: str = ""
    """The text as it was read."""
    volumes: tuple[BuildVolume, ...] = ()
    """The build volumes of printers, for the facts `fits` and `fits_series`."""
