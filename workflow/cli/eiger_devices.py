"""`stlflow eiger devices`."""

import time
from collections.abc import Callable

import click

from workflow.cli.eiger_cloud import agreed, cloud, yes_option
from workflow.cli.eiger_lists import list_command
from workflow.cli.eiger_names import build_id, device_id
from workflow.cli.eiger_tables import content, document, in_words, print_one
from workflow.cli.output import as_json, print_json
from workflow.cli.typed import AnyNumber
from workflow.eiger import Device, EigerClient
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED, CloudError

LOOKS = 3
LOOK_SECONDS = 2.0
"""How the vendor's sample watches a printer that was told to print."""
COLUMNS = {
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


devices.add_command(list_command(EigerClient.list_devices, "Show devices by name.", COLUMNS))


@devices.command("show")
@click.argument("device")
@as_json
def show(device: str, as_json: bool) -> None:
    """Show DEVICE (name or id).

    Its active_job is the only live progress there is.
    """
    with cloud() as client:
        print_one(client.read_device(device_id(client, device)), as_json=as_json)


@devices.command("print")
@click.argument("device")
@click.argument("build")
@yes_option
@click.option(
    "--look-seconds",
    type=AnyNumber(0),
    default=LOOK_SECONDS,
    show_default=True,
    help=f"Between the {LOOKS} looks whether the printer took it.",
)
@as_json
def print_(device: str, build: str, yes: bool, look_seconds: float, as_json: bool) -> int:
    """Start BUILD on DEVICE now: a machine will move. Then watch whether the printer took it.

    Exit code 1 when it was not seen to: look at the printer before anything is sent again.
    """
    with cloud() as client:
        printer = client.read_device(device_id(client, device))
        wanted = client.read_build(build_id(client, build))
        if not agreed(_warning(printer, wanted.title), yes=yes):
            return EXIT_SOME_FAILED
        job = client.print_to_printer(printer.id, wanted.id)
        taken = was_taken(lambda: client.read_device(printer.id), job.id, look_seconds)
    if as_json:
        print_json({"print_job": document(content(job)), "confirmed": taken})
    else:
        click.echo(_outcome(in_words(printer.name), job.id, taken=taken))
    return EXIT_OK if taken else EXIT_SOME_FAILED


def was_taken(
    look: Callable[[], Device],
    print_job_id: str,
    look_seconds: float,
    wait: Callable[[float], object] = time.sleep,
) -> bool:
    """Watch whether a device works on a print job; a look that fails has seen nothing."""
    for _ in range(LOOKS):
        wait(look_seconds)
        try:
            active = look().active_job
        except CloudError as error:
            click.echo(f"stlflow: {error}", err=True)
            continue
        if active is not None and active.id == print_job_id:
            return True
    return False


def _warning(printer: Device, title: str) -> str:
    state = f" (now: {in_words(printer.state)})" if printer.state else ""
    return f"{in_words(printer.name)}{state} will move and print '{in_words(title)}'. Is its bed clear?"


def _outcome(name: str, job_id: str, *, taken: bool) -> str:
    if taken:
        return f"{name} prints: print job {job_id}."
    return (
        f"Sent as print job {job_id}, but {name} was not seen to take it. "
        "Look at the printer before anything is sent again."
    )
