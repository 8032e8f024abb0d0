"""Telling systemd how the service is (sd_notify(3)): one datagram to the socket that it names."""

import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """Say `READY=1`, `WATCHDOG=1` or `STOPPING=1`; nobody hears it outside of a unit of Type=notify."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
        return
    address = f"\0{place[1:]}" if place.startswith("@") else place
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(state.encode("ascii"), address)


def watchdog_seconds() -> float | None:
    """Give how often systemd wants to hear of us: half of its limit; None when it does not wait for that."""
    limit = os.environ.get("WATCHDOG_USEC", "")
    meant = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(limit) / 2e6 if limit.isdigit() and int(limit) > 0 and meant else None
