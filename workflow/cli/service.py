"""stlflow as a service of the system: systemd, launchd, or the Task Scheduler and WinSW on Windows."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from workflow.cli.param_types import OneOf, WholeNumber
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED, SettingsError

SERVICE_KINDS = ("systemd", "systemd-user", "launchd", "launchd-user", "windows")
OWN_KINDS = frozenset({"systemd-user", "launchd-user"})
LAUNCHD_KINDS = frozenset({"launchd", "launchd-user"})


def _default_kind() -> str:
    if sys.platform == "win32":
        return "windows"
    if sys.platform == "darwin":
        return "launchd-user"
    return "systemd"


_kind_option: Callable[..., Any] = click.option(
    "--kind",
    type=OneOf(SERVICE_KINDS),
    default=_default_kind,
    help="systemd, launchd: for the machine; with -user: for you alone. Default: as this system is.",
)
_user_option: Callable[..., Any] = click.option(
    "--user",
    metavar="NAME",
    help="Who runs it; default: the owner of the state folder, or you.",
)


@click.group()
def service() -> None:
    """Have the system run stlflow as a service.

    It runs in this folder, with its settings.

    A unit never holds keys: they come from .env in this folder, or from secret files.
    """


@service.command("show")
@_kind_option
@_user_option
def show_service(kind: str, user: str | None) -> None:
    """Print the unit or property list, or what to do on Windows.

    The next commands are on stderr.
    """
    from workflow.hosting import make_service_plan, windows_instructions
    from workflow.settings import load_settings

    plan = make_service_plan(load_settings())
    if kind == "windows":
        click.echo(windows_instructions(plan))
        return
    text, _place, commands = _entry(plan, kind, user)
    click.echo(text, nl=False)
    _warn(plan.warnings)
    click.echo("\n".join(("Next, after `stlflow service install`:", *commands)), err=True)


@service.command("install")
@_kind_option
@_user_option
@click.option("--force", is_flag=True, help="Replace a unit that is different.")
@click.option("--start", is_flag=True, help="Also load, enable and start it (systemd).")
def install_service(kind: str, user: str | None, force: bool, start: bool) -> int:
    """Write the unit, the property list, or the files for Windows.

    With --start, a unit is started, too.
    """
    from workflow.hosting import install_unit, make_service_plan
    from workflow.settings import load_settings

    plan = make_service_plan(load_settings())
    if kind == "windows":
        return _install_on_windows(plan, force=force)
    text, place, commands = _entry(plan, kind, user)
    is_new = install_unit(text, place, force=force)
    _warn(plan.warnings)
    _report_install(place, is_new=is_new)
    if start and kind not in LAUNCHD_KINDS:
        return _start_unit(own=_service_user(kind, user) is None)
    click.echo("\n".join(("Next:", *commands)))
    return EXIT_OK


def _entry(plan: Any, kind: str, user: str | None) -> tuple[str, Path, Sequence[str]]:
    """Return the text of the unit or property list, where it goes, and the commands that follow."""
    from workflow.hosting import (
        launchd_commands,
        plist_path,
        render_plist,
        render_unit,
        setup_commands,
        unit_path,
    )

    who = _service_user(kind, user)
    if kind in LAUNCHD_KINDS:
        return render_plist(plan, who), plist_path(who), launchd_commands(plan, who, _own_uid())
    return render_unit(plan, who), unit_path(who), setup_commands(plan, who)


def _install_on_windows(plan: Any, *, force: bool) -> int:
    from workflow.hosting import install_unit, windows_commands, windows_files

    for name, content in windows_files(plan).items():
        _report_install(plan.folder / name, is_new=install_unit(content, plan.folder / name, force=force))
    click.echo("\n".join(("Next, as administrator:", *windows_commands(plan))))
    return EXIT_OK


def _report_install(place: Path, *, is_new: bool) -> None:
    click.echo(f"{place} {'written' if is_new else 'unchanged: it was there already'}.")


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        click.echo(warning, err=True)


def _service_user(kind: str, user: str | None) -> str | None:
    """Return who runs it; None for a unit or property list of one's own."""
    if kind in OWN_KINDS:
        if user is not None:
            other = kind.removesuffix("-user")
            raise SettingsError(f"--user is for --kind {other}: one of {kind} is always your own.")
        return None
    return user or _default_user()


