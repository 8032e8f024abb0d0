"""Everything that can be set."""

from datetime import tzinfo
from pathlib import Path
from types import NoneType
from typing import Annotated, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import SettingsConfigDict

from workflow.settings.notices import NoticesPart
from workflow.settings.parts import (
    ROLE_HELP,
    ROLES,
    CanarySettings,
    ConsoleSettings,
    FollowingSettings,
    SettingHelp,
    StatusPageSettings,
)
from workflow.settings.secrets import SecretSettings

ENV_PREFIX = "STLFLOW_"
LEDGER_FILE = "stlflow.db"
EIGER_URL = "https://www.eiger.io/api/v3"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MAX_NUMBER = 1_000_000_000
"""No number is larger: seconds and days beyond it are no times any more."""


KEY_HELP = SettingHelp("a key, which is one word", example="…", private=True)
DATABASE_HELP = SettingHelp(
    "an address that begins with postgresql:// or sqlite:///",
    "postgresql://stlflow@host/stlflow",
    private=True,
)
URL_HELP = SettingHelp("an address that begins with https:// and holds no keys", private=True)
PROXY_HELP = SettingHelp(
    "an address that begins with http:// or https://", "http://proxy.example.com:3128", private=True
)
LINK_HELP = SettingHelp(
    "an address that begins with https:// and has {build_id} or {part_version_id} in it",
    "https://eiger.example.com/{build_id}",
)
ZONE_HELP = SettingHelp("a time zone that is known here", "Europe/Vienna")
PICTURES_HELP = SettingHelp("meshes, all or none")
LEVEL_HELP = SettingHelp("DEBUG, INFO, WARNING or ERROR")
WORDS = {
    "log_level": (LOG_LEVELS, LEVEL_HELP),
    "pictures": (("meshes", "all", "none"), PICTURES_HELP),
    "console_proxy_role": (ROLES, ROLE_HELP),
}


