"""The console by itself, beside workers on other machines, and the tokens of people who use it."""

import click

from workflow.cli.param_types import OneOf
from workflow.cli.run import exit_process, stop_on_signals, wait_for_stop
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED, SettingsError
from workflow.state_folder import prepare_state_folder

ROLES = ("wall", "view", "work", "admin")  # as in the settings, which are imported late


@click.group(invoke_without_command=True, subcommand_metavar="[COMMAND] [ARGS]...")
@click.pass_context
def console(context: click.Context) -> None:
    """Serve the web page alone, without the service.

    `stlflow run` serves it as well. This is for a machine beside several workers.
    """
    if context.invoked_subcommand is None:
        _serve_console()


def _serve_console() -> None:
    from contextlib import closing

    from loguru import logger

    from workflow.assembly import ledger_exists, open_ledger, start_logging
    from workflow.console import address_text, serving_console
    from workflow.settings import load_settings

    stop = stop_on_signals()
    settings = load_settings()
    if not ledger_exists(settings):
        raise SettingsError(
            f"There is no database yet with the state folder {settings.state.absolute()}. "
            "Start `stlflow run` first, or set STLFLOW_DATABASE_URL."
        )
    if settings.console_port == 0:
        raise SettingsError("STLFLOW_CONSOLE_PORT is 0: no console. Set a port.")
    start_logging(settings, settings.log_level)
    with closing(open_ledger(settings)) as ledger, serving_console(settings, ledger) as url:
        logger.info("Console: {}", address_text(settings, url))
        wait_for_stop(stop, lambda: 0.0)
    exit_process()


@console.command()
@click.option("--role", type=OneOf(ROLES), default="work", show_default=True, help="What they may do.")
@click.option("--name", metavar="NAME", help="Whose token it is: the name in the history.")
@click.option("--without-names", is_flag=True, help="With --role wall: the wall names no part.")
@click.option("--revoke", metavar="NAME", help="Make the token of this name useless, at once.")
@click.option("--list", "lists", is_flag=True, help="Show whose tokens there are.")
def token(role: str, name: str | None, without_names: bool, revoke: str | None, lists: bool) -> int:
    """Make a token for a person on another machine.

    The token is shown once. Only its digest is stored.
    """
    from contextlib import closing

    from workflow.assembly import make_ledger, refuse_moved_ledger
    from workflow.settings import load_settings

    if sum((name is not None, revoke is not None, lists)) != 1:
        raise click.UsageError("Say --name NAME for a new token, --revoke NAME, or --list.")
    if without_names and (role != "wall" or name is None):
        raise click.UsageError("--without-names is for a new token with --role wall.")
    settings = load_settings()
    refuse_moved_ledger(settings)
    prepare_state_folder(settings.state, settings.share)
    with closing(make_ledger(settings)) as ledger:
        if name is not None:
            click.echo(ledger.console_tokens.make(name, role, shows_names=not without_names))
            click.echo(f"This is the token of {name} ({role}). It is shown only now.", err=True)
            if role == "wall":
                click.echo("Open the page /wall?k=TOKEN on the screen. It shows the wall alone.", err=True)
            return EXIT_OK
        if revoke is not None:
            if ledger.console_tokens.revoke(revoke):
                click.echo(f"The token of {revoke} is revoked.")
                return EXIT_OK
            click.echo(f"There is no token of {revoke}.", err=True)
            return EXIT_SOME_FAILED
        for each in ledger.console_tokens.list_all():
            role = each.role if each.shows_names else f"{each.role} without names"
            click.echo(f"{each.name}  {role}  {each.made_at.astimezone(settings.zone):%Y-%m-%d}")
    return EXIT_OK
