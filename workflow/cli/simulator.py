"""The local Eiger."""

import click

from workflow.cli.param_types import AnyNumber, OneOf, WholeNumber
from workflow.errors import error_reason
from workflow.simulator import QUIRKS, REALISTIC_QUIRKS, SimulatorOptions, serve


@click.command()
@click.option("--port", type=WholeNumber(0, 65535), default=8765, show_default=True, help="0 picks one.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--builds",
    type=OneOf(["auto", "manual"]),
    default="auto",
    show_default=True,
    help="Whether slicing makes a build by itself, or a person has to.",
)
@click.option("--slice-seconds", type=AnyNumber(0), default=2.0, show_default=True, help="0: at once.")
@click.option(
    "--units", default="mm", show_default=True, metavar="UNIT", help="What an STL is taken for, such as in."
)
@click.option(
    "--scale", type=AnyNumber(0.001), default=1.0, show_default=True, help="Times this, such as 25.4."
)
@click.option(
    "--date-ahead-seconds",
    type=AnyNumber(-86_400, 86_400),
    default=0.0,
    show_default=True,
    help="By how much the Date of replies is ahead of the times in them; below 0 behind.",
)
@click.option("--access-key", default="demo", show_default=True)
@click.option("--secret-key", default="demo", show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Decides ids and chance.")
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
    help=f"Behave beyond the contract in one way: {', '.join(sorted(QUIRKS))}; may repeat.",
)
def simulator(
    port: int, host: str, builds: str, slice_seconds: float, date_ahead_seconds: float, access_key: str,
    secret_key: str, seed: int, profile: str, quirks: tuple[str, ...], units: str, scale: float,
) -> None:  # fmt: skip
    """Serve Eiger's API v3 on this machine.

    The first line printed holds its URL.
    """
    import json

    from workflow.errors import SettingsError

    options = SimulatorOptions(
        access_key=access_key,
        secret_key=secret_key,
        builds=builds,
        slice_seconds=slice_seconds,
        date_ahead_seconds=date_ahead_seconds,
        seed=seed,
        units=units,
        scale=scale,
        quirks=frozenset(quirks) | (REALISTIC_QUIRKS if profile == "realistic" else frozenset()),
        host=host,
        port=port,
    )
    announce = lambda url: print(json.dumps({"url": url}), flush=True)  # noqa: E731,T201  # flushed at once
    try:
        serve(options, announce)
    except OSError as error:
        raise SettingsError(
            f"Port {port} on {host} can't be had: {error_reason(error)}. "
            "Choose another with --port; 0 picks one."
        ) from None
