"""The printers' page: what each does now, when it is free, what comes from us, and who is out of choice."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

from starlette.requests import Request

from workflow.console.access import console_of, visitor_of
from workflow.console.forms import first
from workflow.console.timeline import DAY_HOURS, WEEK_HOURS, Timeline, draw_timeline
from workflow.console.views import Form
from workflow.errors import SettingsError
from workflow.frozen import frozen
from workflow.ledger import Ledger
from workflow.model import (
    DeviceFacts,
    LoadedMaterial,
    PrinterOutage,
    PrinterSnapshot,
    RunningPrint,
    SubmissionState,
    needed_action,
)
from workflow.notes import queue_wait
from workflow.pipeline.context import now
from workflow.pipeline.outages import describe_outage, put_printer_back, seen_device_facts, take_printer_out

STALE_AFTER = timedelta(minutes=15)
"""A state that is older is shown with its age."""
UNTIL_FORMAT = "%Y-%m-%dT%H:%M"
_KINDS = {
    "ready": "ok",
    "printing": "busy",
    "resuming print": "busy",
    "running utility": "busy",
}


@frozen
class ComingPart:
    """One of our submissions that is queued for a printer, or about to be sent to it."""

    id: int
    path: str
    seconds: float | None
    is_queued: bool


@frozen
class PrinterRow:
    """One printer as the page shows it. `kind` is ok, busy, wait (for a person), trouble or unknown.

    `needs` is what the person has to do. `free_at` is None where that is not known.
    """

    id: str
    name: str
    model: str
    series: str
    state: str
    kind: str
    needs: str | None
    seen_at: datetime
    is_stale: bool
    running: RunningPrint | None
    queue_length: int | None
    queue_seconds: float | None
    free_at: datetime | None
    loaded: tuple[LoadedMaterial, ...]
    coming: tuple[ComingPart, ...]
    outage: PrinterOutage | None


@frozen
class PrintersPage:
    """All printers, and the timeline of the next hours."""

    printers: tuple[PrinterRow, ...]
    hours: int
    timeline: Timeline


def read_printers(request: Request) -> PrintersPage:
    """Return the page; `hours` of the query is 24 or 168. Raises StateFolderError."""
    console = console_of(request)
    hours = WEEK_HOURS if request.query_params.get("hours") == str(WEEK_HOURS) else DAY_HOURS
    moment = now()
    rows = list_printers(console.ledger, moment)
    return PrintersPage(rows, hours, draw_printers_timeline(rows, moment, hours, console.settings.zone))


def list_printers(ledger: Ledger, moment: datetime) -> tuple[PrinterRow, ...]:
    """Return every printer as last seen. Raises StateFolderError."""
    known = ledger.printers.latest()
    outages = {outage.device_id: outage for outage in ledger.outages.list_current(moment)}
    coming = _list_coming(ledger, known)
    devices = tuple(map(seen_device_facts, known))
    return tuple(
        _row(each, seconds_until_free(each, devices), outages.get(each.id), coming.get(each.id, ()), moment)
        for each in known
    )


def _row(
    printer: PrinterSnapshot,
    busy_seconds: float | None,
    outage: PrinterOutage | None,
    coming: Iterable[ComingPart],
    moment: datetime,
) -> PrinterRow:
    running, kind = printer.running, state_kind(printer.state)
    left = 0.0 if running is None else running.seconds_left or 0.0
    goes_on = kind == "ok" or (kind == "busy" and running is not None)
    return PrinterRow(
        printer.id,
        printer.name,
        printer.model,
        printer.series,
        printer.state or "state unknown",
        kind,
        needed_action(printer.state),
        printer.seen_at,
        moment - printer.seen_at > STALE_AFTER,
        running,
        printer.queue_length,
        None if busy_seconds is None else max(busy_seconds - left, 0.0),
        printer.seen_at + timedelta(seconds=busy_seconds) if goes_on and busy_seconds is not None else None,
        printer.loaded,
        tuple(coming),
        outage,
    )


def state_kind(state: str | None) -> str:
    """Return what a state of Eiger's means for the person who looks; new words may come."""
    if needed_action(state) is not None:
        return "wait"
    return "unknown" if state is None else _KINDS.get(state.casefold(), "trouble")


