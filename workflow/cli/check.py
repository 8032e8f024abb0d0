"""Mesh reports without any network."""

from dataclasses import asdict
from pathlib import Path

import click

from workflow.cli.output import as_json, print_json
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@as_json
def check(files: tuple[Path, ...], as_json: bool) -> int:
    """Inspect STL files as the service would: accept or reject, and why."""
    from workflow.assembly import mesh_policy
    from workflow.mesh import inspect_mesh
    from workflow.settings import load_settings

    policy = mesh_policy(load_settings())
    reports = [inspect_mesh(file, str(file), policy) for file in files]
    if as_json:
        print_json([asdict(report) for report in reports])
    else:
        for report in reports:
            click.echo(f"{report.verdict}  {report.path}{_facts(report.size_mm, report.triangles)}")
            for line in (*report.defects, *report.warnings):
                click.echo(f"        {line}")
    return EXIT_OK if all(report.verdict == "accept" for report in reports) else EXIT_SOME_FAILED


def _facts(size_mm: tuple[float, float, float], triangles: int) -> str:
    if triangles == 0:
        return ""
    return f"  {' x '.join(f'{side:.4g}' for side in size_mm)} mm, {triangles:,} triangles"
