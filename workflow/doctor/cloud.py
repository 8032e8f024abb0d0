"""Eiger: reached, keys accepted, clocks together, and all there that the rules name."""

import socket
import time
import urllib.request
from collections.abc import Iterator
from functools import cached_property, partial
from urllib.parse import urlsplit

from workflow.assembly import names_unknown_to
from workflow.doctor.checkup import Check
from workflow.doctor.finding import Finding, fail, ok, skip, warn
from workflow.doctor.fleet import approvals, devices, presets, reading
from workflow.doctor.rules import NO_RULES, rules_if_sound, wrong
from workflow.eiger import EigerClient, Greeting, RetryPolicy, make_client
from workflow.errors import EXIT_CLOUD, EXIT_USAGE, CloudError, Unauthorized
from workflow.pipeline.catalog import Catalog
from workflow.settings import Settings

LIMIT_SECONDS = 30.0
MOST_PATIENCE_SECONDS = 8.0
IMPATIENT = RetryPolicy(attempts=2, total_seconds=5.0)
SKEW_SECONDS = 30.0
WORST_SKEW_SECONDS = 300.0
"""A build is looked for from five minutes before its upload: a clock further off would pass it over."""
_KEYS_PAGE = "The owner of the organization makes them on Eiger's API keys page; put them into .env."


class Line:
    """The connection of one checkup, opened when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        patience = min(settings.request_timeout_seconds, MOST_PATIENCE_SECONDS)
        self._settings = settings.model_copy(update={"request_timeout_seconds": patience})

    @cached_property
    def client(self) -> EigerClient:
        """Give a client that gives up soon. Raises SettingsError without keys."""
        return make_client(self._settings, IMPATIENT)

    @cached_property
    def catalog(self) -> Catalog:
        """Give what Eiger has to choose from."""
        return Catalog(self.client)

    @cached_property
    def greeting(self) -> Greeting | CloudError:
        """Give the first word with the service, or what came of it."""
        try:
            return self.client.greet()
        except CloudError as error:
            return error


def keys(settings: Settings) -> Iterator[Finding]:
    """See whether both keys are set, and look like keys; never shown."""
    pair = {
        "STLFLOW_ACCESS_KEY": settings.access_key.get_secret_value(),
        "STLFLOW_SECRET_KEY": settings.secret_key.get_secret_value(),
    }
    missing = [name for name, key in pair.items() if not key]
    odd = [name for name, key in pair.items() if key != key.strip("'\"")]
    if missing:
        yield fail(f"No keys for Eiger: {' and '.join(missing)} not set.", _KEYS_PAGE, EXIT_USAGE)
    for name in odd:
        yield fail(f"{name} has quotes around it.", "Write the bare key.", EXIT_USAGE)
    if not missing and not odd:
        yield ok("Both keys are set.")


def reach(settings: Settings, line: Line) -> Iterator[Finding]:
    """Ask for an answer, whatever it says; name the part of the way that is broken."""
    url = urlsplit(settings.eiger_url)
    host, proxy = str(url.hostname), _proxy(url.scheme, str(url.hostname))
    if proxy is None and (trouble := _unknown_name(host)) is not None:
        yield trouble
        return
    began = time.monotonic()
    answer = line.greeting
    through = "" if proxy is None else f" through the proxy {proxy}"
    if isinstance(answer, CloudError) and not isinstance(answer, Unauthorized):
        yield fail(str(answer), _way_out(through), EXIT_CLOUD)
    else:
        yield ok(f"{host} answers after {(time.monotonic() - began) * 1000:.0f} ms{through}.")


def access(line: Line) -> Iterator[Finding]:
    """See whether Eiger takes the keys, and whose they are as far as it tells."""
    answer = line.greeting
    if isinstance(answer, CloudError):
        yield fail(str(answer), _KEYS_PAGE, EXIT_CLOUD)
        return
    names = sorted(device.name for device in line.catalog.devices())
    shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
    yield ok(
        f"Eiger takes the keys. It does not tell the organization's name: its {len(names)} printers are "
        f"{shown or 'none'}, and it has {len(line.catalog.users())} users."
    )


def clock(line: Line) -> Iterator[Finding]:
    """Compare this machine's clock with the server's."""
    answer = line.greeting
    ahead = None if isinstance(answer, CloudError) else answer.ahead_seconds
    yield judge_skew(ahead)


def judge_skew(ahead_seconds: float | None) -> Finding:
    """Decide by how far the server's clock is ahead; it tells whole seconds."""
    if ahead_seconds is None:
        return ok("Eiger does not tell its time.")
    off = abs(ahead_seconds)
    says = f"This machine's clock is {off:.0f} s {'behind' if ahead_seconds > 0 else 'ahead of'} Eiger's."
    fix = "Let it follow a time server: `timedatectl set-ntp true`, or Windows' time service."
    if off >= WORST_SKEW_SECONDS:
        return fail(f"{says} Due dates and times of day are wrong.", fix)
    return warn(says, fix) if off >= SKEW_SECONDS else ok("This machine's clock goes with Eiger's.")


