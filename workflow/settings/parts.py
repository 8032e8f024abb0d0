"""Settings by topic, each a base class of `Settings`, and what messages say of a setting."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from workflow.frozen import frozen


@frozen
class SettingHelp:
    """What a message says of a setting beyond its type: what is allowed, and a value as an example.

    The value of a `private` one is never repeated.
    """

    allowed: str = ""
    example: str | float = ""
    private: bool = False


class SettingsPart(BaseModel):
    """The settings of a topic. Only all of them together are checked: no part builds what checks it."""

    model_config = ConfigDict(defer_build=True)


CONSOLE_PORT = 8480
ROLES = ("view", "work", "admin")
ROLE_HELP = SettingHelp("view, work or admin")


class ConsoleSettings(SettingsPart):
    """Where the console is served, and who may use it."""

    console_port: int = Field(
        CONSOLE_PORT, ge=0, le=65535, description="port of the console, the web page; 0: no console"
    )
    console_host: str = Field(
        "127.0.0.1",
        description="address it listens on; other than this machine's own, everyone needs a token",
    )
    console_names: str = Field(
        "", description='names of this machine in the address bar, such as "prints.example.com"'
    )
    console_login: bool = Field(False, description="people on this machine need a token, too")
    console_proxies: str = Field(
        "", description='addresses of proxies whose Remote-User header is believed, such as "10.0.0.5"'
    )
    console_proxy_role: Annotated[str, ROLE_HELP] = Field(
        "work", description="what people may do who come by such a proxy: view, work or admin"
    )


DEFAULT_STATUS_PAGE = "STATUS.html"


class StatusPageSettings(SettingsPart):
    """How the work is shown."""

    status_page: str = Field(
        DEFAULT_STATUS_PAGE, description="where the status page is written, relative to `share`; off: nowhere"
    )
    thumbnails: bool = Field(
        True, description="a small picture of each of the last 500 parts, for the tables"
    )


class FollowingSettings(SettingsPart):
    """Whether prints are followed to their end."""

    follow_prints: bool = Field(
        True, description="follow what was sent to a printer, or has a due date, until it is printed"
    )
    follow_seconds: float = Field(60.0, gt=0, description="how often Eiger is asked for all of them")


class CanarySettings(SettingsPart):
    """How often the canary flies."""

    canary_minutes: float = Field(
        0.0, ge=0, le=1440, description="how often a tiny part tests the inbox, never sent; 0: never"
    )
