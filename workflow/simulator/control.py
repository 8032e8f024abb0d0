"""The control plane under `/_sim/`: shows the state of the simulator and changes it. Needs no keys."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workflow.simulator import operators, parts, printers
from workflow.simulator.faults import parse_fault
from workflow.simulator.models import Build, Part, PartVersion, PrintJob, QueuedJob
from workflow.simulator.options import MAX_NUMBER
from workflow.simulator.simulation import Simulation
from workflow.simulator.views import MAX_DIGITS, format_time, is_whole_number
from workflow.simulator.world import Refused, World, require_row


def describe_world(world: World, *, everything: bool = False) -> dict[str, object]:
    """Return what was made since the start; with `everything`, also what ships with the simulator."""

    def seen(shipped: bool) -> bool:
        return everything or not shipped

    return {
        "now": format_time(world.now),
        "parts": [_part_row(each) for each in world.parts if seen(each.shipped)],
        "part_versions": [
            _part_version_row(world, each) for each in world.part_versions if seen(each.shipped)
        ],
        "builds": [_build_row(each) for each in world.builds if seen(each.shipped)],
        "approved": None if world.approved is None else sorted(world.approved),
        "print_jobs": [_print_job_row(each) for each in world.print_jobs if seen(each.shipped)],
        "queues": {
            device.id: [
                _queue_row(each) for each in printers.waiting_jobs(world, device) if seen(each.shipped)
            ]
            for device in world.devices
        },
        "devices": [
            {"id": each.id, "name": each.name, "series": each.series, "state": each.state, "job_id": each.job}
            for each in world.devices
        ],
        "users": [{"id": each.id, "name": each.name, "email": each.email} for each in world.users],
        "folders": [{"id": folder_id, "title": title} for folder_id, title in world.folders.items()],
    }


def _part_row(part: Part) -> dict[str, object]:
    return {
        "id": part.id,
        "part_version_ids": list(part.version_ids),
        "folder_id": part.folder_id,
        "owner_id": part.owner_id,
    }


def _part_version_row(world: World, version: PartVersion) -> dict[str, object]:
    stl, slicing = version.stl, world.slice_jobs.get(version.slice_job_id)
    return {
        "id": version.id,
        "part_id": version.part_id,
        "title": version.title,
        "preset": version.preset.title,
        "sha256": stl.sha256 if stl else None,
        "size": stl.size if stl else None,
        "format": version.measured.format,
        "triangles": version.measured.triangles,
        "size_mm": list(version.measured.size_mm),
        "volume_cm3": version.measured.volume_cm3,
        "flaw": version.measured.flaw,
        "slice_job_id": version.slice_job_id,
        "slice_status": parts.slice_status(world, slicing) if slicing else "COMPLETED",
    }


def _build_row(build: Build) -> dict[str, object]:
    return {
        "id": build.id,
        "title": build.title,
        "created_at": format_time(build.created_at),
        "part_version_ids": list(build.part_version_ids),
        "layers": build.layers,
        "primary_cm3": build.primary_cm3,
        "print_seconds": build.print_seconds,
    }


def _print_job_row(job: PrintJob) -> dict[str, object]:
    return {
        "id": job.id,
        "state": job.state,
        "asked_for": job.asked_for,
        "origin": job.origin,
        "ended_at": format_time(job.ended_at),
        "build_id": job.build,
        "device_id": job.device,
        "due_date": job.due_date.isoformat() if job.due_date else None,
        "created_at": format_time(job.created_at),
    }


def _queue_row(queued: QueuedJob) -> dict[str, object]:
    return {
        "id": queued.id,
        "state": queued.state,
        "build_id": queued.build,
        "queued_at": format_time(queued.queued_at),
    }


CONTROL_PATH = "/_sim"
Endpoint = Callable[[Request], Awaitable[Response]]
RequestBody = Mapping[str, object]


class ControlPlane:
    """The endpoints of one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def routes(self) -> list[Route]:
        """Return the routes, to be mounted under CONTROL_PATH."""
        actions: Mapping[str, Callable[[RequestBody], object]] = {
            "reset": self._reset,
            "clock": self._set_clock,
            "builds": self._make_build,
            "slices": self._end_slicing,
            "attend": self._attend,
            "prints": self._end_print,
            "start": self._start_job,
            "devices": self._change_device,
            "units": self._change_units,
        }
        return [
            Route("/", self._index),
            Route("/journal", self._journal),
            Route("/world", self._world),
            Route("/faults", self._faults, methods=["GET", "POST", "DELETE"]),
            *(
                Route(f"/{name}", _action_endpoint(action), methods=["POST"])
                for name, action in actions.items()
            ),
        ]

    async def _index(self, _request: Request) -> Response:
        clock, options = self._simulation.clock, self._simulation.options
        return JSONResponse(
            {
                "now": format_time(clock.now()),
                "rate": clock.rate,
                "seed": options.seed,
                "builds": options.builds,
                "slice_seconds": options.slice_seconds,
                "units": options.units,
                "scale": options.scale,
                "quirks": sorted(options.quirks),
            }
        )

    async def _journal(self, request: Request) -> Response:
        since = request.query_params.get("since", "0")
        if not is_whole_number(since):
            return _bad_request(f"since must be the number of an entry, not {since[:MAX_DIGITS]!r}.")
        return JSONResponse(self._simulation.journal.since(int(since)))

    async def _world(self, request: Request) -> Response:
        everything = request.query_params.get("everything") == "true"
        return JSONResponse(describe_world(self._simulation.current_world(), everything=everything))

    async def _faults(self, request: Request) -> Response:
        faults = self._simulation.faults
        if request.method == "DELETE":
            faults.clear()
        elif request.method == "POST":
            try:
                orders = json.loads(await request.body())
                faults.add_faults([parse_fault(order) for order in _as_list(orders)])
            except ValueError as error:
                return _bad_request(str(error))
        return JSONResponse(faults.list_faults())

    def _reset(self, _body: RequestBody) -> object:
        self._simulation.reset()
        return {"now": format_time(self._simulation.clock.now())}

    def _set_clock(self, body: RequestBody) -> object:
        clock = self._simulation.clock
        if "rate" in body:
            clock.set_rate(_read_number(body, "rate"))
        if "advance_seconds" in body:
            clock.advance(_read_number(body, "advance_seconds"))
        if "date_ahead_seconds" in body:
            clock.date_ahead_seconds = _read_number(body, "date_ahead_seconds")
        self._simulation.current_world()
        return {"now": format_time(clock.now()), "rate": clock.rate}

    def _make_build(self, body: RequestBody) -> object:
        """Make a build of parts, as a person does in Eiger."""
        world = self._simulation.current_world()
        named = _as_list(body.get("part_version_ids", body.get("part_version_id")))
        versions = [require_row(world.part_versions, version_id, "part version") for version_id in named]
        title = body.get("title")
        if not versions:
            raise ValueError("part_version_ids must name at least one part version.")
        build = parts.make_build(world, versions, None if title is None else str(title))
        if body.get("sliced") is False:
            build = world.builds.put(replace(build, sliced=False))
        return self._simulation.views().build_extended(build)

    def _end_slicing(self, body: RequestBody) -> object:
        """Cancel a slicing, as a person does in Eiger, or let it fail."""
        world = self._simulation.current_world()
        slicing = require_row(world.slice_jobs, body.get("slice_job_id"), "slice job")
        ended = parts.end_slicing(world, slicing, str(body.get("status", "CANCELED")))
        return {"slice_job_id": ended.id, "status": ended.ended_as}

    def _attend(self, body: RequestBody) -> object:
        """Clear a machine's bed and start the next build of its queue, as an operator does."""
        world = self._simulation.current_world()
        device = require_row(world.devices, body.get("device_id"), "device")
        printers.clear_bed_and_start_next(world, device.id)
        return self._simulation.views().device_extended(world.devices[device.id])

    def _end_print(self, body: RequestBody) -> object:
        """Let a print fail or be canceled by an operator, or end without Eiger hearing of it."""
        world = self._simulation.current_world()
        job = require_row(world.print_jobs, body.get("print_job_id"), "print job")
        return self._simulation.views().print_job(operators.end_print(world, job, str(body.get("state"))))

    def _start_job(self, body: RequestBody) -> object:
        """Start a build of the job requests or the backlog on a machine, as an operator does."""
        world = self._simulation.current_world()
        job = require_row(world.print_jobs, body.get("print_job_id"), "print job")
        device = require_row(world.devices, body.get("device_id"), "device")
        return self._simulation.views().print_job(operators.start_waiting_job(world, device, job))

    def _change_device(self, body: RequestBody) -> object:
        """Change the state of a machine: it goes offline, jams, or comes back."""
        world = self._simulation.current_world()
        device = require_row(world.devices, body.get("device_id"), "device")
        state = body.get("state")
        if not isinstance(state, str):
            raise ValueError("state must be a word like Offline.")
        changed = world.devices.put(replace(device, state=state, listed=body.get("listed") is not False))
        printers.schedule_operator_visit(world, changed)  # whatever waits in its queue goes on
        return self._simulation.views().device_extended(world.devices[device.id])

    def _change_units(self, body: RequestBody) -> object:
        """Set the units of later uploads, as a person does in Eiger."""
        world = self._simulation.current_world()
        units = body.get("units", world.units)
        scale = _read_number({"scale": world.scale, **body}, "scale")
        if not isinstance(units, str) or scale <= 0:
            raise ValueError("units must be a word like mm, and scale must be above 0.")
        world.units, world.scale = units, scale
        return {"units": units, "scale": scale}


def _action_endpoint(action: Callable[[RequestBody], object]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            body = json.loads(await request.body() or b"{}")
            if not isinstance(body, dict):
                raise ValueError("The body must be an object.")
            return JSONResponse(action(body))
        except (ValueError, Refused) as error:
            return _bad_request(str(error))

    return endpoint


def _bad_request(message: str) -> Response:
    return JSONResponse({"message": message}, status_code=400)


def _as_list(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _read_number(body: RequestBody, name: str) -> float:
    value = body[name]
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{name} must be a number.")
    if not -MAX_NUMBER <= value <= MAX_NUMBER:  # neither is what is not a number
        raise ValueError(f"{name} must be a number up to {MAX_NUMBER:,}.")
    return float(value)