def seconds_until_free(printer: PrinterSnapshot, devices: Sequence[DeviceFacts]) -> float | None:
    """Return how long a printer prints what it has, at most; None if Eiger does not say.

    Whether the time of a queue includes the running print is read off the other printers.
    """
    wait = queue_wait(seen_device_facts(printer), devices)
    return None if wait is None else wait[1]


def _list_coming(ledger: Ledger, printers: Sequence[PrinterSnapshot]) -> Mapping[str, list[ComingPart]]:
    """Return our submissions by printer: those in its queue, then those about to be sent."""
    routed = [each for each in ledger.all([SubmissionState.ROUTED]) if each.device_id]
    queued = {number: printer.id for printer in printers for number in printer.queued}
    found = {each.id: each for each in (*ledger.among(list(queued)), *routed)}
    facts = {number: decided.facts for number, decided in ledger.decisions.read_routing(found.keys()).items()}
    coming: dict[str, list[ComingPart]] = defaultdict(list)
    for number, submission in sorted(found.items()):
        hours = facts.get(number, {}).get("build.print_hours")
        seconds = float(hours) * 3600 if isinstance(hours, int | float) else None
        part = ComingPart(number, submission.path, seconds, number in queued)
        coming[queued.get(number) or submission.device_id or ""].append(part)
    return coming


def draw_printers_timeline(
    printers: Sequence[PrinterRow], moment: datetime, hours: int, zone: tzinfo | None
) -> Timeline:
    """Return the timeline of the next hours: running print, queue, what is about to come, and outages."""
    bars = []
    for row, printer in enumerate(printers):
        if (outage := printer.outage) is not None:  # first: a print that runs is drawn over it
            end = outage.until or moment + timedelta(hours=hours)
            bars.append((row, moment, end, "out", describe_outage(outage, zone)))
        at = printer.seen_at if printer.needs is None else max(printer.seen_at, moment)
        if (running := printer.running) is not None and running.seconds_left:
            end = at + timedelta(seconds=running.seconds_left)
            bars.append((row, at, end, "running", f"prints {running.name or 'a build of others'}"))
            at = end
        if printer.queue_seconds:
            end = at + timedelta(seconds=printer.queue_seconds)
            bars.append((row, at, end, "queued", f"{printer.queue_length or 'some'} queued"))
            at = end
        for part in printer.coming:
            if not part.is_queued and part.seconds:
                end = max(at, moment) + timedelta(seconds=part.seconds)
                bars.append((row, max(at, moment), end, "coming", f"comes: {part.path}"))
                at = end
    names = [f"{each.name}: {each.needs}" if each.needs else each.name for each in printers]
    return draw_timeline(names, bars, moment, hours, zone)


def take_out(request: Request, form: Form) -> str:
    """Take a printer out of choice; return what was done. Raises SettingsError."""
    console = console_of(request)
    until = _read_until(first(form, "until"), console.settings.zone)
    by = visitor_of(request).by
    printer, outage = take_printer_out(console.ledger, first(form, "name"), first(form, "reason"), by, until)
    return f"{printer.name} {describe_outage(outage, console.settings.zone)}."


def put_back(request: Request, form: Form) -> str:
    """Put a printer back into choice; return what was done. Raises SettingsError."""
    console = console_of(request)
    printer, was_out = put_printer_back(console.ledger, first(form, "name"), visitor_of(request).by)
    console.wake()
    return f"{printer.name} is back in choice." if was_out else f"{printer.name} was in choice already."


def _read_until(text: str, zone: tzinfo | None) -> datetime | None:
    """Return a time of the shop, as a browser's field for times sends it."""
    if not text:
        return None
    try:
        return datetime.strptime(text[:16], UNTIL_FORMAT).replace(tzinfo=zone).astimezone()
    except (ValueError, OverflowError):
        raise SettingsError(
            f"'{text[:40]}' is no time. Write it as 2027-01-11T08:00.", field="until"
        ) from None
