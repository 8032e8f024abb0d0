"""`stlflow eiger devices`.

`stlflow eiger queue`: what waits for one device.
"""

import time
from collections.abc import Callable

import click

from workflow.cli.eiger.client import confirm_consequence, open_client, yes_option
from workflow.cli.eiger.lists import make_list_command
from workflow.cli.eiger.output import format_value, json_values, plain_values, print_many, print_one
from workflow.cli.eiger.resolve import resolve_build_id, resolve_device_id, resolve_queued_job_id
from workflow.cli.output import json_option, print_json
from workflow.cli.param_types import AnyNumber
from workflow.eiger import Device, EigerClient
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED, CloudError

CONFIRM_ATTEMPTS = 3
CONFIRM_SECONDS = 2.0
"""How the vendor's sample watches a printer that was told to print."""
DEVICE_COLUMNS = {
    "name": "name",
    "type": "device_type",
    "series": "device_series",
    "state": "state",
    "material": "loaded_primary_material",
    "cm3 left": "ccs_primary_remaining",
    "queue": "queue_length",
    "prints": "active_job.build.title",
    "percent": "active_job.progress",
    "id": "id",
}


@click.group()
def devices() -> None:
    """Printers and furnaces, and what they do."""


devices.add_command(make_list_command(EigerClient.list_devices, "Show devices by name.", DEVICE_COLUMNS))


@devices.command("show")
@click.argument("device")
@json_option
def show_device(device: str, as_json: bool) -> None:
    """Show DEVICE (name or id).

    Its active_job is the only live progress there is.
    """
    with open_client() as client:
        print_one(client.read_device(resolve_device_id(client, device)), as_json=as_json)


@devices.command("print")
@click.argument("device")
@click.argument("build")
@yes_option
@click.option(
    "--look-seconds",
    type=AnyNumber(0),
    default=CONFIRM_SECONDS,
    show_default=True,
    help=f"Between the {CONFIRM_ATTEMPTS} looks whether the printer took it.",
)
@json_option
def print_build(device: str, build: str, yes: bool, look_seconds: float, as_json: bool) -> int:
    """Start BUILD on DEVICE now: a machine will move. Then watch whether the printer took it.

    Exit code 1 when it was not seen to: look at the printer before anything is sent again.
    """
    with open_client() as client:
        printer = client.read_device(resolve_device_id(client, device))
        wanted = client.read_build(resolve_build_id(client, build))
        if not confirm_consequence(_print_question(printer, wanted.title), yes=yes):
            return EXIT_SOME_FAILED
        job = client.print_to_printer(printer.id, wanted.id)
        taken = confirm_print_started(lambda: client.read_device(printer.id), job.id, look_seconds)
    if as_json:
        print_json({"print_job": json_values(plain_values(job)), "confirmed": taken})
    else:
        click.echo(_print_outcome(format_value(printer.name), job.id, taken=taken))
    return EXIT_OK if taken else EXIT_SOME_FAILED


def confirm_print_started(
    look: Callable[[], Device],
    print_job_id: str,
    look_seconds: float,
    wait: Callable[[float], object] = time.sleep,
) -> bool:
    """Watch whether a device works on a print job; a look that fails has seen nothing."""
    for _ in range(CONFIRM_ATTEMPTS):
        wait(look_seconds)
        try:
            active = look().active_job
        except CloudError as error:
            click.echo(f"stlflow: {error}", err=True)
            continue
        if active is not None and active.id == print_job_id:
            return True
    return False


def _print_question(printer: Device, title: str) -> str:
    state = f" (now: {format_value(printer.state)})" if printer.state else ""
    return (
        f"{format_value(printer.name)}{state} will move and print '{format_value(title)}'. Is its bed clear?"
    )


def _print_outcome(name: str, job_id: str, *, taken: bool) -> str:
    if taken:
        return f"{name} prints: print job {job_id}."
    return (
        f"Sent as print job {job_id}, but {name} was not seen to take it. "
        "Look at the printer before anything is sent again."
    )


@click.group()
def queue() -> None:
    """What waits for a device, first come first. A queue starts no machine by itself."""


@queue.command("list")
@click.argument("device")
@json_option
def list_queue(device: str, as_json: bool) -> None:
    """Show what waits for DEVICE."""
    with open_client() as client:
        waiting = client.list_device_queue(resolve_device_id(client, device))
    if as_json:
        print_json(json_values(plain_values(waiting)))
        return
    columns = {"build": "build.title", "state": "state", "queued": "queued_at", "id": "id"}
    print_many(waiting.queue, columns, as_json=False)


@queue.command("show")
@click.argument("device")
@click.argument("entry")
@json_option
def show_queued_job(device: str, entry: str, as_json: bool) -> None:
    """Show ENTRY of the queue of DEVICE.

    ENTRY is its id, or the title of its build.
    """
    with open_client() as client:
        place = resolve_device_id(client, device)
        found = client.read_device_queue(place, resolve_queued_job_id(client, place, entry))
        print_one(found, as_json=as_json)


@queue.command("add")
@click.argument("device")
@click.argument("build")
@json_option
def add_to_queue(device: str, build: str, as_json: bool) -> None:
    """Put BUILD at the end of the queue of DEVICE."""
    with open_client() as client:
        made = client.append_to_device_queue(
            resolve_device_id(client, device), resolve_build_id(client, build)
        )
        print_one(made, as_json=as_json)


@queue.command("remove")
@click.argument("device")
@click.argument("entry")
def remove_from_queue(device: str, entry: str) -> None:
    """Take ENTRY out of the queue of DEVICE.

    ENTRY is its id, or the title of its build.
    """
    with open_client() as client:
        place = resolve_device_id(client, device)
        wanted = resolve_queued_job_id(client, place, entry)
        client.remove_from_device_queue(place, wanted)
    click.echo(f"Entry {wanted} waits no more.")
