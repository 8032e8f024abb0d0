"""`stlflow eiger devices` and `stlflow eiger queue`: what waits for one device."""

import time
from collections.abc import Callable

import click

from workflow.cli.eiger.client import (
    add_verb,
    confirm_consequence,
    make_list_command,
    open_client,
    yes_option,
)
from workflow.cli.eiger.output import (
    Output,
    format_value,
    json_values,
    output_options,
    plain_values,
    print_many,
    print_one,
    report,
)
from workflow.cli.eiger.resolve import resolve_build_id, resolve_device_id, resolve_queued_job_id
from workflow.cli.param_types import AnyNumber
from workflow.eiger import Device, EigerClient, operations
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED, CloudError

CONFIRM_ATTEMPTS = 3
CONFIRM_SECONDS = 2.0
"""The vendor's sample checks a printer this often after telling it to print."""
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


QUEUE_COLUMNS = {"build": "build.title", "state": "state", "queued": "queued_at", "id": "id"}


@click.group()
def devices() -> None:
    """Printers and furnaces, and what they do."""


@click.group()
def queue() -> None:
    """Builds that wait for a device, first come first. A queue starts no machine by itself."""


GROUPS = (devices, queue)

devices.add_command(make_list_command(EigerClient.list_devices, "Show devices by name.", DEVICE_COLUMNS))
add_verb(
    devices,
    "show",
    EigerClient.read_device,
    "Show DEVICE (name or id).\n\nLive progress is only in its active_job.",
    device=resolve_device_id,
)


@devices.command("print")
@click.argument("device")
@click.argument("build")
@yes_option
@click.option(
    "--look-seconds",
    type=AnyNumber(0),
    default=CONFIRM_SECONDS,
    show_default=True,
    help=f"Pause before each of {CONFIRM_ATTEMPTS} checks that the printer took the job.",
)
@output_options
def print_build(device: str, build: str, yes: bool, look_seconds: float, output: Output) -> int:
    """Start BUILD on DEVICE now: a machine will move. Then check that the printer took the job.

    Exit code 1 if the printer did not show it: check the printer before you send anything again.
    """
    with open_client(output, operations.PRINT_TO_PRINTER) as client:
        printer = client.read_device(resolve_device_id(client, device))
        wanted = client.read_build(resolve_build_id(client, build))
        if not confirm_consequence(_print_question(printer, wanted.title), yes=yes):
            return EXIT_SOME_FAILED
        job = client.print_to_printer(printer.id, wanted.id)
        taken = confirm_print_started(lambda: client.read_device(printer.id), job.id, look_seconds)
    document = {"print_job": json_values(plain_values(job)), "confirmed": taken}
    report(document, _print_outcome(format_value(printer.name), job.id, taken=taken), output)
    return EXIT_OK if taken else EXIT_SOME_FAILED


def confirm_print_started(
    look: Callable[[], Device],
    print_job_id: str,
    look_seconds: float,
    wait: Callable[[float], object] = time.sleep,
) -> bool:
    """True once a device shows a print job as its own; a check that fails has seen nothing."""
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


@queue.command("list")
@click.argument("device")
@output_options
def list_queue(device: str, output: Output) -> None:
    """Show what waits for DEVICE."""
    with open_client(output, operations.LIST_DEVICE_QUEUE) as client:
        waiting = client.list_device_queue(resolve_device_id(client, device))
    if output is Output.TEXT:
        print_many(waiting.queue, QUEUE_COLUMNS, output)
    else:
        print_one(waiting, output)


@queue.command("show")
@click.argument("device")
@click.argument("entry")
@output_options
def show_queued_job(device: str, entry: str, output: Output) -> None:
    """Show ENTRY of the queue of DEVICE.

    ENTRY is its id, or the title of its build.
    """
    with open_client(output, operations.READ_DEVICE_QUEUE) as client:
        device_id = resolve_device_id(client, device)
        queued_job_id = resolve_queued_job_id(client, device_id, entry)
        print_one(client.read_device_queue(device_id, queued_job_id), output)


add_verb(
    queue,
    "add",
    EigerClient.append_to_device_queue,
    "Put BUILD at the end of the queue of DEVICE.",
    device=resolve_device_id,
    build=resolve_build_id,
)


@queue.command("remove")
@click.argument("device")
@click.argument("entry")
@output_options
def remove_from_queue(device: str, entry: str, output: Output) -> None:
    """Remove ENTRY from the queue of DEVICE.

    ENTRY is its id, or the title of its build.
    """
    with open_client(output, operations.REMOVE_FROM_DEVICE_QUEUE) as client:
        device_id = resolve_device_id(client, device)
        queued_job_id = resolve_queued_job_id(client, device_id, entry)
        client.remove_from_device_queue(device_id, queued_job_id)
    report({"removed": queued_job_id}, f"Entry {queued_job_id} is no longer in the queue.", output)
