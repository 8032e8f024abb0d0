"""Settings: `STLFLOW_…` variables > `.env` > `stlflow.toml` > secret files > defaults.

Unknown names are refused with a suggestion, and no message ever repeats a value: it may be a key.
"""

import os
import tomllib
from collections.abc import Iterable
from datetime import tzinfo
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from workflow.errors import SettingsError

PREFIX = "STLFLOW_"
SETTINGS_FILE = Path("stlflow.toml")
ENV_FILE = Path(".env")
LEDGER_FILE = "stlflow.db"
EIGER_URL = "https://www.eiger.io/api/v3"


class Settings(BaseSettings):
    """Everything that can be set; durations in seconds, sizes in the unit of the name."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_file_encoding="utf-8",
        toml_file=SETTINGS_FILE,
        extra="ignore",  # refused by name in `refuse_unknown_names`, with a suggestion
        hide_input_in_errors=True,
        frozen=True,
        populate_by_name=True,
    )

    share: Path = Field(Path("share"), description="the folder that holds inbox/, done/, rejected/, held/")
    state: Path = Field(Path("state"), description="local folder for the database, the spool and logs")
    rules: Path | None = Field(None, description="the rules file; without it the rules that ship are used")
    database_url: str | None = Field(None, description="default: SQLite in the state folder")
    eiger_url: str = Field(EIGER_URL, description="where the cloud's API v3 is")
    access_key: SecretStr = Field(
        SecretStr(""),
        description="the access key of the organization",
        validation_alias=AliasChoices("access_key", "STLFLOW_ACCESS_KEY", "ACCESS_KEY"),
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="the secret key of the organization",
        validation_alias=AliasChoices("secret_key", "STLFLOW_SECRET_KEY", "SECRET_KEY"),
    )
    read_only_inbox: Path | None = Field(
        None, description="watch this folder instead of inbox/, and leave its files where they are"
    )
    mass_arrival_files: int = Field(
        100, ge=0, description="more new files within a minute wait for a person; 0: no limit"
    )
    reuse_builds: bool = Field(
        False, description="the same file with the same preset is sent once more without slicing it again"
    )
    date_folders: bool = Field(False, description="outcome folders get one folder a day: done/2026-11-25/")
    requests_per_second: float = Field(10.0, gt=0, description="the rate budget for all calls together")
    request_timeout_seconds: float = Field(30.0, gt=0, description="how long one reply may take")
    upload_timeout_seconds: float = Field(600.0, gt=0, description="how long an upload may go unanswered")
    settle_seconds: float = Field(
        1.0, ge=0, description="how long a whole binary STL that was heard to arrive must be unchanged"
    )
    settle_ascii_seconds: float = Field(
        5.0, ge=0, description="the same for an ASCII STL, and for a binary one whose arrival was not heard"
    )
    settle_wrong_seconds: float = Field(5.0, ge=0, description="the same for a .stl that is no STL at all")
    stall_seconds: float = Field(600.0, ge=0, description="when an unfinished, still file is rejected")
    sweep_seconds: float = Field(2.0, gt=0, description="how often the inbox is looked through")
    network_sweep_seconds: float = Field(5.0, gt=0, description="the same where the inbox is a network mount")
    stranger_seconds: float = Field(300.0, ge=0, description="when a file that is no .stl gets a note")
    late_effect_seconds: float = Field(5.0, ge=0, description="a lost send may still take effect for so long")
    slice_first_poll_seconds: float = Field(2.0, ge=0, description="first question after an upload")
    slice_limit_seconds: float = Field(7200.0, gt=0, description="a slice job older than this is held")
    build_wait_seconds: float = Field(300.0, ge=0, description="a build missing for longer is held")
    open_edges_limit: int = Field(0, ge=0, description="a mesh with more open edges is rejected")
    refuse_meshes_with: str = Field("", description="oddities that reject a mesh, see meshes.md")
    largest_file_mb: int = Field(4096, ge=1, description="a larger file is rejected unread")
    inspection_limit_seconds: float = Field(300.0, gt=0, description="a file that takes longer is held")
    inspection_memory_mb: int = Field(1024, ge=64, description="a file that takes more is held")
    print_now_armed: bool = Field(False, description="rules that say print_now may start machines")
    print_now_seconds: float = Field(120.0, gt=0, description="a printer that does not begin in time is held")
    timezone: str | None = Field(
        None, description="of the shop, such as Europe/Vienna; default: the machine's"
    )
    uploads_at_once: int = Field(8, ge=1, le=32, description="files inspected and uploaded side by side")
    dispatches_at_once: int = Field(8, ge=1, le=32, description="builds looked for and sent side by side")
    keep_submissions: int | None = Field(
        None, ge=0, description="so many ended submissions are remembered; default: all"
    )
    keep_submissions_days: float | None = Field(
        None, gt=0, description="ended submissions are remembered for so long; default: for ever"
    )
    keep_files_days: float | None = Field(
        None, gt=0, description="files in done/ and rejected/ are kept for so long; default: for ever"
    )
    log_json: bool = Field(False, description="log lines as JSON objects")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    console_port: int = Field(0, ge=0, le=0, description="0: no web console; this version has none")

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, level: str) -> str:
        if level.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("one of DEBUG, INFO, WARNING, ERROR")
        return level.upper()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            return name and ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no time zone that is known here; write it like Europe/Vienna") from None

    @field_validator("eiger_url")
    @classmethod
    def _http_url(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")) or "@" in url:
            raise ValueError("a URL that begins with https:// and holds no keys")
        return url.rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources; systemd's LoadCredential and container secrets come as files."""
        toml = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, dotenv_settings, toml, file_secret_settings

    @property
    def zone(self) -> tzinfo | None:
        """Give the shop's time zone; None is this machine's."""
        return ZoneInfo(self.timezone) if self.timezone else None

    @property
    def database(self) -> str:
        """Give the database URL that counts."""
        if self.database_url:
            return self.database_url.replace("postgres://", "postgresql://", 1)
        return f"sqlite:///{(self.state / LEDGER_FILE).absolute().as_posix()}"


