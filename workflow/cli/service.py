"""Having the system run stlflow: a unit for systemd, instructions for Windows."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import click

from workflow.cli.param_types import OneOf
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED, SettingsError

SERVICE_KINDS = ("systemd", "systemd-user", "windows")


def _kind_option() -> Callable[..., Any]:
    return click.option(
        "--kind",
        type=OneOf(SERVICE_KINDS),
        help="systemd: for all; systemd-user: for you alone. Default: as this system is.",
    )


_user_option: Callable[..., Any] = click.option(
    "--user", metavar="NAME", help="Who runs it (systemd); default: the owner of the state folder, or you."
)


@click.group()
def service() -> None:
    """Have the system run stlflow, in this folder, as it is set.

    Keys never stand in a unit: they come from the .env here, or from secret files.
    """


@service.command("show")
@_kind_option()
@_user_option
def show_service(kind: str | None, user: str | None) -> None:
    """Print the unit, or what to do on Windows.

    What to type next stands on stderr.
    """
    from workflow.hosting import make_service_plan, render_unit, setup_commands, windows_instructions
    from workflow.settings import load_settings

    plan = make_service_plan(load_settings())
    if _resolve_kind(kind) == "windows":
        click.echo(windows_instructions(plan))
        return
    who = _service_user(kind, user)
    click.echo(render_unit(plan, who), nl=False)
    click.echo("\n".join(("Next, after `stlflow service install`:", *setup_commands(plan, who))), err=True)


@service.command("install")
@_kind_option()
@_user_option
@click.option("--force", is_flag=True, help="Replace another unit that stands there.")
@click.option("--start", is_flag=True, help="Also load, enable and start it.")
def install_service(kind: str | None, user: str | None, force: bool, start: bool) -> int:
    """Write the systemd unit; nothing is started unless told."""
    from workflow.hosting import install_unit, make_service_plan, render_unit, setup_commands, unit_path
    from workflow.settings import load_settings

    if _resolve_kind(kind) == "windows":
        raise SettingsError("On Windows it is done by hand: `stlflow service show --kind windows` says how.")
    plan, who = make_service_plan(load_settings()), _service_user(kind, user)
    place = unit_path(who)
    new = install_unit(render_unit(plan, who), place, force=force)
    click.echo(f"{place} {'written' if new else 'is there already, and the same'}.")
    if start:
        return _start_unit(own=who is None)
    click.echo("\n".join(("Next:", *setup_commands(plan, who))))
    return EXIT_OK


def _resolve_kind(kind: str | None) -> str:
    if kind is not None:
        return kind
    if sys.platform == "win32":
        return "windows"
    if sys.platform != "linux":
        raise SettingsError("This system has no systemd: say --kind to see a unit for another machine.")
    return "systemd"


def _service_user(kind: str | None, user: str | None) -> str | None:
    """Give who runs it; None for a unit of one's own user manager."""
    if _resolve_kind(kind) == "systemd-user":
        if user is not None:
            raise SettingsError("--user is for --kind systemd: a unit of systemd-user is always your own.")
        return None
    return user or _default_user()


def _default_user() -> str:
    """The state folder's owner, for its files are his; else whoever asks."""
    from workflow.settings import load_settings

    state = load_settings().state
    uid = state.stat().st_uid if state.is_dir() else getattr(os, "geteuid", lambda: 0)()
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return "stlflow"


def _start_unit(*, own: bool) -> int:
    from workflow.hosting import UNIT_NAME

    systemctl = ["systemctl", *(["--user"] if own else [])]
    for words in (["daemon-reload"], ["enable", "--now", UNIT_NAME]):
        click.echo(" ".join((*systemctl, *words)), err=True)
        try:
            code = subprocess.run([*systemctl, *words], check=False).returncode  # noqa: S603  # fixed words
        except FileNotFoundError:
            raise SettingsError("systemctl is not there: this machine does not run systemd.") from None
        if code:
            return EXIT_SOME_FAILED
    return EXIT_OK
