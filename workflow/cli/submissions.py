"""Commands about submissions: to see them, and to decide what happens to them."""

from typing import Any

import click

from workflow.cli.output import json_option, print_json
from workflow.cli.param_types import ListCommand, OneOf, WholeNumber, submission_argument
from workflow.model import UNUSED_STATES, SubmissionState

DEFAULT_LIMIT = 200
STATES = [str(state) for state in SubmissionState if state not in UNUSED_STATES]
STATES_HELP = f"Only those in one of these states: {', '.join(STATES)}; may repeat."


@click.command("list", cls=ListCommand)
@click.option("--state", "states", multiple=True, type=OneOf(STATES), metavar="STATE", help=STATES_HELP)
@click.option(
    "--limit",
    type=WholeNumber(1),
    default=None,
    help=f"Only the newest N; a table shows {DEFAULT_LIMIT} by default.",
)
@json_option
def list_submissions(states: tuple[str, ...], limit: int | None, as_json: bool) -> None:
    """Show submissions, newest first.

    If changed rules were refused, the reason is on stderr.
    """
    from workflow.cli.submission_output import print_submissions_table, submission_row
    from workflow.ledger import RULES_ERROR_KEY
    from workflow.operations import read_answers
    from workflow.pipeline.print_notes import read_print_status
    from workflow.settings import load_settings

    at_most = limit if limit is not None or as_json else DEFAULT_LIMIT + 1
    ledger, settings = _open_ledger(), load_settings()
    if trouble := ledger.metadata.read(RULES_ERROR_KEY):
        click.echo(trouble, err=True)
    submissions = ledger.all([SubmissionState(state) for state in states], at_most)
    if as_json:
        answers, prints = read_answers(ledger, settings, submissions), read_print_status(ledger, submissions)
        print_json([submission_row(each, answers.get(each.id), prints.get(each.id)) for each in submissions])
        return
    shown = submissions if limit is not None else submissions[:DEFAULT_LIMIT]
    if shown:
        answers, prints = read_answers(ledger, settings, shown), read_print_status(ledger, shown)
        print_submissions_table(shown, answers, settings.zone, prints)
    else:
        click.echo("No submissions in these states." if states else "No submissions.")
    if len(shown) < len(submissions):
        click.echo(f"The newest {DEFAULT_LIMIT}; there are more: --limit.", err=True)


@click.command()
@submission_argument
@json_option
def show(number: int, as_json: bool) -> None:
    """Show one submission and everything that happened to it."""
    from workflow.cli.submission_output import print_submission, submission_row_with_history
    from workflow.operations import read_answers
    from workflow.pipeline.print_notes import read_print_status
    from workflow.settings import load_settings

    ledger, settings = _open_ledger(), load_settings()
    submission, events = ledger.get(number), ledger.events(number)
    decided, receipts = ledger.decisions.read(number), ledger.sends.list_receipts(number)
    answer = read_answers(ledger, settings, [submission]).get(number)
    status = read_print_status(ledger, [submission]).get(number)
    if as_json:
        print_json(submission_row_with_history(submission, events, decided, receipts, answer, status))
    else:
        print_submission(submission, events, decided, receipts, settings.zone, answer, status)


@click.command()
@submission_argument
def retry(number: int) -> None:
    """Try a held, rejected or canceled submission again."""
    from workflow.pipeline.commands import retry_submission as order

    ledger = _open_ledger()
    order(ledger, number, _read_share(ledger))
    _report_change(number, "is taken up again")


@click.command()
@submission_argument
def release(number: int) -> None:
    """Continue a held submission as it is.

    The rule that held it is ignored for it. A part held for its units keeps them.
    """
    from workflow.pipeline.commands import release_submission as order

    ledger = _open_ledger()
    order(ledger, number, _read_share(ledger))
    _report_change(number, "is released")


@click.command()
@submission_argument
def cancel(number: int) -> None:
    """End a submission that was not sent yet.

    Its file goes to rejected/.
    """
    from workflow.pipeline.commands import cancel_submission as order

    order(_open_ledger(), number)
    _report_change(number, "is canceled")


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
    order(_open_ledger(), number, receipt)
    _report_change(number, "is sent now" if receipt is None else "counts as sent")


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
    order(_open_ledger(), number, build)
    _report_change(number, f"goes on with build {build}")


def _complete_build_id(number: int, build: str) -> str:
    """Return the id of a build of which a table shows the beginning. Raises UnknownSubmission first."""
    from workflow.cli.eiger.client import open_client
    from workflow.cli.eiger.resolve import FULL_ID, ID_PREFIX, resolve_build_id

    if FULL_ID.fullmatch(build) or not ID_PREFIX.fullmatch(build):
        return build
    _open_ledger().get(number)
    with open_client() as client:
        return resolve_build_id(client, build)


def _open_ledger() -> Any:
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


def _report_change(number: int, what: str) -> None:
    from workflow.settings import load_settings
    from workflow.state_folder import is_state_folder_locked

    when = "" if is_state_folder_locked(load_settings().state) else ", as soon as `stlflow run` is started"
    click.echo(f"Submission {number} {what}{when}.")