def load_settings(**overrides: object) -> Settings:
    """Read every source once.

    Raises SettingsError with one line per mistake, never with a value in it.
    """
    refuse_unknown_names()
    secrets = os.environ.get("CREDENTIALS_DIRECTORY")
    try:
        return Settings(_secrets_dir=secrets, **overrides)  # type: ignore[call-arg,arg-type]  # pydantic checks
    except ValidationError as error:
        lines = [_in_words(detail["loc"], detail["msg"]) for detail in error.errors(include_input=False)]
        raise SettingsError("\n".join(lines)) from None


def refuse_unknown_names() -> None:
    """Raise SettingsError for each STLFLOW_ variable or stlflow.toml key that no setting has."""
    known = set(Settings.model_fields)
    mistakes = [
        *_unknown("the environment", _prefixed(os.environ), known),
        *_unknown(str(ENV_FILE), _prefixed(env_file_names()), known),
        *_unknown(str(SETTINGS_FILE), toml_names(), known),
    ]
    if mistakes:
        raise SettingsError("\n".join(mistakes))


def _in_words(location: tuple[int | str, ...], message: str) -> str:
    name = str(location[0]).removeprefix(PREFIX).lower() if location else "settings"
    reason = message.removeprefix("Value error, ")
    return f"Setting {name} ({PREFIX}{name.upper()}): {reason[:1].lower()}{reason[1:]}."


def _unknown(source: str, names: Iterable[str], known: set[str]) -> list[str]:
    return [
        f"Unknown setting {name} in {source}{_did_you_mean(name, known)}"
        for name in names
        if name.lower().removeprefix(PREFIX.lower()) not in known
    ]


def _did_you_mean(name: str, known: set[str]) -> str:
    plain = name.lower().removeprefix(PREFIX.lower())
    near = get_close_matches(plain, sorted(known), n=1)
    if not near:
        return "."
    meant = f"{PREFIX}{near[0].upper()}" if name.upper().startswith(PREFIX) else near[0]
    return f": did you mean {meant}?"


def _prefixed(names: Iterable[str]) -> list[str]:
    return [name for name in names if name.upper().startswith(PREFIX)]


def env_file_names() -> list[str]:
    """Give the names that stand in `.env`. Raises SettingsError when it can't be read."""
    try:
        return list(dotenv_values(ENV_FILE, encoding="utf-8")) if ENV_FILE.is_file() else []
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{ENV_FILE} can't be read: {type(error).__name__}.") from None


def toml_names() -> list[str]:
    """Give the names that stand in `stlflow.toml`. Raises SettingsError when it can't be read."""
    if not SETTINGS_FILE.is_file():
        return []
    try:
        return list(tomllib.loads(SETTINGS_FILE.read_text("utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{SETTINGS_FILE} is not valid TOML: {error}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{SETTINGS_FILE} can't be read: {type(error).__name__}.") from None
