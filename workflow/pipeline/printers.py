"""Stores what Eiger lists of the printers, each time that anything asks for the list."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from loguru import logger

from workflow.eiger import Device
from workflow.errors import StateFolderError
from workflow.ledger import Ledger
from workflow.model import LoadedMaterial, PrinterSnapshot, RunningPrint
from workflow.pipeline.context import now


def record_printers(ledger: Ledger, devices: Sequence[Device]) -> None:
    """Store the state of the printers as just listed; a ledger that refuses it stops nobody's work."""
    seen_at = now()
    try:
        ledger.printers.write([printer_snapshot(device, seen_at) for device in devices])
    except StateFolderError as error:
        logger.debug("The state of the printers is not stored: {}", error)


def printer_snapshot(device: Device, seen_at: datetime) -> PrinterSnapshot:
    """Return the state of a printer as Eiger lists it."""
    return PrinterSnapshot(
        device.id, device.name, device.device_type, device.device_series, seen_at, device.state,
        _running_print(device), device.queue_length, device.queue_estimated_time_seconds,
        loaded=tuple(_loaded_materials(device)),
    )  # fmt: skip


def _running_print(device: Device) -> RunningPrint | None:
    job = device.active_job
    if job is None:
        return None
    build = job.build
    return RunningPrint(
        job.id, None if build is None else build.title, None if build is None else build.id,
        job.progress, job.estimated_seconds_remaining,
    )  # fmt: skip


def _loaded_materials(device: Device) -> Iterator[LoadedMaterial]:
    """Yield what is loaded. Eiger has shown 0 cm³ of a fiber that was loaded, so 0 says nothing of it."""
    if device.loaded_primary_material is not None:
        yield LoadedMaterial("material", device.loaded_primary_material, device.ccs_primary_remaining)
    if device.loaded_secondary_material is not None:
        yield LoadedMaterial(
            "fiber", device.loaded_secondary_material, device.ccs_secondary_remaining or None
        )
