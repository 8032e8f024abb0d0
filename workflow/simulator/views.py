"""Rows as the contract shows them, and signed links, which work without keys until they expire."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from workflow.simulator import parts, printers
from workflow.simulator.models import (
    NO_FIBER,
    Build,
    Device,
    Part,
    PartVersion,
    PrintedPart,
    PrintJob,
    QueuedJob,
    User,
)
from workflow.simulator.printers import print_progress
from workflow.simulator.world import World

DOWNLOAD_SECONDS = 30
PREVIEW_SECONDS = 3600
"""Lifetimes as the contract's prose says; a scan report's link lives as long as a preview's."""

SIGNED_LINKS_PATH = "/_signed"
MAX_DIGITS = 18


def is_whole_number(text: str) -> bool:
    """True for a text of digits from 0 to 9, as many as a number of entries or seconds has."""
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS


@dataclass(frozen=True, slots=True)
class LinkSigner:
    """Signs and checks links under a base like `http://127.0.0.1:8765`."""

    key: bytes
    base: str

    def sign(self, what: str, now: datetime, seconds: int) -> str:
        """Return a link to `what` (like `stl/ID`) that works for `seconds`."""
        expires = int((now + timedelta(seconds=seconds)).timestamp())
        query = f"expires={expires}&signature={self._signature(what, expires)}"
        return f"{self.base}{SIGNED_LINKS_PATH}/{what}?{query}"

    def verify(self, what: str, expires: str, signature: str, now: datetime) -> bool:
        """True if the signature is valid for `what` and has not expired."""
        if not is_whole_number(expires):
            return False
        fits = hmac.compare_digest(self._signature(what, int(expires)).encode(), signature.encode())
        return fits and now.timestamp() <= int(expires)

    def _signature(self, what: str, expires: int) -> str:
        return hmac.new(self.key, f"{what} {expires}".encode(), hashlib.sha256).hexdigest()[:32]


View = dict[str, object]

SCAN_SECONDS = 60.0
"""How long a scan report takes to appear after it was requested (invented)."""
USD_PER_CM3 = {"primary": 0.21, "secondary": 0.0, "tertiary": 0.35, "fiber": 2.4}
"""Invented prices; the service shows costs in US dollars."""
WITHOUT_MAINTENANCE = frozenset({"Metal X", *printers.FURNACE_SERIES})


