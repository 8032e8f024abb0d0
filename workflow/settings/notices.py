"""The `[notices]` part of the settings: targets, and who hears of what. Every address may hold a secret."""

import re
from datetime import time
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, model_validator

from workflow.model import NoticeEvent
from workflow.settings.parts import SettingsPart

NOTICES = "notices"
VARIABLE_PREFIX = "STLFLOW_NOTICES_"
CHANNELS = ("webhook", "slack", "teams", "mail", "apprise")
SHOP, ADMINISTRATOR = "shop", "administrator"
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_PERSON_EVENTS = (
    NoticeEvent.HELD, NoticeEvent.REJECTED, NoticeEvent.PRINTED, NoticeEvent.FAILED, NoticeEvent.LATE,
)  # fmt: skip
_DEFAULT_EVENTS = {
    SHOP: (NoticeEvent.HELD, NoticeEvent.FAILED, NoticeEvent.LATE),
    ADMINISTRATOR: (NoticeEvent.TROUBLE, NoticeEvent.TROUBLE_OVER),
}


def default_events(target: str) -> tuple[NoticeEvent, ...]:
    """Return what a target hears of if it does not say: the shop, the administrator, or any person."""
    return _DEFAULT_EVENTS.get(target, _PERSON_EVENTS)


def is_mail_address(text: str) -> bool:
    """True for an e-mail address, which may be used where a target's name may."""
    return text.isascii() and re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+", text) is not None


def parse_hours(text: str) -> tuple[time, time]:
    """Return both ends of hours of the day, `19:00-06:30`. Raises ValueError."""
    found = _HOURS.fullmatch(text)
    if found is None:
        raise ValueError("hours of the day")
    begin, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if begin == end:
        raise ValueError("hours of the day")
    return begin, end


def _web_address(given: SecretStr | None) -> SecretStr | None:
    if given is not None and not re.fullmatch(r"https?://[^\s/?#@]+(?:[/?#]\S*)?", given.get_secret_value()):
        raise ValueError("a web address")
    return _with_possible_port(given)


def _with_possible_port(given: SecretStr | None) -> SecretStr | None:
    """Return the address. Raises ValueError for a port that is no number below 65,536."""
    if given is not None:
        _ = urlsplit(given.get_secret_value()).port
    return given


def _mail_addresses(given: SecretStr | None) -> SecretStr | None:
    if given is not None and not all(map(is_mail_address, split_addresses(given.get_secret_value()))):
        raise ValueError("e-mail addresses")
    return given


def split_addresses(text: str) -> list[str]:
    """Return the addresses of a list that commas separate."""
    return [part.strip() for part in text.split(",")]


def _hours(text: str | None) -> str | None:
    if text is not None:
        parse_hours(text)
    return text


def _mail_server(given: SecretStr | None) -> SecretStr | None:
    form = r"(smtps?|smtp\+plain)://(?:[^\s@/]+@)?[^\s@/:]+(?::\d{1,5})?"
    if given is not None and not re.fullmatch(form, given.get_secret_value()):
        raise ValueError("a mail server")
    return _with_possible_port(given)


WebAddress = Annotated[SecretStr | None, AfterValidator(_web_address)]
_STRICT = ConfigDict(
    extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False, defer_build=True
)


class NoticeTarget(BaseModel):
    """Where notices go: exactly one channel with its address, and what is told there."""

    model_config = _STRICT

    webhook: WebAddress = Field(default=None, description="address that takes JSON by POST")
    slack: WebAddress = Field(default=None, description="address of a Slack incoming webhook")
    teams: WebAddress = Field(default=None, description="address of a Teams workflow that posts cards")
    mail: Annotated[SecretStr | None, AfterValidator(_mail_addresses)] = Field(
        default=None, description="e-mail addresses, separated by commas; needs `mail_server`"
    )
    apprise: SecretStr | None = Field(
        default=None, description="any URL of Apprise; needs `stlflow[apprise]`"
    )
    key: SecretStr | None = Field(
        default=None, description="key that signs what a webhook gets (HMAC-SHA256)"
    )
    events: tuple[NoticeEvent, ...] | None = Field(
        default=None, description="what is told here; default: by the target's name, see above"
    )
    every_file: bool | None = Field(
        default=None, description="tell of all files, not only those of its people; default: true for `shop`"
    )
    internal: bool = Field(default=False, description="the address may be one inside this network")

    @model_validator(mode="after")
    def _one_channel(self) -> Self:
        if sum(getattr(self, channel) is not None for channel in CHANNELS) != 1:
            raise ValueError("one channel")
        return self

    @property
    def channel(self) -> str:
        """Return the name of the channel."""
        return next(channel for channel in CHANNELS if getattr(self, channel) is not None)

    @property
    def address(self) -> SecretStr:
        """Return the address of the channel."""
        address: SecretStr = getattr(self, self.channel)
        return address


class NoticeSettings(BaseModel):
    """Who is told what, where, and when. Without targets nobody is told anything."""

    model_config = _STRICT

    targets: dict[str, NoticeTarget] = Field(
        default={}, description="where notices go, by a name of your own"
    )
    folders: dict[str, str] = Field(
        default={}, description="whose files are in a subfolder of the inbox: a target or an e-mail address"
    )
    owners: dict[str, str] = Field(default={}, description="the same by the file's owner: `EXAMPLE\\anna`")
    console_url: Annotated[str | None, Field(pattern=r"^https?://[^\s@]+$")] = Field(
        default=None, description="where people reach the console, for links; default: no links"
    )
    decide_links: bool = Field(
        default=False,
        description="a message about a held file has a link to decide without a login",
    )
    link_key: SecretStr | None = Field(
        default=None,
        description="signs these links, the same on all machines; default: made here",
    )
    quiet_hours: Annotated[str | None, AfterValidator(_hours)] = Field(
        default=None, description="when only urgent notices are sent, in the shop's time: `19:00-06:30`"
    )
    urgent: tuple[NoticeEvent, ...] = Field(
        default=(NoticeEvent.HELD, NoticeEvent.FAILED, NoticeEvent.TROUBLE),
        description="what quiet hours let through",
    )
    gather_seconds: float = Field(
        default=30.0, ge=0, le=600, description="how long no further notice may come before they are sent"
    )
    mail_server: Annotated[SecretStr | None, AfterValidator(_mail_server)] = Field(
        default=None,
        description="`smtp://user@host` (STARTTLS), `smtps://…` (TLS), `smtp+plain://…` (not encrypted)",
    )
    mail_password: SecretStr | None = Field(default=None, description="password of the user in `mail_server`")
    mail_from: Annotated[str | None, Field(pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$")] = Field(
        default=None, description="sender of mails; default: stlflow@ and this machine's name"
    )

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        if any(_NAME.fullmatch(name) is None for name in self.targets):
            raise ValueError("names of targets")
        return self

    def target(self, name: str) -> NoticeTarget | None:
        """Return a target by its name, or one made of an e-mail address; None if there is none."""
        if name in self.targets:
            return self.targets[name]
        return NoticeTarget(mail=SecretStr(name)) if is_mail_address(name) else None


class NoticesPart(SettingsPart):
    """The part of the settings that is a table; the flat settings do not list it."""

    _notices: NoticeSettings = PrivateAttr(default=NoticeSettings())

    @property
    def notices(self) -> NoticeSettings:
        """Return who is told what."""
        return self._notices

    def with_notices(self, notices: NoticeSettings) -> Self:
        """Return the settings with this part in place of the present one."""
        copied = self.model_copy()
        copied._notices = notices
        return copied
