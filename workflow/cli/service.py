"""stlflow as a service of the system: a unit for systemd, instructions for Windows."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from workflow.cli.param_types import OneOf, WholeNumber
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
    """Have the system run stlflow as a service.

    It runs in this folder, with its settings.

    A unit never holds keys: they come from .env in this folder, or from secret files.
    """


@service.command("show")
@_kind_option()
@_user_option
def show_service(kind: str | None, user: str | None) -> None:
    """Print the unit, or what to do on Windows.

    The next commands are on stderr.
    """
    from workflow.hosting import make_service_plan, render_unit, setup_commands, windows_instructions
    from workflow.settings import load_settings

    plan = make_service_plan(load_settings())
    if _resolve_kind(kind) == "windows":
        click.echo(windows_instructions(plan))
        return
    who = _service_user(kind, user)
    click.echo(render_unit(plan, who), nl=False)
    _warn(plan.warnings)
    click.echo("\n".join(("Next, after `stlflow service install`:", *setup_commands(plan, who))), err=True)


@service.command("install")
@_kind_option()
@_user_option
@click.option("--force", is_flag=True, help="Replace a unit that is different.")
@click.option("--start", is_flag=True, help="Also load, enable and start it.")
def install_service(kind: str | None, user: str | None, force: bool, start: bool) -> int:
    """Write the systemd unit; --start also starts it."""
    from workflow.hosting import install_unit, make_service_plan, render_unit, setup_commands, unit_path
    from workflow.settings import load_settings

    if _resolve_kind(kind) == "windows":
        raise SettingsError("On Windows it is done by hand: `stlflow service show --kind windows` says how.")
    plan, who = make_service_plan(load_settings()), _service_user(kind, user)
    place = unit_path(who)
    new = install_unit(render_unit(plan, who), place, force=force)
    _warn(plan.warnings)
    click.echo(f"{place} {'written' if new else 'unchanged: it was there already'}.")
    if start:
        return _start_unit(own=who is None)
    click.echo("\n".join(("Next:", *setup_commands(plan, who))))
    return EXIT_OK


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        click.echo(warning, err=True)


def _resolve_kind(kind: str | None) -> str:
    if kind is not None:
        return kind
    if sys.platform == "win32":
        return "windows"
    if sys.platform != "linux":
        raise SettingsError("This system has no systemd: say --kind to see a unit for another machine.")
    return "systemd"


def _service_user(kind: str | None, user: str | None) -> str | None:
    """Return who runs it; None for a unit of one's own user manager."""
    if _resolve_kind(kind) == "systemd-user":
        if user is not None:
            raise SettingsError("--user is for --kind systemd: a unit of systemd-user is always your own.")
        return None
    return user or _default_user()


def _default_user() -> str:
    """Return the owner of the state folder, because its files are his; otherwise the current account."""
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

    return _systemctl(own, ["daemon-reload"]) or _systemctl(own, ["enable", "--now", UNIT_NAME])


@service.command("status")
@_kind_option()
def show_service_status(kind: str | None) -> int:
    """Ask the system how the service is (systemctl)."""
    from workflow.hosting import UNIT_NAME

    return _systemctl(_is_own_unit(kind), ["status", "--no-pager", UNIT_NAME])


@service.command("logs")
@_kind_option()
@click.option("-n", "--lines", default=100, show_default=True, type=WholeNumber(1), help="The last N lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on as new lines come.")
def show_service_logs(kind: str | None, lines: int, follow: bool) -> int:
    """Show what the service logged (journalctl)."""
    from workflow.hosting import UNIT_NAME

    unit = "--user-unit" if _is_own_unit(kind) else "--unit"
    more = ["--follow"] if follow else ["--no-pager"]
    return _run_system_command(["journalctl", unit, UNIT_NAME, f"--lines={lines}", *more])


@service.command("uninstall")
@_kind_option()
def uninstall_service(kind: str | None) -> int:
    """Stop the service and remove its unit.

    Share, state folder and keys stay as they are.
    """
    from workflow.hosting import UNIT_NAME, unit_path

    own = _is_own_unit(kind)
    place = unit_path(None if own else "any account")
    if not place.exists():
        raise SettingsError(f"There is no unit {place}: nothing is installed.")
    if code := _systemctl(own, ["disable", "--now", UNIT_NAME]):
        return code
    place.unlink()
    click.echo(f"{place} removed.")
    return _systemctl(own, ["daemon-reload"])


def _is_own_unit(kind: str | None) -> bool:
    resolved = _resolve_kind(kind)
    if resolved == "windows":
        raise SettingsError(
            "On Windows ask the service: `stlflow-service.exe status`, or the Task Scheduler."
        )
    return resolved == "systemd-user"


def _systemctl(own: bool, words: list[str]) -> int:
    return _run_system_command(["systemctl", *(["--user"] if own else []), *words])


def _run_system_command(words: list[str]) -> int:
    """Return 0, or 1 if a command of the system failed; it is shown first. Raises SettingsError."""
    click.echo(" ".join(words), err=True)
    try:
        code = subprocess.run(words, check=False).returncode  # noqa: S603  # fixed words
    except FileNotFoundError:
        raise SettingsError(f"{words[0]} is not there: this machine does not run systemd.") from None
    return EXIT_SOME_FAILED if code else EXIT_OK