class Settings(
    StatusPageSettings, ConsoleSettings, NoticesPart, SecretSettings, FollowingSettings, CanarySettings
):
    """Everything that can be set; durations in seconds, sizes in the unit of the name."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )

    share: Path = Field(Path("share"), description="the folder that holds inbox/, done/, rejected/, held/")
    state: Path = Field(Path("state"), description="local folder for the database, the spool and logs")
    rules: Annotated[Path | None, SettingHelp(example="rules/default.yaml")] = Field(
        None, description="the rules file; without it the rules that ship are used"
    )
    database_url: Annotated[str | None, DATABASE_HELP] = Field(
        None, description="default: SQLite in the state folder"
    )
    eiger_url: Annotated[str, URL_HELP] = Field(EIGER_URL, description="where the cloud's API v3 is")
    access_key: Annotated[SecretStr, KEY_HELP] = Field(
        SecretStr(""), description="the access key of the organization"
    )
    secret_key: Annotated[SecretStr, KEY_HELP] = Field(
        SecretStr(""), description="the secret key of the organization"
    )
    proxy: Annotated[str | None, PROXY_HELP] = Field(
        None, description="the proxy on the way to Eiger; default: HTTPS_PROXY of the environment"
    )
    ca_bundle: Annotated[Path | None, SettingHelp(example="/etc/ssl/company.pem")] = Field(
        None, description="file with the certificates to trust; default: REQUESTS_CA_BUNDLE"
    )
    read_only_inbox: Annotated[Path | None, SettingHelp(example="/srv/exports")] = Field(
        None, description="watch this folder instead of inbox/, and leave its files where they are"
    )
    decide_by_moving: bool = Field(
        True, description="a held file that is moved to approved/ is released, to rejected/ canceled"
    )
    decisions: Annotated[Path | None, SettingHelp(example="/srv/decisions")] = Field(
        None, description="with `read_only_inbox`: the folder with approved/ and rejected/; default: `share`"
    )
    mass_arrival_files: int = Field(
        100, ge=0, description="more new files within a minute wait for a person; 0: no limit"
    )
    rules_tests_on_reload: bool = Field(
        True, description="keep the previous rules when a test in the changed rules file fails"
    )
    reuse_builds: bool = Field(
        False, description="the same file with the same preset is sent once more without slicing it again"
    )
    date_folders: bool = Field(False, description="outcome folders get one folder a day: done/2026-11-25/")
    requests_per_second: float = Field(10.0, gt=0, description="the rate budget for all calls together")
    request_timeout_seconds: float = Field(30.0, gt=0, description="how long one reply may take")
    upload_timeout_seconds: float = Field(600.0, gt=0, description="how long an upload may go unanswered")
    settle_seconds: float = Field(
        1.0, ge=0, description="how long a whole binary STL whose arrival an event reported must be unchanged"
    )
    settle_ascii_seconds: float = Field(
        5.0,
        ge=0,
        description="the same for an ASCII STL, and for a binary one whose arrival no event reported",
    )
    settle_wrong_seconds: float = Field(5.0, ge=0, description="the same for a .stl that is no STL at all")
    stall_seconds: float = Field(600.0, ge=0, description="when an unfinished, still file is rejected")
    sweep_seconds: float = Field(2.0, gt=0, description="how often the inbox is scanned")
    network_sweep_seconds: float = Field(5.0, gt=0, description="the same where the inbox is a network mount")
    stranger_seconds: float = Field(300.0, ge=0, description="when a file that is not taken gets a note")
    late_effect_seconds: float = Field(5.0, ge=0, description="a lost send may still take effect for so long")
    slice_first_poll_seconds: float = Field(2.0, ge=0, description="first question after an upload")
    slice_limit_seconds: float = Field(7200.0, gt=0, description="a slice job older than this is held")
    build_wait_seconds: float = Field(300.0, ge=0, description="a build missing for longer is held")
    largest_hole_mm: float = Field(
        0.0, ge=0, le=10, description="a mesh with a longer hole is held; a missing side always is"
    )
    open_edges_limit: int = Field(
        0, ge=0, description="outdated, use `largest_hole_mm`: open edges that pass in holes up to 10 mm"
    )
    hold_meshes_with: str = Field("", description="oddities that hold a mesh, see meshes.md")
    refuse_meshes_with: str = Field("", description="the old name of `hold_meshes_with`")
    largest_file_mb: int = Field(4096, ge=1, description="a larger file is rejected unread")
    inspection_limit_seconds: float = Field(300.0, gt=0, description="a file that takes longer is held")
    inspection_memory_mb: int = Field(1024, ge=64, description="a file that takes more is held")
    accepted_units: str = Field(
        "mm", description='units in which Eiger may take a part, such as "mm, in"; others are held'
    )
    print_now_armed: bool = Field(False, description="rules that say print_now may start machines")
    print_now_seconds: float = Field(120.0, gt=0, description="a printer that does not begin in time is held")
    timezone: Annotated[str | None, ZONE_HELP] = Field(
        None,
        description="of the shop, such as Europe/Vienna, for all times shown; default: the machine's",
    )
    progress_notes: bool = Field(True, description="a note where a file was dropped, while it is worked on")
    how_to_file: bool = Field(True, description="put HOW TO USE THIS FOLDER.txt into the share")
    contact: Annotated[str, SettingHelp(example="Kim, workshop, phone 4711")] = Field(
        "", description="whom people ask, for HOW TO USE THIS FOLDER.txt"
    )
    pictures: Annotated[str, PICTURES_HELP] = Field(
        "meshes", description="which notes get a picture: meshes (held or rejected for the mesh), all, none"
    )
    eiger_link: Annotated[str, LINK_HELP] = Field(
        "", description="the address of a build's page in Eiger, with {build_id}, for notes and the console"
    )
    prices: Annotated[str, SettingHelp(example="EUR, hour = 4.50, Onyx = 0.25")] = Field(
        "",
        description='what parts cost, per hour and cm³: "EUR, hour = 4.50, Onyx = 0.25"; default: Eiger\'s',
    )
    changeover_minutes: float = Field(10.0, ge=0, description="to clear a bed and start the next print")
    uploads_at_once: int = Field(8, ge=1, le=32, description="files inspected and uploaded side by side")
    dispatches_at_once: int = Field(8, ge=1, le=32, description="builds found and sent at the same time")
    one_core: bool = Field(
        True,
        description="the service uses one core, as Python runs one thread at a time (SQLite, Linux)",
    )
    keep_submissions: Annotated[int | None, SettingHelp(example=100_000)] = Field(
        None, ge=0, description="how many ended submissions are kept; default: all"
    )
    keep_submissions_days: Annotated[float | None, SettingHelp(example=365)] = Field(
        None, gt=0, description="how long ended submissions are kept; default: forever"
    )
    keep_files_days: Annotated[float | None, SettingHelp(example=90)] = Field(
        None, gt=0, description="how long files in done/ and rejected/ are kept; default: forever"
    )
    log_json: bool = Field(False, description="log lines as JSON objects")
    log_level: Annotated[str, LEVEL_HELP] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_coercion(cls, value: object, asked: ValidationInfo) -> object:
        """Refuse what pydantic would make something of: no text, a Tab out of `C:\\temp`, true as 1."""
        field = cls.model_fields[asked.field_name or ""]
        if isinstance(value, bool) and setting_type(field) is not bool:
            raise ValueError("true or false")
        if isinstance(value, str):
            value = value.strip() if setting_type(field) is SecretStr else value
            if (not value.strip() and field.default != "") or not value.isprintable():
                raise ValueError("empty, or not printable")
        return value

    @field_validator("*")
    @classmethod
    def _refuse_huge_number(cls, value: object) -> object:
        if isinstance(value, int | float) and value > MAX_NUMBER:
            raise ValueError("endless")
        return value

    @field_validator("access_key", "secret_key")
    @classmethod
    def _one_word(cls, key: SecretStr) -> SecretStr:
        if len(key.get_secret_value().split()) > 1:
            raise ValueError(KEY_HELP.allowed)
        return key

    @field_validator(*WORDS)
    @classmethod
    def _known_word(cls, word: str, asked: ValidationInfo) -> str:
        words, help_text = WORDS[asked.field_name or ""]
        known = next((each for each in words if each.casefold() == word.casefold()), None)
        if known is None:
            raise ValueError(help_text.allowed)
        return known

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            return name and ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(ZONE_HELP.allowed) from None

    @field_validator("eiger_url")
    @classmethod
    def _http_url(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")) or "@" in url:
            raise ValueError(URL_HELP.allowed)
        return url.rstrip("/")

    @field_validator("eiger_link")
    @classmethod
    def _link_with_id(cls, pattern: str) -> str:
        rest = pattern.replace("{build_id}", "").replace("{part_version_id}", "")
        is_address = pattern.startswith(("https://", "http://")) and " " not in pattern
        if pattern and (not is_address or rest == pattern or "{" in rest or "}" in rest):
            raise ValueError(LINK_HELP.allowed)
        return pattern

    @field_validator("proxy")
    @classmethod
    def _http_proxy(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("https://", "http://")):
            raise ValueError(PROXY_HELP.allowed)
        return url

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("postgresql://", "postgres://", "sqlite:///")):
            raise ValueError(DATABASE_HELP.allowed)
        return url

    @property
    def inbox(self) -> Path:
        """Return the folder that is watched: the read-only one, or the share's own."""
        return self.read_only_inbox or self.share / "inbox"

    @property
    def zone(self) -> tzinfo | None:
        """Return the shop's time zone; None is this machine's."""
        return ZoneInfo(self.timezone) if self.timezone else None

    @property
    def database(self) -> str:
        """Return the database URL that is used."""
        if self.database_url:
            return self.database_url.replace("postgres://", "postgresql://", 1)
        return f"sqlite:///{(self.state / LEDGER_FILE).absolute().as_posix()}"


OUTDATED = {
    "open_edges_limit": "It counts edges, and a missing lid has only 4. Set largest_hole_mm, say to 0.5.",
    "refuse_meshes_with": "It is now hold_meshes_with, and it holds. Rename it.",
}


def outdated_settings(settings: Settings) -> dict[str, str]:
    """Return what to do about each setting in use that a better one has replaced."""
    return {name: advice for name, advice in OUTDATED.items() if getattr(settings, name)}


def setting_type(field: FieldInfo) -> type:
    """Return the type of a setting without `| None`: bool, int, float, str, Path or SecretStr."""
    kinds = get_args(field.annotation) or (field.annotation,)
    return next(each for each in kinds if isinstance(each, type) and each is not NoneType)


def setting_help(field: FieldInfo) -> SettingHelp:
    """Return what a message says of a setting beyond its type."""
    return next((each for each in field.metadata if isinstance(each, SettingHelp)), SettingHelp())
