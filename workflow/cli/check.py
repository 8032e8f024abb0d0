"""What the service would do with a file, without any network, and pictures of parts."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from workflow.cli.output import json_option, print_json
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED, InspectionFailed

DrawFile = Callable[[Path, Path], object]
"""What an Inspector does, by its signature: importing the mesh room would slow every command's help."""


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--mesh-only", is_flag=True, help="Check the mesh alone, without the intake rules.")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PNG",
    help="Also draw the part there, with its open edges in red; for one FILE.",
)
@json_option
def check(files: tuple[Path, ...], mesh_only: bool, picture: Path | None, as_json: bool) -> int:
    """Say what the service would do with STL files, and why.

    The mesh is checked, then the intake rules are applied, with the settings that are used here. Nothing
    is sent: Eiger is not asked whether it has the preset.
    """
    from workflow.assembly import make_inspector, rules_file
    from workflow.cli.rules_output import forecast_document, forecast_lines, path_under_inbox
    from workflow.operations import changed_mesh_settings, forecast_intake, open_ledger_if_any
    from workflow.routing import load_rules
    from workflow.settings import load_settings

    if picture is not None:
        _validate_picture_option(picture, files)
    settings = load_settings()
    rulebook = None if mesh_only else load_rules(rules_file(settings))
    with make_inspector(settings) as inspector, open_ledger_if_any(settings) as ledger:
        forecasts = [
            forecast_intake(
                file, path_under_inbox(file, settings.inbox), rulebook, inspector, ledger, settings.zone
            )
            for file in files
        ]
        drawn = picture is None or _draw_picture(inspector.draw, files[0], picture)
    if as_json:
        print_json([asdict(each.report) if mesh_only else forecast_document(each) for each in forecasts])
    else:
        for line in (line for forecast in forecasts for line in forecast_lines(forecast)):
            click.echo(line)
        if rulebook:
            click.echo(f"Rules: {rulebook.source}")
        for name, value in changed_mesh_settings(settings):
            click.echo(f"Setting: {name} = {value}")
    accepted = all(forecast.outcome == "accept" for forecast in forecasts)
    return EXIT_OK if accepted and drawn else EXIT_SOME_FAILED


def _validate_picture_option(picture: Path, files: tuple[Path, ...]) -> None:
    """Raise UsageError: a name that is no PNG's may be a part's, which would be gone."""
    if picture.suffix.lower() != ".png":
        raise click.UsageError(f"--picture takes the PNG to be written, such as part.png, not '{picture}'.")
    if len(files) > 1:
        raise click.UsageError(f"A picture is of one part: {len(files)} files are named with --picture.")


def _draw_picture(draw: DrawFile, file: Path, picture: Path) -> bool:
    """Draw a part; True if there is a picture now. Raises OSError when it can't be written."""
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