def names(settings: Settings, line: Line) -> Iterator[Finding]:
    """Ask Eiger for every preset, device and user that the rules name."""
    rulebook = rules_if_sound(settings)
    if rulebook is None:
        yield skip(NO_RULES)
        return
    mistakes = names_unknown_to(line.catalog, rulebook)
    for mistake in mistakes:
        yield wrong(mistake)
    if not mistakes:
        told = ", ".join(sorted({mention.text for mention in rulebook.mentions})) or "nothing"
        yield ok(f"Eiger has all that the rules name: {told}.")


def _proxy(scheme: str, host: str) -> str | None:
    """Give host and port of the proxy that requests go through, never user and password."""
    proxy = urllib.request.getproxies().get(scheme)
    if proxy is None or host in {"localhost", "127.0.0.1", "::1"} or urllib.request.proxy_bypass(host):
        return None
    return urlsplit(proxy if "//" in proxy else f"//{proxy}").netloc.rpartition("@")[2]


def _unknown_name(host: str) -> Finding | None:
    try:
        socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        return fail(
            f"The name {host} can't be found: {error.strerror or error}.",
            "Is the network up, and its DNS? Or is STLFLOW_EIGER_URL misspelt?",
            EXIT_CLOUD,
        )
    return None


def _way_out(through: str) -> str:
    where = "the proxy" if through else "the firewall"
    return (
        f"Is the network up, and does {where} let it through? Until then everything waits: nothing is lost."
    )


def cloud_checks(settings: Settings) -> tuple[Check, ...]:
    """Give the checks that need Eiger; only questions are asked."""
    line = Line(settings)
    asked = partial(Check, limit_seconds=LIMIT_SECONDS, silent_code=EXIT_CLOUD)
    return (
        Check(
            "cloud.keys",
            "that both keys are set, without quotes around them",
            lambda: keys(settings),
            gate=True,
        ),
        asked("cloud.reach", "DNS, proxy, TLS, an answer", lambda: reach(settings, line), gate=True),
        asked(
            "cloud.access", "whether Eiger takes the keys; whose they are", lambda: access(line), gate=True
        ),
        asked("cloud.clock", "this machine's clock against Eiger's", lambda: clock(line)),
        asked("cloud.names", "presets, printers and people that rules name", lambda: names(settings, line)),
        asked("cloud.presets", "which presets there are", lambda: presets(line.catalog)),
        asked("cloud.devices", "which printers there are, and their states", lambda: devices(line.catalog)),
        asked("cloud.reading", "what else the keys may read", lambda: reading(line.client, line.catalog)),
        asked("cloud.approvals", "whether builds need approval", lambda: approvals(settings, line.client)),
    )
