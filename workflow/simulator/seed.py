"""What ships with the simulator: a shop with its machines, presets, people and some past work.

Names, people and loads are invented; series, types and materials are those of the contract and of
what was seen on the real service.
"""

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from workflow.simulator import parts, printers
from workflow.simulator.models import (
    NO_FIBER,
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

SHOP_AGE = timedelta(days=30)
RUNNING_PRINT_AGE = timedelta(hours=1)
ULTEM = "ULTEM™ 9085 Filament"
STALE_JOB_COUNT = 5


class SeedDevice(NamedTuple):
    """A device as it stands when the simulator starts."""

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
"""Instead of the last one, where the enums are open (as seen on the real service)."""

PAST_PARTS = (
    SeedPart("vise jaw", "Onyx", 31.4, 60),
    SeedPart("cable guide", "Onyx with carbon fiber", 12.8, 25),
    SeedPart("drill jig", "Onyx", 96.0, 80),
    SeedPart("duct elbow", "ULTEM 9085", 210.0, 180),
)
RUNNING_BUILDS = {"Mark Two - Bolt": "drill jig", "FX20 - Girder": "duct elbow"}
QUEUED_BUILDS = {"Mark Two - Bolt": ("vise jaw", "cable guide")}

USER_NAMES = ("Ada Anvil", "Ben Bolt", "Cleo Cam", "Dan Dowel", "Metal Lab")
FOLDER_TITLES = ("Library", "Fixtures")


def seed_world(world: World) -> None:
    """Put everything that ships into an empty world, as if the shop had been at work for a while."""
    today = world.now
    world.now = today - SHOP_AGE
    _add_presets(world)
    _add_users(world)
    _add_devices(world)
    builds = {work.title: _add_past_build(world, work) for work in PAST_PARTS}
    if "stale-printing" in world.options.quirks:
        _add_stale_jobs(world, builds["vise jaw"])
    world.now = today - RUNNING_PRINT_AGE
    _start_and_queue_builds(world, builds)
    world.now = today
    for device in world.devices:
        if device.state in printers.BED_FULL_STATES:
            printers.schedule_operator_visit(world, device)


def device_named(world: World, name: str) -> Device:
    """Give a device by its name."""
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
        device = Device(
            id=world.new_id("device"),
            name=machine.name,
            type=machine.type,
            series=machine.series,
            state=machine.state,
            primary=machine.primary,
            primary_cm3=machine.primary_cm3,
            secondary=machine.secondary,
            secondary_cm3=machine.secondary_cm3,
            created_at=world.now,
            updated_at=world.now,
        )
        world.devices.put(device)


def _add_past_build(world: World, work: SeedPart) -> Build:
    preset = next(preset for preset in world.presets if preset.title == work.preset)
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


def _add_stale_jobs(world: World, build: Build) -> None:
    """Jobs that ended long ago and still say `Printing`, as seen: 42 of the latest 100."""
    device = device_named(world, "Mark Two - Anvil")
    for _ in range(STALE_JOB_COUNT):
        world.print_jobs.put(
            PrintJob(
                id=world.new_id("print job"),
                state="Printing",
                asked_for="print",
                build=build.id,
                device=device.id,
                created_at=world.now,
                updated_at=world.now,
                started_at=world.now,
                shipped=True,
            )
        )
