"""The command `stlflow` and its groups. Command files import heavy rooms only when they run."""

import os
from collections.abc import Iterable
from pathlib import Path

import click

from workflow.cli.eiger import LazyGroup, eiger
from workflow.cli.run import run


def _load_others() -> Iterable[click.Command]:
    """Import all commands but `run`: that process lives for months, and would keep a megabyte of them."""
    from workflow.cli.batch import batch
    from workflow.cli.check import check
    from workflow.cli.config import config, init
    from workflow.cli.console import console
    from workflow.cli.database import backup, move_ledger, restore, workers
    from workflow.cli.demo import demo
    from workflow.cli.doctor import bundle, doctor, status
    from workflow.cli.first_contact import first_contact
    from workflow.cli.intake import intake
    from workflow.cli.listing import list_submissions
    from workflow.cli.notify import notify
    from workflow.cli.printers import printers
    from workflow.cli.rules import rules
    from workflow.cli.secret import secret
    from workflow.cli.service import service
    from workflow.cli.shadow import shadow
    from workflow.cli.simulator import simulator
    from workflow.cli.submissions import attach, cancel, release, retry, settle, show

    return (
        demo, init, first_contact, doctor, status, config, shadow, batch, check, list_submissions, show,
        retry, release, cancel, attach, settle, workers, console, move_ledger, backup, restore, intake,
        rules, notify, printers, bundle, eiger, simulator, service, secret,
    )  # fmt: skip


@click.group(
    cls=LazyGroup,
    load=_load_others,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="stlflow", prog_name="stlflow")
@click.option(
    "-C",
    "folder",
    metavar="FOLDER",
    help="Run as if started in FOLDER: its .env, stlflow.toml, share, state.",
)
@click.option(
    "--config",
    "file",
    metavar="FILE",
    help="Read settings from FILE instead of stlflow.toml; see STLFLOW_CONFIG.",
)
def stlflow(folder: str | None, file: str | None) -> None:
    """From a folder of STL files to the right queue of a Markforged print cloud, untouched by hand.

    Exit codes: 0 all well; 1 some submissions were rejected or held, or a check failed; 2 usage, settings
    or rules are wrong; 3 the cloud can't be reached or refuses the keys.
    """
    if folder is not None:
        try:
            os.chdir(folder)
        except OSError as error:
            raise click.UsageError(f"-C {folder}: {error.strerror}.") from None
    if file is not None:
        if not Path(file).is_file():
            raise click.UsageError(f"--config {file}: there is no such file.")
        os.environ["STLFLOW_CONFIG"] = str(Path(file).absolute())


stlflow.add_command(run)