@lru_cache(maxsize=1 << 16)
def format_time(moment: datetime | None) -> str | None:
    """Return a time as the service writes it: UTC, milliseconds, Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def _standard_costs(build: Build) -> View:
    used = {"primary": build.primary_cm3, "tertiary": build.support_cm3, "fiber": build.fiber_cm3}
    costs = {kind: round(used.get(kind, 0.0) * price, 2) for kind, price in USD_PER_CM3.items()}
    return {**costs, "total": round(sum(costs.values()), 2)}


@dataclass(frozen=True, slots=True)
class Views:
    """A world's rows as the contract shows them; `links` signs the links in them."""

    world: World
    links: LinkSigner

    def has(self, quirk: str) -> bool:
        """True if the world has a quirk."""
        return quirk in self.world.options.quirks

    def build(self, build: Build) -> View:
        """BuildView."""
        approved = self.world.approved
        view: View = {
            "id": build.id,
            "title": build.title,
            "created_at": format_time(build.created_at),
            "updated_at": format_time(build.updated_at),
            "part_count": build.part_count,
            "preview_url": self._preview(build.id),
            "device_series": build.series,
            "primary_material": build.primary,
            "secondary_material": build.secondary,
            "ccs_primary_required": build.primary_cm3,
            "ccs_secondary_required": None,
            "ccs_tertiary_required": build.support_cm3 or None,
            "estimated_print_seconds": build.print_seconds,
            "sliced": build.sliced,
            "blacksmith_enabled": build.blacksmith_enabled,
            "approved": None if approved is None else build.id in approved,
        }
        if self.has("extra-fields"):
            view["ccs_fiber_required"] = build.fiber_cm3 or None
            view["standard_costs"] = _standard_costs(build)
        return view

    def build_extended(self, build: Build) -> View:
        """BuildViewExtended: with the part versions and their places on the bed."""
        versions = [self.world.part_versions[version_id] for version_id in build.part_version_ids]
        poses = [
            {"id": version.id, "x": 20 * place, "y": 0, "theta": 0} for place, version in enumerate(versions)
        ]
        shown = [self.part_version(version) for version in versions]
        return self.build(build) | {"part_versions": shown, "poses": poses}

    def part(self, part: Part) -> View:
        """PartView."""
        return {
            "id": part.id,
            "created_at": format_time(part.created_at),
            "updated_at": format_time(part.updated_at),
            "cloned_from": None,
            "latest_partversion": part.version_ids[-1],
            "part_versions": list(part.version_ids),
        }

    def part_version(self, version: PartVersion) -> View:
        """PartVersionView."""
        view: View = {
            "id": version.id,
            "part_id": version.part_id,
            "title": version.title,
            "description": None,
            "version_number": version.number,
            "preview_url": self._preview(version.id),
            "sliced": parts.is_sliced(self.world, version),
            "device_series": version.preset.series,
            "primary_material": version.preset.primary,
            "secondary_material": version.preset.secondary,
        }
        if not self.has("no-units"):
            turned = {"x": 0, "y": 0, "z": 0}
            view["settings"] = {"scale": version.scale, "euler": turned, "units": version.units}
        return view

    def user(self, user: User) -> View:
        """UserView."""
        return {"id": user.id, "name": user.name, "email": user.email}

    def device(self, device: Device) -> View:
        """DeviceView; as seen, an offline device has no keys for materials (absent, not null)."""
        queue = printers.waiting_jobs(self.world, device)
        view: View = {
            "id": device.id,
            "name": device.name,
            "device_type": device.type,
            "device_series": device.series,
            "created_at": format_time(device.created_at),
            "updated_at": format_time(device.updated_at),
            "queue_estimated_time_seconds": printers.queue_seconds(self.world, device, queue),
            "queue_length": len(queue),
            "state": device.state,
        }
        if device.online and device.series not in printers.FURNACE_SERIES:
            view |= {
                "loaded_primary_material": device.primary,
                "loaded_secondary_material": None if device.secondary == NO_FIBER else device.secondary,
                "ccs_primary_remaining": self._remaining(device),
                "ccs_secondary_remaining": device.secondary_cm3,
            }
        if self.has("extra-fields") and device.series not in WITHOUT_MAINTENANCE:
            nozzle = {"consumable_title": "Plastic Nozzle", "status": "Up to Date", "usage_remaining": 99}
            view["maintenance_status"] = [nozzle]
        return view

    def device_extended(self, device: Device) -> View:
        """DeviceViewExtended: with `active_job` while a job runs; an idle device has no such key."""
        job = self.world.print_jobs.get(device.job or "")
        view = self.device(device)
        if job is not None and job.started_at is not None and device.online:
            build = self.world.builds[job.build]
            active = self.print_job(job) | self._progress(build, job.started_at)
            view["active_job"] = active | {"build": self.build(build)}
        return view

    def print_job(self, job: PrintJob) -> View:
        """PrintJobView."""
        return {
            "id": job.id,
            "state": job.state,
            "queued_at": format_time(job.queued_at),
            "created_at": format_time(job.created_at),
            "started_at": format_time(job.started_at),
            "updated_at": format_time(job.updated_at),
            "ended_at": format_time(job.ended_at),
        }

    def print_job_extended(self, job: PrintJob) -> View:
        """PrintJobViewExtended."""
        build, device = self.world.builds[job.build], self.world.devices.get(job.device or "")
        hidden = self.has("null-device") and job.state == "Printing"
        view = self.print_job(job) | self._job_progress(job, build, device)
        view["build"] = self.build(build)
        view["device"] = self.device(device) if device and not hidden else None
        if self.has("extra-fields"):
            initiator = self.user(next(iter(self.world.users))) if job.source == "Eiger" else None
            view |= {"source": job.source, "initiator": initiator, "requester": None}
        return view

    def queued_job(self, queued: QueuedJob) -> View:
        """QueuedPrintJobView."""
        return {
            "id": queued.id,
            "state": queued.state,
            "queued_at": format_time(queued.queued_at),
            "updated_at": format_time(queued.updated_at),
        }

    def queued_job_extended(self, queued: QueuedJob) -> View:
        """QueuedPrintJobViewExtended."""
        return self.queued_job(queued) | {"build": self.build(self.world.builds[queued.build])}

    def printed_part(self, printed: PrintedPart) -> View:
        """PrintedPartViewExtended."""
        job = self.world.print_jobs[printed.print_job]
        return {
            "id": printed.id,
            "state": printed.state,
            "notes": printed.notes,
            "printed_at": format_time(printed.printed_at),
            "updated_at": format_time(printed.updated_at),
            "print_job": self.print_job(job) | {"build": self.build(self.world.builds[job.build])},
        }

    def scan_report_url(self, printed: PrintedPart) -> str | None:
        """Return a link to the scan report; None until some time after it was requested."""
        asked_at, now = printed.scan_asked_at, self.world.now
        if asked_at is None or (now - asked_at).total_seconds() < SCAN_SECONDS:
            return None
        return self.links.sign(f"scan/{printed.id}", now, PREVIEW_SECONDS)

    def _preview(self, row_id: str) -> str:
        return self.links.sign(f"preview/{row_id}", self.world.now, PREVIEW_SECONDS)

    def _remaining(self, device: Device) -> float:
        """Return what is left of the material; as measured, it falls with the progress of a print."""
        job = self.world.print_jobs.get(device.job or "")
        if job is None or job.started_at is None:
            return round(device.primary_cm3, 3)
        build = self.world.builds[job.build]
        used = build.primary_cm3 * print_progress(build, job.started_at, self.world.now).percent / 100
        return round(max(device.primary_cm3 - used, 0.0), 3)

    def _progress(self, build: Build, started_at: datetime) -> View:
        per_layer = printers.moves_per_layer(self.world)
        progress = print_progress(build, started_at, self.world.now, per_layer=per_layer)
        return {
            "printing_state": progress.printing_state,
            "current_layer": progress.current_layer,
            "layer_count": progress.layer_count,
            "progress": progress.percent,
            "estimated_seconds_remaining": progress.seconds_remaining,
        }

    def _job_progress(self, job: PrintJob, build: Build, device: Device | None) -> View:
        """Return the progress that a print job shows: none unless a device works on it."""
        runs = device is not None and device.job == job.id and job.started_at is not None
        if runs and job.started_at and not self.has("progress-on-device-only"):
            return self._progress(build, job.started_at)
        nothing = ("current_layer", "layer_count", "progress", "estimated_seconds_remaining")
        return {"printing_state": "Unknown"} | dict.fromkeys(nothing)
