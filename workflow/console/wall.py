"""The wall: what a screen in the workshop shows, readable from across the room, without buttons."""

from dataclasses import replace
from datetime import datetime

from starlette.requests import Request

from workflow.console.access import console_of, visitor_of
from workflow.console.attention import count_waiting
from workflow.console.printers import PrinterRow, list_printers
from workflow.doctor.readiness import read_readiness
from workflow.frozen import frozen
from workflow.pipeline.context import now

REFRESH_SECONDS = 15


@frozen
class Wall:
    """Printers as tiles, how many files wait for a person, and why stlflow is not ready, if so.

    `names` False: what is printed, or comes, is not named.
    """

    now: datetime
    waiting: int
    printers: tuple[PrinterRow, ...]
    troubles: tuple[str, ...]
    names: bool
    refresh_seconds: int = REFRESH_SECONDS


def read_wall(request: Request) -> Wall:
    """Return what the wall shows. Raises StateFolderError."""
    console, moment = console_of(request), now()
    names = visitor_of(request).sees_names and request.query_params.get("names") != "no"
    printers = list_printers(console.ledger, moment)
    readiness = read_readiness(console.ledger, console.settings)
    return Wall(
        moment,
        count_waiting(console.ledger),
        printers if names else tuple(map(_without_names, printers)),
        tuple(check.says for check in readiness.checks if not check.ready),
        names,
    )


def _without_names(printer: PrinterRow) -> PrinterRow:
    running = printer.running and replace(printer.running, name=None)
    return replace(printer, running=running, coming=())
