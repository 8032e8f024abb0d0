"""What ships with the simulator: a shop with machines, presets, people and past work.

Names, people and amounts are invented. Series, types and materials are from the contract, or were seen on
the real service.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from workflow.simulator import parts, printers
from workflow.simulator.models import (
    NO_FIBER,
    ULTEM,
    Build,
    Device,
    Part,
    PartVersion,
    Preset,
    PrintJob,
    StlMeasurement,
    User,
)
from workflow.simulator.world import World

T = TypeVar("T")
SHOP_AGE = timedelta(days=120)
PAST_JOBS_AGE = timedelta(days=90)
RUNNING_PRINT_AGE = timedelta(hours=1)
STALE_JOB_COUNT = 42
STALE_JOBS_AGE = timedelta(days=120)
"""Of the latest 100 jobs of one shop, over four months, 42 were `Printing` while one machine printed."""


class SeedDevice(NamedTuple):
    """A device as it is when the simulator starts."""

    name: str
    type: str
    series: str
    state: str
    primary: str
    primary_cm3: float
    secondary: str = NO_FIBER
    secondary_cm3: float = 0.0


class SeedPart(NamedTuple):
    """A part that was sliced before the simulator started."""

    title: str
    preset: str
    volume_cm3: float
    height_mm: float


PRESETS = (
    (parts.DEFAULT_PRESET_TITLE, "Desktop Series", "Onyx", NO_FIBER),
    ("Onyx", "Desktop Series", "Onyx", NO_FIBER),
    ("Onyx with carbon fiber", "Desktop Series", "Onyx", "Carbon Fiber"),
    ("Nylon White", "Desktop Series", "Nylon White", NO_FIBER),
    ("Onyx Industrial", "Industrial Series", "Onyx", NO_FIBER),
    ("ULTEM 9085", "FX20", ULTEM, NO_FIBER),
    ("17-4 PH", "Metal X", "17-4 PH", NO_FIBER),
)
"""Title, series, materials."""

DEVICES = (
    SeedDevice(
        "Mark Two - Anvil", "Mark Two", "Desktop Series", "Ready", "Onyx", 612.5, "Carbon Fiber", 41.0
    ),
    SeedDevice("Mark Two - Bolt", "Mark Two", "Desktop Series", "Ready", "Onyx", 388.0, "Fiberglass", 37.5),
    SeedDevice(
        "Mark Two - Cam", "Mark Two", "Desktop Series", "Print Bed Needs Clearing", "Nylon White", 75.0
    ),
    SeedDevice("Onyx Pro - Dowel", "Onyx Pro", "Desktop Series", "Offline", "Onyx", 0.0),
    SeedDevice("Onyx One - Eyelet", "Onyx One", "Desktop Series", "Low on Material", "Onyx", 9.5),
    SeedDevice("X7 - Flange", "X7", "Industrial Series", "Ready", "Onyx", 540.0, "Carbon Fiber", 88.0),
    SeedDevice("FX20 - Girder", "FX20", "FX20", "Ready", ULTEM, 2150.0),
    SeedDevice("Metal X - Hammer", "Metal X", "Metal X", "Ready", "17-4 PH", 205.0),
    SeedDevice("Sinter-1 - Ingot", "Unknown", "Sinter-1", "Ready", "None", 0.0),
)
DEVICES_OUTSIDE_ENUMS = (
    SeedDevice("Sinter-1 - Ingot", "Sinter-1", "Sinter-1", "Ready", "None", 0.0),
    SeedDevice("FX10 - Jig", "FX10", "FX10", "Ready", "Onyx", 720.0, "Carbon Fiber", 110.0),
)
"""Replace the last device if enums are open, as seen on the real service."""

PAST_PARTS = (
    SeedPart("vise jaw", "Onyx", 31.4, 60),
    SeedPart("cable guide", "Onyx with carbon fiber", 12.8, 25),
    SeedPart("drill jig", "Onyx", 96.0, 80),
    SeedPart("duct elbow", "ULTEM 9085", 210.0, 180),
)
PAST_JOB_BUILDS = {"duct elbow": 27, "cable guide": 62, "vise jaw": 53, "drill jig": 53}
PAST_JOB_STATES = {"Completed": 128, "Canceled": 46, "Failed": 19, "Unknown": 2}
PAST_JOB_SOURCES = {"Eiger": 162, "Device": 33}
PAST_JOB_QUEUED = {True: 77, False: 118}
"""The jobs of one organization that ended within 90 days, as counted on the real service."""
RUNNING_BUILDS = {"Mark Two - Bolt": "drill jig", "FX20 - Girder": "duct elbow"}
QUEUED_BUILDS = {"Mark Two - Bolt": ("vise jaw", "cable guide")}

USER_NAMES = ("Ada Anvil", "Ben Bolt", "Cleo Cam", "Dan Dowel", "Metal Lab")
FOLDER_TITLES = ("Library", "Fixtures")


def seed_world(world: World) -> None:
    """Fill an empty world with all that ships, as if the shop had worked for months."""
    today = world.now
    world.now = today - SHOP_AGE
    _add_presets(world)
    _add_users(world)
    _add_devices(world)
    builds = {work.title: _add_past_build(world, work) for work in PAST_PARTS}
    jobs: list[PrintJob] = []
    if "stale-printing" in world.options.quirks:
        jobs += _stale_jobs(world, builds, today)
    if "past-jobs" in world.options.quirks:
        jobs += _past_jobs(world, builds, today)
    for job in sorted(jobs, key=lambda each: each.created_at):
        world.print_jobs.put(job)
    world.now = today - RUNNING_PRINT_AGE
    _start_and_queue_builds(world, builds)
    world.now = today
    for device in world.devices:
        if device.state in printers.BED_FULL_STATES:
            printers.schedule_operator_visit(world, device)


def device_named(world: World, name: str) -> Device:
    """Return a device by its name."""
    return next(device for device in world.devices if device.name == name)


def _add_presets(world: World) -> None:
    for title, series, primary, secondary in PRESETS:
        world.presets.put(Preset(world.new_id("preset"), title, series, primary, secondary))


def _add_users(world: World) -> None:
    for name in USER_NAMES:
        email = f"{name.lower().replace(' ', '.')}@example.com"
        world.users.put(User(world.new_id("user"), name, email, world.now, world.now))
    world.folders = {world.new_id("folder"): title for title in FOLDER_TITLES}


def _add_devices(world: World) -> None:
    open_enums = "open-enums" in world.options.quirks
    for machine in (*DEVICES[:-1], *DEVICES_OUTSIDE_ENUMS) if open_enums else DEVICES:
        device_id = world.new_id("device")
        world.devices.put(Device(device_id, created_at=world.now, updated_at=world.now, **machine._asdict()))


def _add_past_build(world: World, work: SeedPart) -> Build:
    preset = parts.preset_titled(world, work.preset)
    measured = StlMeasurement("binary", 0, (50.0, 50.0, work.height_mm), work.volume_cm3, flaw=None)
    part_id, version_id, slicing_id = (world.new_id(kind) for kind in ("part", "part version", "slice job"))
    world.parts.put(Part(part_id, world.now, world.now, (version_id,), shipped=True))
    version = world.part_versions.put(
        PartVersion(version_id, part_id, work.title, preset, measured, slicing_id, stl=None, shipped=True)
    )
    return world.builds.put(replace(parts.make_build(world, [version]), shipped=True))


def _start_and_queue_builds(world: World, builds: dict[str, Build]) -> None:
    for name, title in RUNNING_BUILDS.items():
        device = device_named(world, name)
        queued = printers.append_to_queue(world, device, builds[title])
        printers.start_queued_job(world, device, replace(queued, shipped=True))
    for name, titles in QUEUED_BUILDS.items():
        for title in titles:
            queued = printers.append_to_queue(world, device_named(world, name), builds[title])
            world.queued_jobs.put(replace(queued, shipped=True))


def _stale_jobs(world: World, builds: Mapping[str, Build], today: datetime) -> Iterator[PrintJob]:
    """Yield jobs that ended long ago and are still `Printing`, evenly over four months."""
    every = list(builds.values())
    for number in range(STALE_JOB_COUNT):
        build = every[number % len(every)]
        devices = [device for device in world.devices if device.series == build.series]
        started = today - STALE_JOBS_AGE * (1 - number / (STALE_JOB_COUNT + 1))
        yield PrintJob(
            id=world.new_id("print job"),
            state="Printing",
            asked_for="print",
            build=build.id,
            device=devices[number % len(devices)].id,
            created_at=started,
            updated_at=started,
            started_at=started,
            shipped=True,
        )


def _past_jobs(world: World, builds: Mapping[str, Build], today: datetime) -> Iterator[PrintJob]:
    """Yield jobs that ended within the last 90 days, evenly."""
    kinds = zip(
        _shuffled(world, PAST_JOB_BUILDS),
        _shuffled(world, PAST_JOB_STATES),
        _shuffled(world, PAST_JOB_SOURCES),
        _shuffled(world, PAST_JOB_QUEUED),
        strict=True,
    )
    count = sum(PAST_JOB_BUILDS.values())
    for number, (title, state, source, queued) in enumerate(kinds):
        build = builds[title]
        devices = [device for device in world.devices if device.series == build.series]
        ended = today - PAST_JOBS_AGE * (1 - number / (count + 1))
        share = 1.0 if state == "Completed" else world.chance.random()
        started = ended - timedelta(seconds=share * build.print_seconds)
        yield PrintJob(
            id=world.new_id("print job"),
            state=state,
            asked_for="queue" if queued else "print",
            build=build.id,
            device=world.chance.choice(devices).id,
            created_at=started,
            updated_at=ended,
            queued_at=started - timedelta(hours=1) if queued else None,
            started_at=started,
            ended_at=ended,
            source=source,
            shipped=True,
        )


def _shuffled(world: World, counts: Mapping[T, int]) -> list[T]:
    each = [kind for kind, count in counts.items() for _ in range(count)]
    world.chance.shuffle(each)
    return each
