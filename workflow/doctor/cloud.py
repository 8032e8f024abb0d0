"""Checks of Eiger: connection, keys, clock, names in the rules, presets, printers, permissions, approvals."""

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from urllib.parse import urlsplit

from workflow.doctor.finding import Check, Finding, fail, ok, shortened_list, skip, warn
from workflow.doctor.settings import SKIPPED_NO_RULES, load_rules_or_none, mistake_finding, send_actions
from workflow.eiger import EigerClient, PingResult, RetryPolicy, make_client, network_of, proxy_address
from workflow.errors import EXIT_CLOUD, EXIT_USAGE, CloudError, Unauthorized, error_reason, format_count
from workflow.pipeline.check_rules import find_unknown_names
from workflow.pipeline.cloud_cache import CloudCache
from workflow.settings import Settings

MAX_SHOWN_NAMES = 6
OFFLINE = "offline"


def check_presets(catalog: CloudCache) -> Iterator[Finding]:
    """List the presets: an upload without one is sliced with Eiger's own choice."""
    titles = sorted(preset.title for preset in catalog.presets())
    twice = [title for title, count in Counter(titles).items() if count > 1]
    if not titles:
        yield warn("Eiger has no settings presets.", "Make one in Eiger: the rules name them by title.")
    elif twice:
        yield warn(f"Several presets are titled {twice[0]}.", "Rules have to name those by their ids.")
    else:
        yield ok(f"{format_count(len(titles), 'preset')}: {shortened_list(titles, MAX_SHOWN_NAMES)}.")


def check_printers(catalog: CloudCache) -> Iterator[Finding]:
    """Count the printers by state."""
    found = catalog.devices()
    states = Counter(device.state or "unknown" for device in found)
    told = ", ".join(f"{count} {state}" for state, count in states.most_common())
    if not found:
        yield warn(
            "Eiger shows no printers with these keys.", "Are these the keys of the right organization?"
        )
    elif all(state.lower() == OFFLINE for state in states):
        yield warn(f"No printer of {len(found)} is online.", "Check the machines and their network.")
    else:
        yield ok(f"{format_count(len(found), 'printer')}: {told}.")


def check_read_permissions(client: EigerClient, catalog: CloudCache) -> Iterator[Finding]:
    """Ask once for each kind of thing that the service reads; only a send shows whether it may send."""
    questions: dict[str, Callable[[], object]] = {
        "builds": lambda: next(client.list_builds(page_size=1), None),
        "print jobs": lambda: next(client.list_print_jobs(page_size=1), None),
        "queues": lambda: [client.list_device_queue(device.id) for device in catalog.devices()[:1]],
    }
    refused = False
    for what, ask in questions.items():
        try:
            ask()
        except CloudError as error:
            refused = True
            yield fail(
                f"These keys can't read {what}: {error}",
                "The owner of the organization, or Markforged's support, has to allow it.",
                error.exit_code,
            )
    if not refused:
        yield ok(f"The keys may read {', '.join(questions)}. Only an upload shows whether they may upload.")


def check_approvals(settings: Settings, client: EigerClient) -> Iterator[Finding]:
    """Check whether builds need approval, and whether the rules approve them."""
    if client.list_approved_builds() is None:
        yield ok("Approvals are not in use: every build may be printed.")
        return
    rulebook = load_rules_or_none(settings)
    if rulebook is None:
        yield skip(SKIPPED_NO_RULES)
        return
    without = [name for name, send in send_actions(rulebook) if not send.approve_first]
    if without:
        yield warn(
            f"Only approved builds may be printed, and these rules do not approve: "
            f"{shortened_list(without, MAX_SHOWN_NAMES)}.",
            "Approve builds in Eiger, or set `approve_first: true` in the rule.",
        )
    else:
        yield ok("Only approved builds may be printed, and every rule that sends approves first.")


CLOUD_TIMEOUT_SECONDS = 30.0
MAX_REQUEST_TIMEOUT_SECONDS = 8.0
SHORT_RETRY_POLICY = RetryPolicy(attempts=2, total_seconds=5.0)
SKEW_SECONDS = 30.0
MAX_SKEW_SECONDS = 300.0
"""The search for a build starts five minutes before its upload: a clock that is further off would miss it."""
_KEYS_FIX = "The owner of the organization makes them on Eiger's page of API keys. Put them into .env."


