"""`stlflow eiger part-versions`."""

from pathlib import Path

import click

from workflow.cli.eiger_cloud import cloud
from workflow.cli.eiger_tables import print_one
from workflow.cli.eiger_transfer import transfer
from workflow.cli.output import as_json, print_json


@click.group("part-versions")
def part_versions() -> None:
    """Uploaded shapes: each upload makes a version of a part."""


@part_versions.command("show")
@click.argument("part_version")
@as_json
def show(part_version: str, as_json: bool) -> None:
    """Show PART_VERSION (its id): title, unit, scale, materials."""
    with cloud() as client:
        print_one(client.read_part_version(part_version), as_json=as_json)


@part_versions.command("download")
@click.argument("part_version")
@click.argument("target", type=click.Path(path_type=Path))
@as_json
def download(part_version: str, target: Path, as_json: bool) -> None:
    """Write the STL of PART_VERSION (its id) to TARGET.

    Nothing that exists is replaced.
    """
    with cloud() as client, transfer(target.name) as on_progress:
        size = client.download_part_version(part_version, target, on_progress)
    if as_json:
        print_json({"path": str(target), "bytes": size})
    else:
        click.echo(f"{target}: {size:,} bytes.")
