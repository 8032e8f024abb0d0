"""The simulated cloud as tests see it: over real HTTP, with its control plane."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from workflow.simulator import SimulatorOptions, running_simulator

DISPATCHES = ("sendBuildToBacklog", "sendBuildToJobRequestQueue", "appendToDeviceQueue", "printToPrinter")


@dataclass(frozen=True)
class Cloud:
    """One running simulator."""

    url: str

    @property
    def control(self) -> str:
        return self.url.removesuffix("/api/v3") + "/_sim"

    def journal(self) -> list[dict[str, Any]]:
        reply = requests.get(f"{self.control}/journal", timeout=60).json()
        entries: list[dict[str, Any]] = reply["requests"] if isinstance(reply, dict) else reply
        return entries

    def world(self) -> dict[str, Any]:
        world: dict[str, Any] = requests.get(f"{self.control}/world", timeout=60).json()
        return world

    def fault(self, operation: str, kind: str, times: int = 1, **details: object) -> None:
        fault = {"operation": operation, "kind": kind, "times": times, **details}
        requests.post(f"{self.control}/faults", json=fault, timeout=60).raise_for_status()

    def advance(self, seconds: float) -> None:
        """Put the simulated clock forward."""
        body = {"advance_seconds": seconds}
        requests.post(f"{self.control}/clock", json=body, timeout=60).raise_for_status()

    def clear_faults(self) -> None:
        requests.delete(f"{self.control}/faults", timeout=60).raise_for_status()

    def device(self, name: str) -> dict[str, Any]:
        """Return a device as Eiger lists it."""
        reply = requests.get(f"{self.url}/devices", auth=("demo", "demo"), timeout=60).json()
        return next(device for device in reply["items"] if device["name"] == name)

    def change_device(self, name: str, state: str) -> None:
        """Let something happen to a device."""
        change = {"device_id": self.device(name)["id"], "state": state}
        requests.post(f"{self.control}/devices", json=change, timeout=60).raise_for_status()

    def device_named(self, name: str) -> dict[str, Any]:
        """Return a device of the world, also one that the list of devices leaves out."""
        return next(device for device in self.world()["devices"] if name in device["name"])

    def act(self, what: str, **body: object) -> None:
        """Let a person do something: `start`, `prints`, `attend`, `devices`."""
        requests.post(f"{self.control}/{what}", json=body, timeout=60).raise_for_status()

    def approve(self, *builds: str) -> None:
        """Have a person approve just these builds, which switches approvals on."""
        body = {"builds": list(builds)}
        requests.put(
            f"{self.url}/builds/approved", json=body, auth=("demo", "demo"), timeout=10
        ).raise_for_status()

    def world_builds(self) -> list[str]:
        """Return the ids of all builds."""
        reply = requests.get(f"{self.url}/builds", auth=("demo", "demo"), timeout=60).json()
        return [str(build["id"]) for build in reply["items"]]

    def take_parts_for(self, units: str, scale: float = 1.0) -> None:
        """Have a person choose preferred units, for what is uploaded from now on."""
        body = {"units": units, "scale": scale}
        requests.post(f"{self.control}/units", json=body, timeout=60).raise_for_status()

    def approved(self) -> set[str]:
        reply = requests.get(f"{self.url}/builds/approved", auth=("demo", "demo"), timeout=60)
        return {build["id"] for build in reply.json()["items"]}

    def make_build(self, part_version_id: str) -> str:
        reply = requests.post(f"{self.control}/builds", json={"part_version_id": part_version_id}, timeout=60)
        reply.raise_for_status()
        return str(reply.json()["id"])

    def dispatches(self) -> Counter[str]:
        """Count the effects of dispatching, by build: what Eiger really has."""
        return Counter(
            str(entry["effect"]["build"])
            for entry in self.journal()
            if entry["operation"] in DISPATCHES and entry["effect"]
        )


@contextmanager
def simulated(
    slice_seconds: float = 0.1,
    builds: str = "auto",
    quirks: frozenset[str] = frozenset(),
    units: str = "mm",
    scale: float = 1.0,
    date_ahead_seconds: float = 0.0,
    operator_seconds: float = 300.0,
) -> Iterator[Cloud]:
    """Run a fresh simulator."""
    options = SimulatorOptions(
        slice_seconds=slice_seconds,
        builds=builds,
        quirks=quirks,
        units=units,
        scale=scale,
        date_ahead_seconds=date_ahead_seconds,
        operator_seconds=operator_seconds,
    )
    with running_simulator(options) as url:
        yield Cloud(url)