class CloudConnection:
    """The connection of one checkup, opened when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        limit_seconds = min(settings.request_timeout_seconds, MAX_REQUEST_TIMEOUT_SECONDS)
        self._settings = settings.model_copy(update={"request_timeout_seconds": limit_seconds})

    @cached_property
    def client(self) -> EigerClient:
        """Return a client that gives up soon. Raises SettingsError without keys."""
        return make_client(self._settings, SHORT_RETRY_POLICY)

    @cached_property
    def catalog(self) -> CloudCache:
        """Return what Eiger has to choose from."""
        return CloudCache(self.client)

    @cached_property
    def ping_result(self) -> PingResult | CloudError:
        """Return the first reply of the service, or its error."""
        try:
            return self.client.ping()
        except CloudError as error:
            return error


def check_keys(settings: Settings) -> Iterator[Finding]:
    """Check that both keys are set and look like keys; the keys are never shown."""
    pair = {
        "STLFLOW_ACCESS_KEY": settings.access_key.get_secret_value(),
        "STLFLOW_SECRET_KEY": settings.secret_key.get_secret_value(),
    }
    missing = [name for name, key in pair.items() if not key]
    odd = [name for name, key in pair.items() if key != key.strip("'\"")]
    if missing:
        yield fail(f"No keys for Eiger: {' and '.join(missing)} not set.", _KEYS_FIX, EXIT_USAGE)
    for name in odd:
        yield fail(f"{name} has quotes around it.", "Write the key without quotes.", EXIT_USAGE)
    if not missing and not odd:
        yield ok("Both keys are set.")


def check_reachable(settings: Settings, line: CloudConnection) -> Iterator[Finding]:
    """Check the connection: DNS, proxy, TLS and an answer; the finding names the part that fails."""
    host = str(urlsplit(settings.eiger_url).hostname)
    proxy = proxy_address(settings.eiger_url, network_of(settings))
    if proxy is None and (trouble := _dns_failure(host)) is not None:
        yield trouble
        return
    began = time.monotonic()
    answer = line.ping_result
    through = "" if proxy is None else f" through the proxy {proxy}"
    if isinstance(answer, CloudError) and not isinstance(answer, Unauthorized):
        yield fail(str(answer), _network_fix(through), EXIT_CLOUD)
    else:
        yield ok(f"{host} answers after {(time.monotonic() - began) * 1000:.0f} ms{through}.")


def check_access(line: CloudConnection) -> Iterator[Finding]:
    """Check that Eiger accepts the keys, and show whose printers they give access to."""
    answer = line.ping_result
    if isinstance(answer, CloudError):
        yield fail(str(answer), _KEYS_FIX, EXIT_CLOUD)
        return
    names = sorted(device.name for device in line.catalog.devices())
    shown = shortened_list(names, 4)
    yield ok(
        f"Eiger accepts the keys. It does not name the organization. "
        f"It has {format_count(len(names), 'printer')} ({shown or 'none'}), "
        f"and {format_count(len(line.catalog.users()), 'user')}."
    )


def check_clock(line: CloudConnection) -> Iterator[Finding]:
    """Compare this machine's clock with the server's."""
    answer = line.ping_result
    ahead = None if isinstance(answer, CloudError) else answer.ahead_seconds
    yield judge_clock_skew(ahead)


def judge_clock_skew(ahead_seconds: float | None) -> Finding:
    """Decide by how far the server's clock is ahead; it tells whole seconds."""
    if ahead_seconds is None:
        return ok("Eiger does not say what time it is.")
    off = abs(ahead_seconds)
    says = f"This machine's clock is {off:.0f} s {'behind' if ahead_seconds > 0 else 'ahead of'} Eiger's."
    fix = "Synchronize it with a time server: `timedatectl set-ntp true`, or the time service of Windows."
    if off >= MAX_SKEW_SECONDS:
        return fail(f"{says} Due dates and times of day are wrong.", fix)
    return warn(says, fix) if off >= SKEW_SECONDS else ok("This machine's clock agrees with Eiger's.")


def check_rule_names(settings: Settings, line: CloudConnection) -> Iterator[Finding]:
    """Ask Eiger for every preset, device and user that the rules name."""
    rulebook = load_rules_or_none(settings)
    if rulebook is None:
        yield skip(SKIPPED_NO_RULES)
        return
    mistakes = find_unknown_names(line.catalog, rulebook)
    for mistake in mistakes:
        yield mistake_finding(mistake)
    if not mistakes:
        told = ", ".join(sorted({mention.text for mention in rulebook.mentions})) or "nothing"
        yield ok(f"Eiger has all that the rules name: {told}.")


def _dns_failure(host: str) -> Finding | None:
    try:
        socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        return fail(
            f"The name {host} can't be found: {error_reason(error)}.",
            "Check the network and its DNS, and the spelling of STLFLOW_EIGER_URL.",
            EXIT_CLOUD,
        )
    return None


def _network_fix(through: str) -> str:
    where = "the proxy" if through else "the firewall"
    return f"Check that the network is up and {where} lets stlflow through. Until then, everything waits."


def cloud_checks(settings: Settings) -> tuple[Check, ...]:
    """Return the checks that need Eiger; only questions are asked."""
    line = CloudConnection(settings)
    asked = partial(Check, limit_seconds=CLOUD_TIMEOUT_SECONDS, silent_code=EXIT_CLOUD)
    return (
        Check(
            "cloud.keys",
            "that both keys are set, without quotes around them",
            lambda: check_keys(settings),
            gate=True,
        ),
        asked("cloud.reach", "DNS, proxy, TLS, a reply", lambda: check_reachable(settings, line), gate=True),
        asked(
            "cloud.access",
            "whether Eiger accepts the keys, and whose they are",
            lambda: check_access(line),
            gate=True,
        ),
        asked("cloud.clock", "this machine's clock against Eiger's", lambda: check_clock(line)),
        asked(
            "cloud.names",
            "presets, printers and users that the rules name",
            lambda: check_rule_names(settings, line),
        ),
        asked("cloud.presets", "which presets there are", lambda: check_presets(line.catalog)),
        asked(
            "cloud.devices",
            "which printers there are, and their states",
            lambda: check_printers(line.catalog),
        ),
        asked(
            "cloud.reading",
            "what else the keys may read",
            lambda: check_read_permissions(line.client, line.catalog),
        ),
        asked(
            "cloud.approvals", "whether builds need approval", lambda: check_approvals(settings, line.client)
        ),
    )
