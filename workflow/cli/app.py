"""The command `stlflow` and its groups. Command files import heavy rooms only when they run."""

import click

from workflow.cli.batch import batch
from workflow.cli.check import check
from workflow.cli.demo import demo
from workflow.cli.doctor import doctor
from workflow.cli.eiger.group import eiger
from workflow.cli.init import init
from workflow.cli.intake import intake
from workflow.cli.rules import rules
from workflow.cli.run import run
from workflow.cli.service import service
from workflow.cli.simulator import simulator
from workflow.cli.status import status
from workflow.cli.submissions import (
    attach,
    cancel,
    list_submissions,
    move_ledger,
    release,
    retry,
    settle,
    show,
    workers,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="stlflow", prog_name="stlflow")
def stlflow() -> None:
    """From a folder of STL files to the right queue of a Markforged print cloud, untouched by hand.

    Exit codes: 0 all well; 1 some submissions were rejected or held, or a check failed; 2 usage, settings
    or rules are wrong; 3 the cloud can't be reached or refuses the keys.
    """


for command in (
    demo, init, doctor, status, run, batch, check, list_submissions, show, retry, release, cancel, attach,
    settle, workers,
    move_ledger, intake, rules, eiger, simulator, service,
):  # fmt: skip
    stlflow.add_command(command)
