"""The control plane under `/_sim/`: what a test or a curious person may see and turn. No keys asked."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workflow.simulator import floor, library
from workflow.simulator.faults import read_fault
from workflow.simulator.simulation import Simulation
from workflow.simulator.things import PartVersion
from workflow.simulator.views import at
from workflow.simulator.world import Refused, found
from workflow.simulator.worldview import world_view

PLACE = "/_sim"
Endpoint = Callable[[Request], Awaitable[Response]]
Body = Mapping[str, object]


class Control:
    """The endpoints over one simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def routes(self) -> list[Route]:
        """Give the endpoints, to be mounted under `PLACE`."""
        actions: Mapping[str, Callable[[Body], object]] = {
            "reset": self._reset,
            "clock": self._turn_clock,
            "builds": self._make_build,
            "slices": self._end_slicing,
            "attend": self._attend,
            "devices": self._change_device,
            "units": self._change_units,
        }
        return [
            Route("/", self._index),
            Route("/journal", self._journal),
            Route("/world", self._world),
            Route("/faults", self._faults, methods=["GET", "POST", "DELETE"]),
            *(Route(f"/{name}", _acting(action), methods=["POST"]) for name, action in actions.items()),
        ]

    async def _index(self, _request: Request) -> Response:
        clock, options = self._simulation.clock, self._simulation.options
        return JSONResponse(
            {
                "now": at(clock.now()),
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
        if not (since.isascii() and since.isdigit()):
            return _wrong(f"since is the number of an entry, not {since!r}.")
        return JSONResponse(self._simulation.journal.since(int(since)))

    async def _world(self, request: Request) -> Response:
        everything = request.query_params.get("everything") == "true"
        return JSONResponse(world_view(self._simulation.present(), everything=everything))

    async def _faults(self, request: Request) -> Response:
        faults = self._simulation.faults
        if request.method == "DELETE":
            faults.clear()
        elif request.method == "POST":
            try:
                orders = json.loads(await request.body())
                faults.order([read_fault(order) for order in _listed(orders)])
            except ValueError as error:
                return _wrong(str(error))
        return JSONResponse(faults.listed())

    def _reset(self, _body: Body) -> object:
        self._simulation.reset()
        return {"now": at(self._simulation.clock.now())}

    def _turn_clock(self, body: Body) -> object:
        clock = self._simulation.clock
        if "rate" in body:
            clock.set_rate(_number(body, "rate"))
        if "advance_seconds" in body:
            clock.advance(_number(body, "advance_seconds"))
        if "date_ahead_seconds" in body:
            clock.date_ahead_seconds = _number(body, "date_ahead_seconds")
        self._simulation.present()
        return {"now": at(clock.now()), "rate": clock.rate}

    def _make_build(self, body: Body) -> object:
        """What a person does in Eiger: lay parts on a bed."""
        world = self._simulation.present()
        named = _listed(body.get("part_version_ids", body.get("part_version_id")))
        versions: list[PartVersion] = [
            found(world.part_versions, version_id, "part version") for version_id in named
        ]
        title = body.get("title")
        if not versions:
            raise ValueError("part_version_ids names at least one part version.")
        build = library.make_build(world, versions, None if title is None else str(title))
        return self._simulation.views().build_extended(build)

    def _end_slicing(self, body: Body) -> object:
        """What a person does in Eiger: cancel a slicing; or what the slicer does: fail."""
        world = self._simulation.present()
        slicing = found(world.slice_jobs, body.get("slice_job_id"), "slice job")
        ended = library.end_slicing(world, slicing, str(body.get("status", "CANCELED")))
        return {"slice_job_id": ended.id, "status": ended.ended_as}

    def _attend(self, body: Body) -> object:
        """What a person does at a machine: clear its bed, start the next of its queue."""
        world = self._simulation.present()
        device = found(world.devices, body.get("device_id"), "device")
        floor.attend(world, device.id)
        return self._simulation.views().device_extended(world.devices[device.id])

    def _change_device(self, body: Body) -> object:
        """What happens to a machine by itself: it goes offline, jams, or comes back."""
        world = self._simulation.present()
        device = found(world.devices, body.get("device_id"), "device")
        state = body.get("state")
        if not isinstance(state, str):
            raise ValueError("state is a word like Offline.")
        world.devices.put(replace(device, state=state))
        return self._simulation.views().device_extended(world.devices[device.id])

    def _change_units(self, body: Body) -> object:
        """What a person does in Eiger: choose preferred units, for what is uploaded from now on."""
        world = self._simulation.present()
        units = body.get("units", world.units)
        scale = _number({"scale": world.scale, **body}, "scale")
        if not isinstance(units, str) or scale <= 0:
            raise ValueError("units is a word like mm, and scale is above 0.")
        world.units, world.scale = units, scale
        return {"units": units, "scale": scale}


def _acting(action: Callable[[Body], object]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            body = json.loads(await request.body() or b"{}")
            if not isinstance(body, dict):
                raise ValueError("The body is an object.")
            return JSONResponse(action(body))
        except (ValueError, Refused) as error:
            return _wrong(str(error))

    return endpoint


def _wrong(message: str) -> Response:
    return JSONResponse({"message": message}, status_code=400)


def _listed(value: object) -> list[object]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _number(body: Body, name: str) -> float:
    value = body[name]
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{name} is a number.")
    return float(value)
