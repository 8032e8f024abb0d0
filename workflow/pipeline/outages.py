"""Printers out of choice: a person takes one out, and no rule sends anything there until it is back."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from loguru import logger

from workflow.errors import SettingsError
from workflow.ledger import Ledger
from workflow.model import DeviceFacts, PrinterOutage, PrinterSnapshot
from workflow.pipeline.context import now
from workflow.pipeline.decider import one_line
from workflow.suggest import nearest_name


def with_outages(
    devices: Sequence[DeviceFacts], outages: Iterable[PrinterOutage], zone: tzinfo | None
) -> tuple[DeviceFacts, ...]:
    """Return the devices, each with why it is out of choice if it is."""
    out = {outage.device_id: describe_outage(outage, zone) for outage in outages}
    return tuple(replace(device, outage=out[device.id]) if device.id in out else device for device in devices)


def last_seen_devices(ledger: Ledger, zone: tzinfo | None) -> tuple[DeviceFacts, ...]:
    """Return the facts of the printers as last seen, without asking Eiger. Raises StateFolderError."""
    devices = [seen_device_facts(printer) for printer in ledger.printers.latest()]
    return with_outages(devices, ledger.outages.list_current(now()), zone)


def seen_device_facts(printer: PrinterSnapshot) -> DeviceFacts:
    """Return what choosing a printer needs, as it was last seen."""
    loaded = {each.kind: (each.name, each.left_cm3) for each in reversed(printer.loaded)}
    (material, material_left), (fiber, fiber_left) = (
        loaded.get(kind, (None, None)) for kind in ("material", "fiber")
    )
    return DeviceFacts(
        printer.id,
        printer.name,
        printer.model,
        printer.series,
        printer.state,
        material,
        fiber,
        material_left,
        printer.queue_seconds,
        printer.queue_length,
        fiber_left,
        is_busy=printer.running is not None or printer.state == "Printing",
        active_seconds=None if printer.running is None else printer.running.seconds_left,
    )


def describe_outage(outage: PrinterOutage, zone: tzinfo | None) -> str:
    """Return until when and why a printer is out of choice, and who said so."""
    until = "" if outage.until is None else f" until {outage.until.astimezone(zone):%a %d %b %H:%M}"
    return f"is out of choice{until}: {outage.reason} ({outage.by})"


def find_printer(ledger: Ledger, name: str) -> PrinterSnapshot:
    """Return the printer of this name or id. Raises SettingsError when there is none, or several."""
    known = ledger.printers.latest()
    found = [each for each in known if name in {each.id, each.name}]
    found = found or [each for each in known if each.name.casefold() == name.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(each.id for each in found)
        raise SettingsError(f"{len(found)} printers are named '{name}'. Give the id: {ids}.")
    if not known:
        raise SettingsError("No printer is known yet: stlflow lists them once it runs. Start `stlflow run`.")
    meant = nearest_name(name, [each.name for each in known])
    hint = f" Did you mean '{meant}'?" if meant else ""
    raise SettingsError(f"There is no printer '{name}'.{hint} `stlflow printers` lists them.")


def take_printer_out(
    ledger: Ledger, name: str, reason: str, by: str, until: datetime | None = None
) -> tuple[PrinterSnapshot, PrinterOutage]:
    """Take a printer out of choice; return it and its outage.

    What was sent to it already stays there. Raises SettingsError, StateFolderError.
    """
    moment, reason, by = now(), one_line(reason), one_line(by)
    if not reason:
        raise SettingsError(
            "Say why the printer is out of choice: the reason is shown where it matters.", field="reason"
        )
    if until is not None and until <= moment:
        raise SettingsError(f"{until:%Y-%m-%d %H:%M} is over already. Give a later time.", field="until")
    printer = find_printer(ledger, name)
    outage = PrinterOutage(printer.id, reason, by, moment, until)
    ledger.outages.begin(outage)
    logger.info("{} {}.", printer.name, describe_outage(outage, None))
    return printer, outage


def put_printer_back(ledger: Ledger, name: str, by: str) -> tuple[PrinterSnapshot, bool]:
    """Put a printer back into choice; return it, and whether it was out.

    Raises SettingsError, StateFolderError.
    """
    printer = find_printer(ledger, name)
    was_out = ledger.outages.end(printer.id)
    if was_out:
        logger.info("{} is back in choice ({}).", printer.name, by)
    return printer, was_out
