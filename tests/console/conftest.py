"""A real console on a free port over a real ledger, as browsers and scripts reach it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.console.browser import browser, chromium
from workflow.console import make_console, open_listener, running_console
from workflow.ledger import Ledger
from workflow.settings import Settings

__all__ = ["browser", "chromium"]
CSRF = 'data-csrf="'


@dataclass
class Site:
    """One running console: its address, its ledger, its settings, and a session as a browser has one."""

    url: str
    ledger: Ledger
    settings: Settings
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(f"{self.url}{path}", timeout=60, **options)

    def post(self, path: str, fields: dict[str, Any], **options: Any) -> requests.Response:
        """Send a form as a page of the console does: with the token of its pages."""
        sent = {"csrf": self.csrf(), **fields}
        return self.session.post(f"{self.url}{path}", data=sent, timeout=60, **options)

    def csrf(self) -> str:
        """Return the token that the pages of this session have."""
        return self.get("/").text.partition(CSRF)[2].partition('"')[0]


OpenSite = Callable[..., Site]


@contextmanager
def running_site(folder: Path, ledger: Ledger, /, **settings: object) -> Iterator[Site]:
    """Serve a console whose share and state are in a folder, until the block ends."""
    given = settings_in(folder, settings)
    for name, role in TOKENS.items():
        TOKENS_MADE[name] = ledger.console_tokens.make(name, role)
    with (
        open_listener(given.console_host, 0) as listener,
        running_console(make_console(given, ledger), listener) as url,
    ):
        yield Site(url, ledger, given)


def settings_in(folder: Path, settings: Mapping[str, object]) -> Settings:
    """Return settings with the share and the state in a folder."""
    (folder / "state").mkdir(exist_ok=True)
    return Settings.model_validate({"share": folder / "share", "state": folder / "state", **settings})


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[OpenSite]:
    """Open consoles; the settings are given by name."""
    with ExitStack() as stack:

        def start(ledger: Ledger | None = None, **settings: object) -> Site:
            if ledger is None:
                ledger = Ledger(settings_in(tmp_path, settings).database)
                stack.callback(ledger.close)
            return stack.enter_context(running_site(tmp_path, ledger, **settings))

        yield start


TOKENS = {"Vera": "view", "Willi": "work", "Ada": "admin"}
"""Who has a token, and the role of each."""
TOKENS_MADE: dict[str, str] = {}


def bearer(name: str) -> dict[str, str]:
    """Return the header of a script that uses someone's token."""
    return {"Authorization": f"Bearer {TOKENS_MADE[name]}"}


@pytest.fixture
def site(open_site: OpenSite) -> Site:
    """A console with the default settings."""
    return open_site()
