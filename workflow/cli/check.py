"""Mesh reports without any network, and pictures of parts."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from workflow.cli.output import json_option, print_json
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED, InspectionFailed
from workflow.model import MeshReport, unmeasured_report

InspectFile = Callable[[Path], MeshReport]
DrawFile = Callable[[Path, Path], object]
"""What an Inspector does, by its signature: importing the mesh room would slow every command's help."""


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PNG",
    help="Also draw the part there, with its open edges in red; for one FILE.",
)
@json_option
def check(files: tuple[Path, ...], picture: Path | None, as_json: bool) -> int:
    """Inspect STL files: accept or reject, and why.

    They are judged as the service would, without any network.
    """
    from workflow.assembly import make_inspector
    from workflow.settings import load_settings

    if picture is not None:
        _validate_picture_option(picture, files)
    with make_inspector(load_settings()) as inspector:
        reports = [_inspect_file(inspector.inspect, file) for file in files]
        drawn = picture is None or _draw_picture(inspector.draw, files[0], picture)
    if as_json:
        print_json([asdict(report) for report in reports])
    else:
        for report in reports:
            click.echo(f"{report.verdict:6}  {report.path}{_size_text(report.size_mm, report.triangles)}")
            for line in (*report.defects, *report.warnings):
                click.echo(f"        {line}")
    accepted = all(report.verdict == "accept" for report in reports)
    return EXIT_OK if accepted and drawn else EXIT_SOME_FAILED


def _validate_picture_option(picture: Path, files: tuple[Path, ...]) -> None:
    """Raise UsageError: a name that is no PNG's may be a part's, which would be gone."""
    if picture.suffix.lower() != ".png":
        raise click.UsageError(f"--picture takes the PNG to be written, such as part.png, not '{picture}'.")
    if len(files) > 1:
        raise click.UsageError(f"A picture is of one part: {len(files)} files are named with --picture.")


def _draw_picture(draw: DrawFile, file: Path, picture: Path) -> bool:
    """Draw a part; tells whether there is a picture now. Raises OSError when it can't be written."""
    with _atomic_write_path(picture) as unfinished:
        try:
            draw(file, unfinished)
        except InspectionFailed as error:
            click.echo(f"No picture of {file}: {error}", err=True)
            return False
    click.echo(f"{picture} written.", err=True)
    return True


@contextmanager
def _atomic_write_path(picture: Path) -> Iterator[Path]:
    """Return a place beside a picture, which is moved over it once it is whole. Raises OSError."""
    unfinished = picture.with_name(f".{picture.name}.{secrets.token_hex(4)}.tmp")
    try:
        unfinished.touch(exist_ok=False)  # says at once what is wrong with the folder
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(picture)) from None
    try:
        yield unfinished
        if unfinished.stat().st_size:
            unfinished.replace(picture)
    finally:
        unfinished.unlink(missing_ok=True)


def _inspect_file(inspect: InspectFile, file: Path) -> MeshReport:
    try:
        return inspect(file)
    except InspectionFailed as error:
        return unmeasured_report(str(file), str(error))


def _size_text(size_mm: tuple[float, float, float], triangles: int) -> str:
    if triangles == 0:
        return ""
    return f"  {' x '.join(f'{side:.4g}' for side in size_mm)} mm, {triangles:,} triangles"
