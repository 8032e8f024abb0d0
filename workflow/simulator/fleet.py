"""What ships with the simulator: a shop with its machines, presets, people and some past work.

Names, people and loads are invented; series, types and materials are those of the contract and of
what was seen on the real service.
"""

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from workflow.simulator import floor, library
from workflow.simulator.things import (
    NO_FIBER,
    Build,
    Device,
    Measured,
    Part,
    PartVersion,
    Preset,
    PrintJob,
    User,
)
from workflow.simulator.world import World

OPEN_FOR = timedelta(days=30)
PRINTING_FOR = timedelta(hours=1)
ULTEM = "ULTEM™ 9085 Filament"
STALE_JOBS = 5


class Machine(NamedTuple):
    """A device as it stands when the simulator starts."""

    name: str
    type: str
    series: str
    state: str
    primary: str
    primary_cm3: float
    secondary: str = NO_FIBER
    secondary_cm3: float = 0.0


class Work(NamedTuple):
    """A part that was sliced before the simulator started."""

    title: str
    preset: str
    volume_cm3: float
    height_mm: float


PRESETS = (
    (library.VENDOR_DEFAULT, "Desktop Series", "Onyx", NO_FIBER),
    ("Onyx", "Desktop Series", "Onyx", NO_FIBER),
    ("Onyx with carbon fiber", "Desktop Series", "Onyx", "Carbon Fiber"),
    ("Nylon White", "Desktop Series", "Nylon White", NO_FIBER),
    ("Onyx Industrial", "Industrial Series", "Onyx", NO_FIBER),
    ("ULTEM 9085", "FX20", ULTEM, NO_FIBER),
    ("17-4 PH", "Metal X", "17-4 PH", NO_FIBER),
)
"""Title, series, materials."""

MACHINES = (
    Machine("Mark Two - Anvil", "Mark Two", "Desktop Series", "Ready", "Onyx", 612.5, "Carbon Fiber", 41.0),
    Machine("Mark Two - Bolt", "Mark Two", "Desktop Series", "Ready", "Onyx", 388.0, "Fiberglass", 37.5),
    Machine("Mark Two - Cam", "Mark Two", "Desktop Series", "Print Bed Needs Clearing", "Nylon White", 75.0),
    Machine("Onyx Pro - Dowel", "Onyx Pro", "Desktop Series", "Offline", "Onyx", 0.0),
    Machine("Onyx One - Eyelet", "Onyx One", "Desktop Series", "Low on Material", "Onyx", 9.5),
    Machine("X7 - Flange", "X7", "Industrial Series", "Ready", "Onyx", 540.0, "Carbon Fiber", 88.0),
    Machine("FX20 - Girder", "FX20", "FX20", "Ready", ULTEM, 2150.0),
    Machine("Metal X - Hammer", "Metal X", "Metal X", "Ready", "17-4 PH", 205.0),
    Machine("Sinter-1 - Ingot", "Unknown", "Sinter-1", "Ready", "None", 0.0),
)
OUTSIDE_THE_ENUMS = (
    Machine("Sinter-1 - Ingot", "Sinter-1", "Sinter-1", "Ready", "None", 0.0),
    Machine("FX10 - Jig", "FX10", "FX10", "Ready", "Onyx", 720.0, "Carbon Fiber", 110.0),
)
"""Instead of the last one, where the enums are open (as seen on the real service)."""

PAST_WORK = (
    Work("vise jaw", "Onyx", 31.4, 60),
    Work("cable guide", "Onyx with carbon fiber", 12.8, 25),
    Work("drill jig", "Onyx", 96.0, 80),
    Work("duct elbow", "ULTEM 9085", 210.0, 180),
)
RUNNING = {"Mark Two - Bolt": "drill jig", "FX20 - Girder": "duct elbow"}
WAITING = {"Mark Two - Bolt": ("vise jaw", "cable guide")}

PEOPLE = ("Ada Anvil", "Ben Bolt", "Cleo Cam", "Dan Dowel", "Metal Lab")
FOLDERS = ("Library", "Fixtures")


def furnish(world: World) -> None:
    """Put everything that ships into an empty world, as if the shop had been at work for a while."""
    today = world.now
    world.now = today - OPEN_FOR
    _add_presets(world)
    _add_people(world)
    _add_machines(world)
    builds = {work.title: _add_past_work(world, work) for work in PAST_WORK}
    if "stale-printing" in world.options.quirks:
        _leave_stale_jobs(world, builds["vise jaw"])
    world.now = today - PRINTING_FOR
    _set_to_work(world, builds)
    world.now = today
    for device in world.devices:
        if device.state in floor.BED_IN_USE:
            floor.expect_person(world, device)


def device_named(world: World, name: str) -> Device:
    """Give a device by its name."""
    return next(device for device in world.devices if device.name == name)


def _add_presets(world: World) -> None:
    for title, series, primary, secondary in PRESETS:
        world.presets.put(Preset(world.new_id("preset"), title, series, primary, secondary))


def _add_people(world: World) -> None:
    for name in PEOPLE:
        email = f"{name.lower().replace(' ', '.')}@example.com"
        world.users.put(User(world.new_id("user"), name, email, world.now, world.now))
    world.folders = {world.new_id("folder"): title for title in FOLDERS}


def _add_machines(world: World) -> None:
    open_enums = "open-enums" in world.options.quirks
    for machine in (*MACHINES[:-1], *OUTSIDE_THE_ENUMS) if open_enums else MACHINES:
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


def _add_past_work(world: World, work: Work) -> Build:
    preset = next(preset for preset in world.presets if preset.title == work.preset)
    measured = Measured("binary", 0, (50.0, 50.0, work.height_mm), work.volume_cm3, flaw=None)
    part_id, version_id, slicing_id = (world.new_id(kind) for kind in ("part", "part version", "slice job"))
    world.parts.put(Part(part_id, world.now, world.now, (version_id,), shipped=True))
    version = world.part_versions.put(
        PartVersion(version_id, part_id, work.title, preset, measured, slicing_id, stl=None, shipped=True)
    )
    return world.builds.put(replace(library.make_build(world, [version]), shipped=True))


def _set_to_work(world: World, builds: dict[str, Build]) -> None:
    for name, title in RUNNING.items():
        device = device_named(world, name)
        queued = floor.append_to_queue(world, device, builds[title])
        floor.begin(world, device, replace(queued, shipped=True))
    for name, titles in WAITING.items():
        for title in titles:
            queued = floor.append_to_queue(world, device_named(world, name), builds[title])
            world.queued_jobs.put(replace(queued, shipped=True))


def _leave_stale_jobs(world: World, build: Build) -> None:
    """Jobs that ended long ago and still say `Printing`, as seen: 42 of the latest 100."""
    device = device_named(world, "Mark Two - Anvil")
    for _ in range(STALE_JOBS):
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