def _default_user() -> str:
    """Return the owner of the state folder, because its files are his; otherwise the current account."""
    from workflow.settings import load_settings

    if sys.platform == "win32":
        return "stlflow"
    import pwd

    state = load_settings().state
    uid = state.stat().st_uid if state.is_dir() else os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return "stlflow"


def _start_unit(*, own: bool) -> int:
    from workflow.hosting import UNIT_NAME

    return _systemctl(own, ["daemon-reload"]) or _systemctl(own, ["enable", "--now", UNIT_NAME])


def _own_uid() -> int:
    if sys.platform == "win32":
        return 0
    return os.getuid()


@service.command("status")
@_kind_option
def show_service_status(kind: str) -> int:
    """Ask the system how the service is."""
    from workflow.hosting import LABEL, STATUS_WORDS, UNIT_NAME

    if kind == "windows":
        return _run_system_command(list(STATUS_WORDS))
    if kind in LAUNCHD_KINDS:
        return _run_system_command(["launchctl", "print", f"{_domain(kind)}/{LABEL}"])
    return _systemctl(kind in OWN_KINDS, ["status", "--no-pager", UNIT_NAME])


@service.command("logs")
@_kind_option
@click.option("-n", "--lines", default=100, show_default=True, type=WholeNumber(1), help="The last N lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on as new lines come (systemd, launchd).")
def show_service_logs(kind: str, lines: int, follow: bool) -> int:
    """Show what the service logged."""
    from workflow.hosting import UNIT_NAME
    from workflow.settings import load_settings

    if kind in {"windows", *LAUNCHD_KINDS}:
        log = load_settings().state.absolute() / "logs" / "stlflow.log"
        if kind != "windows":
            return _run_system_command(["tail", f"-n{lines}", *(["-f"] if follow else []), str(log)])
        if not log.is_file():
            raise SettingsError(f"There is no log {log} yet.")
        click.echo("\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:]))
        return EXIT_OK
    unit = "--user-unit" if kind in OWN_KINDS else "--unit"
    more = ["--follow"] if follow else ["--no-pager"]
    return _run_system_command(["journalctl", unit, UNIT_NAME, f"--lines={lines}", *more])


@service.command("uninstall")
@_kind_option
def uninstall_service(kind: str) -> int:
    """Stop the service and remove its unit, property list or task.

    Share, state folder and keys stay as they are.
    """
    from workflow.hosting import DELETE_WORDS, LABEL, UNIT_NAME, plist_path, unit_path

    if kind == "windows":
        return _run_system_command(list(DELETE_WORDS))
    own, is_launchd = kind in OWN_KINDS, kind in LAUNCHD_KINDS
    place = (plist_path if is_launchd else unit_path)(None if own else "any account")
    if not place.exists():
        raise SettingsError(f"There is no {place}: nothing is installed.")
    if is_launchd:
        code = _run_system_command(["launchctl", "bootout", f"{_domain(kind)}/{LABEL}"])
    else:
        code = _systemctl(own, ["disable", "--now", UNIT_NAME])
    if code:
        return code
    place.unlink()
    click.echo(f"{place} removed.")
    return EXIT_OK if is_launchd else _systemctl(own, ["daemon-reload"])


def _domain(kind: str) -> str:
    from workflow.hosting import launchd_domain

    return launchd_domain(None if kind in OWN_KINDS else "any account", _own_uid())


def _systemctl(own: bool, words: list[str]) -> int:
    return _run_system_command(["systemctl", *(["--user"] if own else []), *words])


def _run_system_command(words: list[str]) -> int:
    """Return 0, or 1 if a command of the system failed; it is shown first. Raises SettingsError."""
    click.echo(" ".join(words), err=True)
    try:
        code = subprocess.run(words, check=False).returncode  # noqa: S603  # fixed words
    except FileNotFoundError:
        raise SettingsError(f"{words[0]} is not there: say --kind for what this machine runs.") from None
    return EXIT_SOME_FAILED if code else EXIT_OK
