"""`stlflow printers`: what each printer does, and taking one out of choice."""

from collections.abc import Mapping

import click

from workflow.cli.output import json_option, print_json, user_name
from workflow.cli.param_types import MomentText, parse_moment
from workflow.model import PrinterOutage, PrinterSnapshot, describe_printer_state

NOTHING_SEEN = "No printer is known yet: stlflow lists them once it runs."
SECONDS_PER_HOUR = 3600


@click.group(invoke_without_command=True, subcommand_metavar="[COMMAND] [ARGS]...")
@json_option
@click.pass_context
def printers(context: click.Context, as_json: bool) -> None:
    """Show the printers as last seen, and take one out of choice."""
    if context.invoked_subcommand is not None:
        return
    from workflow.assembly import open_ledger
    from workflow.pipeline.context import now
    from workflow.pipeline.outages import describe_outage
    from workflow.settings import load_settings

    settings = load_settings()
    ledger = open_ledger(settings)
    known = ledger.printers.latest()
    out = {outage.device_id: outage for outage in ledger.outages.list_current(now())}
    if as_json:
        print_json([printer_row(each, out) for each in known])
        return
    for each in known:
        click.echo(_printer_line(each))
        if each.id in out:
            click.echo(f"    {describe_outage(out[each.id], settings.zone)}")
    if not known:
        click.echo(NOTHING_SEEN)


@printers.command("out")
@click.argument("name")
@click.option("--reason", required=True, help="Why; it is shown wherever the printer is passed over.")
@click.option(
    "--until",
    type=MomentText(),
    metavar="'YYYY-MM-DD HH:MM'",
    help="When it is back by itself; default: once someone puts it back.",
)
def take_out(name: str, reason: str, until: str | None) -> None:
    """Take the printer NAME out of choice: no rule sends anything there.

    What was sent to it already stays there. A day without a time means its first minute.
    """
    from workflow.assembly import open_ledger
    from workflow.pipeline.context import now
    from workflow.pipeline.outages import describe_outage, take_printer_out
    from workflow.settings import load_settings

    settings = load_settings()
    back_at = None if until is None else parse_moment(until, now(), settings.zone)
    if back_at is not None and back_at <= now():
        raise click.UsageError(f"--until {until} is over already. Name a later time, or leave it out.")
    printer, outage = take_printer_out(open_ledger(settings), name, reason, user_name(), back_at)
    click.echo(f"{printer.name} {describe_outage(outage, settings.zone)}.")


@printers.command("back")
@click.argument("name")
def put_back(name: str) -> None:
    """Put the printer NAME back into choice."""
    from workflow.assembly import open_ledger
    from workflow.pipeline.outages import put_printer_back
    from workflow.settings import load_settings

    printer, was_out = put_printer_back(open_ledger(load_settings()), name, user_name())
    click.echo(f"{printer.name} is back in choice." if was_out else f"{printer.name} was in choice already.")


def printer_row(printer: PrinterSnapshot, out: Mapping[str, PrinterOutage]) -> dict[str, object]:
    """Return a printer as JSON values."""
    running, outage = printer.running, out.get(printer.id)
    return {
        "id": printer.id,
        "name": printer.name,
        "model": printer.model,
        "series": printer.series,
        "state": printer.state,
        "seen_at": printer.seen_at.isoformat(),
        "running": None
        if running is None
        else {"name": running.name, "percent": running.percent, "seconds_left": running.seconds_left},
        "queue_length": printer.queue_length,
        "queue_seconds": printer.queue_seconds,
        "loaded": [
            {"kind": each.kind, "name": each.name, "left_cm3": each.left_cm3} for each in printer.loaded
        ],
        "out_of_choice": None
        if outage is None
        else {
            "reason": outage.reason,
            "by": outage.by,
            "since": outage.since.isoformat(),
            "until": None if outage.until is None else outage.until.isoformat(),
        },
    }


def _printer_line(printer: PrinterSnapshot) -> str:
    """Return a printer as one line: state, running print, queue, what is loaded."""
    words = [describe_printer_state(printer.state)]
    if (running := printer.running) is not None:
        percent = "" if running.percent is None else f" {running.percent:.0f}%"
        words.append(f"prints {running.name or running.job_id}{percent}")
    if printer.queue_length is not None:
        hours = (printer.queue_seconds or 0.0) / SECONDS_PER_HOUR
        words.append(f"{printer.queue_length} queued, {hours:.1f} h")
    for each in printer.loaded:
        left = "" if each.left_cm3 is None else f" {each.left_cm3:.0f} cm³ left"
        words.append(f"{each.name}{left}")
    return f"{printer.name}  {', '.join(words)}"
