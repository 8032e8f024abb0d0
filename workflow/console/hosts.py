"""Names and addresses: which ones are this machine's, and which the settings list."""

import ipaddress
import socket
from functools import cache
from urllib.parse import urlsplit

from workflow.settings import Settings


def is_loopback(host: str) -> bool:
    """True for a name or an address that only this machine can reach."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def listed(text: str) -> frozenset[str]:
    """Return the entries of a setting that lists names with commas between."""
    return frozenset(filter(None, (each.strip().casefold() for each in text.split(","))))


def is_own_host(settings: Settings, host: str) -> bool:
    """True if the Host header names this console: another name was made to point here by someone else."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").casefold()
    except ValueError:
        return False
    if is_loopback(name) or name in listed(settings.console_names):
        return True
    if is_loopback(settings.console_host):
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in machine_names()
    return True  # an address can't be made to point elsewhere


@cache
def machine_names() -> frozenset[str]:
    """Return the names that this machine has for itself."""
    return frozenset({socket.gethostname().casefold(), socket.getfqdn().casefold()})
