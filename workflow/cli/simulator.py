"""The local Eiger."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from workflow.cli.param_types import AnyNumber, OneOf, WholeNumber
from workflow.errors import SettingsError, error_reason
from workflow.simulator import QUIRKS, REALISTIC_QUIRKS, SimulatorOptions, options_like, serve


@click.command()
@click.option("--port", type=WholeNumber(0, 65535), default=8765, show_default=True, help="0 picks one.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--builds",
    type=OneOf(["auto", "manual"]),
    default="auto",
    show_default=True,
    help="Slicing makes a build by itself, or a person makes it.",
)
@click.option("--slice-seconds", type=AnyNumber(0), default=2.0, show_default=True, help="0: at once.")
@click.option(
    "--take-seconds",
    type=AnyNumber(0),
    default=0.0,
    show_default=True,
    help="How long a printer takes to show the job that it was sent.",
)
@click.option(
    "--units", default="mm", show_default=True, metavar="UNIT", help="How an STL is read, such as in."
)
@click.option(
    "--scale", type=AnyNumber(0.001), default=1.0, show_default=True, help="Scale of an import, such as 25.4."
)
@click.option(
    "--date-ahead-seconds",
    type=AnyNumber(-86_400, 86_400),
    default=0.0,
    show_default=True,
    help="How far the Date of replies is ahead of the times in them; below 0, behind.",
)
@click.option("--access-key", default="demo", show_default=True)
@click.option("--secret-key", default="demo", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Decides ids and random choices.")
@click.option(
    "--profile",
    type=OneOf(["plain", "realistic"]),
    default="plain",
    show_default=True,
    help="realistic: every quirk that was seen on the real service.",
)
@click.option(
    "--quirk",
    "quirks",
    multiple=True,
    type=OneOf(sorted(QUIRKS)),
    metavar="QUIRK",
    help=f"Behavior beyond the contract: {', '.join(sorted(QUIRKS))}; can be repeated.",
)
@click.option(
    "--like",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Behave like an account that `stlflow first-contact` looked at; other options have priority.",
)
@click.pass_context
def simulator(
    context: click.Context,
    /,
    host: str,
    port: int,
    profile: str,
    quirks: tuple[str, ...],
    like: Path | None,
    **chosen: Any,
) -> None:
    """Serve Eiger's API v3 on this machine.

    The first line of output has its URL.
    """
    import json

    realistic = REALISTIC_QUIRKS if profile == "realistic" else frozenset()
    observed = _observed_options(like) if like is not None else {}
    seen = frozenset(observed.pop("quirks", ()))
    typed = {name for name in chosen if context.get_parameter_source(name) is not ParameterSource.DEFAULT}
    chosen |= {name: value for name, value in observed.items() if name not in typed}
    try:
        options = SimulatorOptions(
            host=host, port=port, quirks=frozenset(quirks) | realistic | seen, **chosen
        )
    except ValueError as error:
        raise SettingsError(str(error)) from None
    announce = lambda url: print(json.dumps({"url": url}), flush=True)  # noqa: E731,T201  # flushed at once
    try:
        serve(options, announce)
    except OSError as error:
        raise SettingsError(
            f"Port {port} on {host} is not available: {error_reason(error)}. "
            "Choose another with --port; 0 picks one."
        ) from None


def _observed_options(file: Path) -> dict[str, Any]:
    """Return the options of an observed.json. Raises SettingsError."""

    try:
        return dict(options_like(file))
    except ValueError as error:
        raise SettingsError(str(error)) from None
