"""What goes wrong in one run of the campaign: decided by the seed alone."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.crash.points import POINTS

SENDS = ("sendBuildToBacklog", "sendBuildToJobRequestQueue", "appendToDeviceQueue")
READS = ("getSliceStatus", "listBuilds", "readBuild", "readPartVersion", "listPrintJobs", "listDeviceQueue")
LONGEST_DELAY_SECONDS = 1.5
FAR_APART_SECONDS = (-3600.0, -40.0, 40.0, 3600.0, 90_000.0)
RARE_POINTS = ("reclaim: effect", "take over: outcome", "leave: about to")
ORDER_POINTS = tuple(name for name in POINTS if name.startswith("order: "))
POINTS_OFTEN = tuple(name for name in POINTS if name not in RARE_POINTS)


@dataclass(frozen=True)
class Start:
    """Start a worker; `die_at` makes it die by itself at a point."""

    worker: int
    die_at: str | None = None
    nth: int = 1
    clock_seconds: float = 0.0


@dataclass(frozen=True)
class Kill:
    """Kill a worker, after so long; one that is doomed gets longer to die by itself."""

    worker: int
    after_seconds: float


@dataclass(frozen=True)
class Stop:
    """Ask a worker to stop, as the system does."""

    worker: int


@dataclass(frozen=True)
class Freeze:
    """Stop a worker for so long, as a partition or a suspended machine would; it comes back."""

    worker: int
    seconds: float


@dataclass(frozen=True)
class Drop:
    """Drop the next so many files into the inbox."""

    count: int


@dataclass(frozen=True)
class Fault:
    """Order a fault of the cloud."""

    operation: str
    kind: str
    times: int
    status: int = 503
    retry_after_seconds: float | None = None
    delay_seconds: float = LONGEST_DELAY_SECONDS


@dataclass(frozen=True)
class Outage:
    """Something is not there for so long: the share, the database, room on a disk, or good rules."""

    what: str
    seconds: float
    after: float = 0.0
    """Seconds until it begins."""


@dataclass(frozen=True)
class Order:
    """A person's order on some submission: `chance` picks among those that there are."""

    word: str
    chance: float


@dataclass(frozen=True)
class Move:
    """A person decides by moving a held file to another folder: `chance` picks among those in held/."""

    where: str
    chance: float


@dataclass(frozen=True)
class Again:
    """A person moves the note of a sent part into the inbox: it is sent once more."""

    chance: float


Act = Start | Kill | Stop | Freeze | Drop | Fault | Outage | Order | Move | Again


@dataclass(frozen=True)
class Plan:
    """One run: how many workers and files, and what is done in which order."""

    seed: int
    database: str
    workers: int
    good: int
    bad: int
    small: int
    disks: bool
    acts: tuple[Act, ...]
    last: tuple[Act, ...] = ()
    """What is done once everything has ended."""

    @property
    def files(self) -> int:
        return self.good + self.bad + self.small


def plan_of(seed: int, database: str, kills: int, *, root: bool) -> Plan:
    """Return the plan of a seed; `root` may mount small disks."""
    chance = random.Random(f"{seed} {database}")
    workers = 1 if database == "sqlite" else chance.choice((1, 2, 3))
    good, bad, small = chance.randint(5, 9), chance.randint(1, 2), chance.randint(2, 4)
    disks = root and chance.random() < 0.25
    acts: list[Act] = [Drop(3)]
    acts += [Start(worker) for worker in range(1, workers)]
    for _ in range(kills):
        acts += _trouble(chance, database, disks=disks)
        acts += _death(chance, chance.randrange(workers))
    acts.append(Drop(good + bad + small))
    acts += _death(chance, 0)
    last = tuple(_orders(chance, chance.randrange(workers)))
    return Plan(seed, database, workers, good, bad, small, disks, tuple(acts), last)


def _death(chance: random.Random, worker: int) -> Iterator[Act]:
    """One worker is started, and killed at a random time or at a named point."""
    clock = chance.choice(FAR_APART_SECONDS) if chance.random() < 0.1 else 0.0
    if chance.random() < 0.6:
        point = chance.choice(POINTS_OFTEN if chance.random() < 0.9 else RARE_POINTS)
        yield Start(worker, point, chance.choice((1, 1, 1, 2, 3)), clock)
        yield Kill(worker, chance.uniform(0.8, 2.0))
    else:
        yield Start(worker, clock_seconds=clock)
        if chance.random() < 0.3:  # of what it works on
            yield Outage("share", chance.uniform(0.2, 2.5), after=chance.uniform(0.3, 2.0))
        yield Kill(worker, chance.uniform(0.0, 1.2))


def _orders(chance: random.Random, worker: int) -> Iterator[Act]:
    """Parts are ordered again, and a worker dies before, while and after they are."""
    yield Again(chance.random())
    yield Kill(worker, chance.uniform(0.0, 0.5))
    yield Again(chance.random())
    yield Start(worker, chance.choice(ORDER_POINTS if chance.random() < 0.7 else POINTS_OFTEN))
    yield Kill(worker, chance.uniform(0.8, 2.0))
    yield Again(chance.random())


def _trouble(chance: random.Random, database: str, *, disks: bool) -> Iterator[Act]:
    if chance.random() < 0.5:
        yield Drop(chance.randint(1, 2))
    if chance.random() < 0.6:
        yield _fault(chance)
    if chance.random() < 0.15:
        yield Order(chance.choice(("retry", "cancel", "release")), chance.random())
    if chance.random() < 0.5:
        yield Move(chance.choice(("approved", "approved", "rejected")), chance.random())
    if chance.random() < 0.4:
        yield Again(chance.random())
    if chance.random() < 0.06:
        yield Outage("share", chance.uniform(0.2, 1.0))
    if chance.random() < 0.05:
        longer_than_any_lease = chance.random() < 0.2
        yield Freeze(
            chance.randrange(3), chance.uniform(*((5.5, 7.0) if longer_than_any_lease else (0.5, 2.5)))
        )
    if chance.random() < 0.05:
        yield Stop(chance.randrange(3))
    if database == "postgres" and chance.random() < 0.04:
        yield Outage("database", chance.uniform(0.2, 2.0))
    if chance.random() < 0.06:
        yield Outage("good rules", chance.choice((0.0, chance.uniform(0.5, 3.0))))
    if disks and chance.random() < 0.15:
        yield Outage(chance.choice(("full state", "full share")), chance.uniform(0.3, 1.0))


def _fault(chance: random.Random) -> Fault:
    kind = chance.choice(
        ("status", "status", "throttled", "delay", "slow", "cut_before", "cut_after", "truncated",
         "not_json", "wrong_type", "error_page")
    )  # fmt: skip
    operation = chance.choice((*SENDS, *SENDS, "uploadStl", "uploadStl", *READS, "*"))
    times = chance.randint(1, 3)
    if kind == "status":
        return Fault(operation, "status", times * 2, chance.choice((500, 502, 503, 504)))
    if kind == "throttled":
        return Fault(operation, "status", times, 429, chance.choice((None, 0.5, 1.0)))
    return Fault(operation, kind, times, delay_seconds=chance.uniform(0.2, LONGEST_DELAY_SECONDS))
