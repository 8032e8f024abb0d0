"""Looking at submissions, and ordering what a person may order."""

from typing import Any

import click

from workflow.cli.output import as_json, print_json
from workflow.cli.typed import ListCommand, OneOf, WholeNumber, number_argument
from workflow.model import NEVER_REACHED, State

SHOWN = 200
STATES = [str(state) for state in State if state not in NEVER_REACHED]
STATES_HELP = f"Only those in one of these states: {', '.join(STATES)}; may repeat."


@click.command("list", cls=ListCommand)
@click.option("--state", "states", multiple=True, type=OneOf(STATES), metavar="STATE", help=STATES_HELP)
@click.option(
    "--limit",
    type=WholeNumber(1),
    default=None,
    help=f"Only the newest N; a table shows {SHOWN} unless told.",
)
@as_json
def list_(states: tuple[str, ...], limit: int | None, as_json: bool) -> None:
    """Show submissions, newest first.

    And why changed rules do not count, if so.
    """
    from workflow.cli.table import print_table, row
    from workflow.ledger import RULES_TROUBLE, read_mark

    at_most = limit if limit is not None or as_json else SHOWN + 1
    ledger = _ledger()
    if trouble := read_mark(ledger, RULES_TROUBLE):
        click.echo(trouble, err=True)
    submissions = ledger.all([State(state) for state in states], at_most)
    if as_json:
        print_json([row(submission) for submission in submissions])
        return
    shown = submissions if limit is not None else submissions[:SHOWN]
    if shown:
        print_table(shown)
    else:
        click.echo("No submissions in these states." if states else "No submissions.")
    if len(shown) < len(submissions):
        click.echo(f"The newest {SHOWN}; there are more: --limit.", err=True)


@click.command()
@number_argument
@as_json
def show(number: int, as_json: bool) -> None:
    """Show one submission and everything that happened to it."""
    from workflow.cli.table import print_submission, row_with_history
    from workflow.ledger import decisions_of, receipts_of

    ledger = _ledger()
    submission, events = ledger.get(number), ledger.events(number)
    decided, receipts = decisions_of(ledger, number), receipts_of(ledger, number)
    if as_json:
        print_json(row_with_history(submission, events, decided, receipts))
    else:
        print_submission(submission, events, decided, receipts)


@click.command()
@number_argument
def retry(number: int) -> None:
    """Take a held, rejected or canceled submission up again."""
    from workflow.pipeline.orders import retry as order

    ledger = _ledger()
    order(ledger, number, _share(ledger))
    _say(number, "is taken up again")


@click.command()
@number_argument
def release(number: int) -> None:
    """Let a held submission go on as it is.

    The rule that held it counts as if it were not there; a part held for its units keeps them.
    """
    from workflow.pipeline.orders import release as order

    ledger = _ledger()
    order(ledger, number, _share(ledger))
    _say(number, "is released")


@click.command()
@number_argument
def cancel(number: int) -> None:
    """End a submission that was not sent yet.

    Its file goes to rejected/.
    """
    from workflow.pipeline.orders import cancel as order

    order(_ledger(), number)
    _say(number, "is canceled")


@click.command()
@number_argument
@click.option("--sent", "receipt", metavar="RECEIPT", help="It was: the id that Eiger shows, or a word.")
@click.option("--not-sent", is_flag=True, help="It was not: send it now.")
def settle(number: int, receipt: str | None, not_sent: bool) -> None:
    """Say whether a send that is in doubt took place.

    Look into Eiger first.
    """
    from workflow.pipeline.orders import settle as order

    if (receipt is None) is not not_sent:
        raise click.UsageError("Say either --sent RECEIPT or --not-sent.")
    order(_ledger(), number, receipt)
    _say(number, "is sent now" if receipt is None else "counts as sent")


@click.command()
@number_argument
@click.argument("build")
@click.option("--anyway", is_flag=True, help="Do not ask Eiger whether the build holds the part.")
def attach(number: int, build: str, anyway: bool) -> None:
    """Name the build (its id in Eiger) of a submission."""
    from workflow.assembly import refuse_strange_build
    from workflow.pipeline.orders import attach as order
    from workflow.settings import load_settings

    if not anyway:
        build = _whole_id(number, build)
        refuse_strange_build(load_settings(), number, build)
    order(_ledger(), number, build)
    _say(number, f"goes on with build {build}")


def _whole_id(number: int, build: str) -> str:
    """Give the id of a build of which a table shows the beginning. Raises UnknownSubmission first."""
    from workflow.cli.eiger_cloud import cloud
    from workflow.cli.eiger_names import AN_ID, BEGINNING, build_id

    if AN_ID.fullmatch(build) or not BEGINNING.fullmatch(build):
        return build
    _ledger().get(number)
    with cloud() as client:
        return build_id(client, build)


def _ledger() -> Any:
    from workflow.assembly import is_begun, open_ledger
    from workflow.settings import load_settings

    settings = load_settings()
    if not is_begun(settings):
        click.echo(f"Nothing was submitted yet with the state folder {settings.state.absolute()}.", err=True)
    return open_ledger(settings)


def _share(ledger: Any) -> Any:
    from workflow.assembly import known_share
    from workflow.settings import load_settings

    return known_share(load_settings(), ledger)


def _say(number: int, what: str) -> None:
    from workflow.settings import load_settings
    from workflow.state import is_locked

    when = "" if is_locked(load_settings().state) else ", as soon as `stlflow run` is started"
    click.echo(f"Submission {number} {what}{when}.")
