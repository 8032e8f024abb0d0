"""Mesh reports without any network."""

from dataclasses import asdict
from pathlib import Path

import click

from workflow.cli.output import as_json, print_json
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED, NotInspected
from workflow.mesh import Inspector
from workflow.model import MeshReport, unmeasured


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@as_json
def check(files: tuple[Path, ...], as_json: bool) -> int:
    """Inspect STL files: accept or reject, and why.

    They are judged as the service would, without any network.
    """
    from workflow.assembly import make_inspector
    from workflow.settings import load_settings

    with make_inspector(load_settings()) as inspector:
        reports = [_report(inspector, file) for file in files]
    if as_json:
        print_json([asdict(report) for report in reports])
    else:
        for report in reports:
            click.echo(f"{report.verdict}  {report.path}{_facts(report.size_mm, report.triangles)}")
            for line in (*report.defects, *report.warnings):
                click.echo(f"        {line}")
    return EXIT_OK if all(report.verdict == "accept" for report in reports) else EXIT_SOME_FAILED


def _report(inspector: Inspector, file: Path) -> MeshReport:
    try:
        return inspector.inspect(file)
    except NotInspected as error:
        return unmeasured(str(file), str(error))


def _facts(size_mm: tuple[float, float, float], triangles: int) -> str:
    if triangles == 0:
        return ""
    return f"  {' x '.join(f'{side:.4g}' for side in size_mm)} mm, {triangles:,} triangles"
