"""Settings of the console: the web page of the people who look after stlflow."""

from typing import Annotated

from pydantic import BaseModel, Field

from workflow.settings.setting_help import SettingHelp

CONSOLE_PORT = 8480
ROLES = ("view", "work", "admin")
ROLE_HELP = SettingHelp("view, work or admin")


class ConsoleSettings(BaseModel):
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
