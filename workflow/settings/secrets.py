"""Where keys and passwords are kept: secret files, which systemd and containers hand in, or the keyring."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import Field

from workflow.errors import SettingsError, error_reason
from workflow.settings.parts import SettingsPart

SECRETS_FOLDER_VARIABLE = "CREDENTIALS_DIRECTORY"
"""Set by systemd for `LoadCredential=` (systemd.exec(5)), and by hand in containers."""
SYSTEM_CREDENTIALS = Path("/etc/stlflow/credentials")
KEYRING_SERVICE = "stlflow"


class SecretSettings(SettingsPart):
    """Where secrets come from, besides files and variables."""

    keyring: bool = Field(
        False, description="read secrets that are set nowhere else from the system's keyring (an extra)"
    )


def own_credentials() -> Path:
    """Return the folder of secret files of the present account; the system's for one without a home."""
    try:
        return Path.home() / ".config" / "stlflow" / "credentials"
    except RuntimeError:
        return SYSTEM_CREDENTIALS


def secrets_folder() -> Path | None:
    """Return the folder of secret files that is read: the named one, or one of the two usual ones."""
    if named := os.environ.get(SECRETS_FOLDER_VARIABLE):
        return Path(named)
    usual = (own_credentials(), SYSTEM_CREDENTIALS)
    return next((each for each in usual if os.access(each, os.R_OK | os.X_OK)), None)


def folder_to_write() -> Path:
    """Return where a new secret file belongs: for root, where the system's unit reads it."""
    return secrets_folder() or (SYSTEM_CREDENTIALS if os.access("/etc", os.W_OK) else own_credentials())


def write_secret_file(folder: Path, name: str, value: str) -> Path:
    """Write a secret file that only its owner can read, whole or not at all. Raises SettingsError."""
    place = folder / name
    unfinished = folder / f".{name}.new"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        fd = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(f"{value}\n")
        unfinished.replace(place)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise SettingsError(f"{place} can't be written: {error_reason(error)}.") from None
    return place


def read_keyring(variable: str) -> str | None:
    """Return a secret of the system's keyring; None if it has none. Raises SettingsError."""
    keyring = _keyring()
    try:
        found = keyring.get_password(KEYRING_SERVICE, variable)
    except keyring.errors.KeyringError as error:
        raise SettingsError(
            f"The keyring can't be read: {error_reason(error)}. Unlock it, or use secret files."
        ) from None
    return None if found is None else str(found)


def write_keyring(variable: str, value: str) -> None:
    """Store a secret in the system's keyring. Raises SettingsError."""
    keyring = _keyring()
    try:
        keyring.set_password(KEYRING_SERVICE, variable, value)
    except keyring.errors.KeyringError as error:
        raise SettingsError(
            f"The keyring can't be written: {error_reason(error)}. Unlock it, or use secret files."
        ) from None


def _keyring() -> Any:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise SettingsError(
            "The keyring needs an extra: pip install 'stlflow[keyring]'. On a server, use secret files."
        ) from None
    return keyring
