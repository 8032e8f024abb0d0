"""Commands about submissions: to see them, and to decide what happens to them."""

from typing import Any

import click

from workflow.cli.output import json_option, print_json
from workflow.cli.param_types import submission_argument


@click.command()
@submission_argument
@json_option
def show(number: int, as_json: bool) -> None:
    """Show one submission and everything that happened to it."""
    from workflow.cli.submission_output import submission_row_with_history
    from workflow.cli.submission_page import SubmissionPage, print_submission
    from workflow.notes import DecisionWays
    from workflow.operations import read_answers
    from workflow.pipeline.print_notes import read_print_status
    from workflow.settings import load_settings, stlflow_command

    ledger, settings = open_ledger_to_read(), load_settings()
    submission, events = ledger.get(number), ledger.events(number)
    decided, receipts = ledger.decisions.read(number), ledger.sends.list_receipts(number)
    answer = read_answers(ledger, settings, [submission]).get(number)
    status = read_print_status(ledger, [submission]).get(number)
    if as_json:
        print_json(submission_row_with_history(submission, events, decided, receipts, answer, status))
    else:
        ways = DecisionWays(stlflow_command(), settings.decide_by_moving)
        page = SubmissionPage(submission, events, decided, receipts, answer, status)
        print_submission(page, ways, settings.zone)


@click.command()
@submission_argument
def retry(number: int) -> None:
    """Try a held, rejected or canceled submission again."""
    from workflow.pipeline.commands import retry_submission as order

    ledger = open_ledger_to_read()
    order(ledger, number, _read_share(ledger))
    _report_change(ledger, number, "is taken up again")


@click.command()
@submission_argument
def release(number: int) -> None:
    """Continue a held submission as it is.

    The rule that held it is ignored for it. A part held for its units keeps them.
    """
    from workflow.pipeline.commands import release_submission as order

    ledger = open_ledger_to_read()
    order(ledger, number, _read_share(ledger))
    _report_change(ledger, number, "is released")


@click.command()
@submission_argument
def cancel(number: int) -> None:
    """End a submission that was not sent yet.

    Its file goes to rejected/.
    """
    from workflow.pipeline.commands import cancel_submission as order

    ledger = open_ledger_to_read()
    order(ledger, number)
    _report_change(ledger, number, "is canceled")


@click.command()
@submission_argument
@click.option("--sent", "receipt", metavar="RECEIPT", help="It was: the id that Eiger shows, or a word.")
@click.option("--not-sent", is_flag=True, help="It was not: send it now.")
def settle(number: int, receipt: str | None, not_sent: bool) -> None:
    """Confirm an unconfirmed send as sent or not sent.

    Check in Eiger first.
    """
    from workflow.pipeline.commands import confirm_send as order

    if (receipt is None) is not not_sent:
        raise click.UsageError("Say either --sent RECEIPT or --not-sent.")
    ledger = open_ledger_to_read()
    order(ledger, number, receipt, share=_read_share(ledger))
    _report_change(ledger, number, "is sent now" if receipt is None else "counts as sent")


@click.command()
@submission_argument
@click.argument("build")
@click.option("--anyway", is_flag=True, help="Do not ask Eiger whether the build holds the part.")
def attach(number: int, build: str, anyway: bool) -> None:
    """Name the build (its id in Eiger) of a submission."""
    from workflow.operations import check_build_holds_part
    from workflow.pipeline.commands import attach_build as order
    from workflow.settings import load_settings

    if not anyway:
        build = _complete_build_id(number, build)
        check_build_holds_part(load_settings(), number, build)
    ledger = open_ledger_to_read()
    order(ledger, number, build, share=_read_share(ledger))
    _report_change(ledger, number, f"goes on with build {build}")


def _complete_build_id(number: int, build: str) -> str:
    """Return the id of a build of which a table shows the beginning. Raises UnknownSubmission first."""
    from workflow.cli.eiger.client import open_client
    from workflow.cli.eiger.resolve import FULL_ID, ID_PREFIX, resolve_build_id

    if FULL_ID.fullmatch(build) or not ID_PREFIX.fullmatch(build):
        return build
    open_ledger_to_read().get(number)
    with open_client() as client:
        return resolve_build_id(client, build)


def open_ledger_to_read() -> Any:
    """Return the ledger of the settings, and say on stderr if there is none yet."""
    from workflow.assembly import ledger_exists, open_ledger
    from workflow.settings import load_settings

    settings = load_settings()
    if not ledger_exists(settings):
        click.echo(f"Nothing was submitted yet with the state folder {settings.state.absolute()}.", err=True)
    return open_ledger(settings)


def _read_share(ledger: Any) -> Any:
    from workflow.assembly import share_from_ledger
    from workflow.settings import load_settings

    return share_from_ledger(load_settings(), ledger)


def _report_change(ledger: Any, number: int, what: str) -> None:
    from workflow.assembly import is_at_work
    from workflow.settings import load_settings

    when = "" if is_at_work(load_settings(), ledger) else ", as soon as `stlflow run` is started"
    click.echo(f"Submission {number} {what}{when}.")
