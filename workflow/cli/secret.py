"""Keys and passwords: put them where only the service's account reads them, and see whether they work."""

import sys
from pathlib import Path

import click

from workflow.cli.param_types import OneOf
from workflow.errors import EXIT_OK

SECRETS = ("access-key", "secret-key", "database-url", "proxy")


@click.group()
def secret() -> None:
    """Store keys and passwords, and test them. They are never shown."""


@secret.command("set")
@click.argument("name", type=OneOf(SECRETS))
@click.option(
    "--to",
    "target",
    type=OneOf(["file", "env", "keyring"]),
    default="file",
    show_default=True,
    help="A secret file, .env in this folder, or the system's keyring (an extra).",
)
def set_secret(name: str, target: str) -> int:
    """Store NAME: access-key, secret-key, database-url or proxy.

    The value is asked for without an echo, or read from stdin. A secret file of root goes to
    /etc/stlflow/credentials, where the unit reads it; others go to ~/.config/stlflow/credentials.
    """
    from workflow.settings import load_settings
    from workflow.settings.secrets import folder_to_write, write_keyring, write_secret_file

    setting = name.replace("-", "_")
    variable = f"STLFLOW_{setting.upper()}"
    value = _read_value(name)
    load_settings(**{setting: value})  # raises SettingsError if it can't be one
    if target == "keyring":
        write_keyring(variable, value)
        click.echo(f"{variable} is in the keyring. Set keyring = true in stlflow.toml, so that it is read.")
    elif target == "env":
        click.echo(f"{_write_env_line(variable, value)} has it now, readable by you alone.")
    else:
        click.echo(
            f"{write_secret_file(folder_to_write(), variable, value)} has it now, readable by you alone."
        )
    _warn_if_hidden(setting, value)
    return EXIT_OK


@secret.command("test")
def test_secrets() -> int:
    """Say where each secret comes from; try the keys on Eiger."""
    from workflow.eiger import make_client
    from workflow.settings import load_settings, read_effective_values

    used = read_effective_values()
    for name in SECRETS:
        given = used.get(name.replace("-", "_"))
        click.echo(f"{name:<13} {'not set' if given is None else f'from {given.place}'}")
    settings = load_settings()
    with make_client(settings) as client:
        presets = client.ping().presets
    click.echo(f"Eiger accepts the keys: {len(presets)} presets at {settings.eiger_url}.")
    return EXIT_OK


def _read_value(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"The {name} (it is not shown)", hide_input=True, err=True)).strip()
    value = sys.stdin.readline().strip()
    if not value:
        raise click.UsageError(f"No {name} on stdin: pipe it in, or run this in a terminal.")
    return value


def _write_env_line(variable: str, value: str) -> Path:
    """Set one line of .env, keep all others, and let only the owner read the file."""
    from workflow.settings import ENV_FILE
    from workflow.settings.secrets import write_secret_file

    before = ENV_FILE.read_text("utf-8-sig").splitlines() if ENV_FILE.is_file() else []
    kept = [line for line in before if not line.upper().startswith(f"{variable}=")]
    return write_secret_file(
        ENV_FILE.absolute().parent, ENV_FILE.name, "\n".join((*kept, f"{variable}={value}"))
    )


def _warn_if_hidden(setting: str, value: str) -> None:
    """Warn if another source, which comes first, has another value."""
    from workflow.settings import read_effective_values

    used = read_effective_values().get(setting)
    if used is not None and str(used.value) != value:
        click.echo(f"Warning: {used.place} has another value, and comes first. Remove it there.", err=True)
