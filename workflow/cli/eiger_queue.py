"""`stlflow eiger queue`: what waits for one device."""

import click

from workflow.cli.eiger_cloud import cloud
from workflow.cli.eiger_names import build_id, device_id, queued_job_id
from workflow.cli.eiger_tables import content, document, print_many, print_one
from workflow.cli.output import as_json, print_json


@click.group()
def queue() -> None:
    """What waits for a device, first come first. A queue starts no machine by itself."""


@queue.command("list")
@click.argument("device")
@as_json
def list_(device: str, as_json: bool) -> None:
    """Show what waits for DEVICE."""
    with cloud() as client:
        waiting = client.list_device_queue(device_id(client, device))
    if as_json:
        print_json(document(content(waiting)))
        return
    columns = {"build": "build.title", "state": "state", "queued": "queued_at", "id": "id"}
    print_many(waiting.queue, columns, as_json=False)


@queue.command("show")
@click.argument("device")
@click.argument("entry")
@as_json
def show(device: str, entry: str, as_json: bool) -> None:
    """Show ENTRY of the queue of DEVICE.

    ENTRY is its id, or the title of its build.
    """
    with cloud() as client:
        place = device_id(client, device)
        found = client.read_device_queue(place, queued_job_id(client, place, entry))
        print_one(found, as_json=as_json)


@queue.command("add")
@click.argument("device")
@click.argument("build")
@as_json
def add(device: str, build: str, as_json: bool) -> None:
    """Put BUILD at the end of the queue of DEVICE."""
    with cloud() as client:
        made = client.append_to_device_queue(device_id(client, device), build_id(client, build))
        print_one(made, as_json=as_json)


@queue.command("remove")
@click.argument("device")
@click.argument("entry")
def remove(device: str, entry: str) -> None:
    """Take ENTRY out of the queue of DEVICE.

    ENTRY is its id, or the title of its build.
    """
    with cloud() as client:
        place = device_id(client, device)
        wanted = queued_job_id(client, place, entry)
        client.remove_from_device_queue(place, wanted)
    click.echo(f"Entry {wanted} waits no more.")
