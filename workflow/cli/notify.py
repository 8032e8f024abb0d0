"""Telling systemd how the service is (sd_notify(3)): one datagram to the socket that it names."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Event


def notify(state: str) -> None:
    """Say `READY=1`, `WATCHDOG=1` or `STOPPING=1`; outside of a unit of Type=notify nobody is told."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
        return
    address = f"\0{place[1:]}" if place.startswith("@") else place
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(state.encode("ascii"), address)


def wait_watched(stop: Event, stands_still_seconds: Callable[[], float]) -> None:
    """Wait for the stop; where systemd asks for signs of life, give them as long as work goes on."""
    limit = watchdog_seconds()
    if limit is None:
        stop.wait()
        return
    while not stop.wait(limit / 4):
        if stands_still_seconds() < limit / 2:
            notify("WATCHDOG=1")


def watchdog_seconds() -> float | None:
    """Give after how long without a sign systemd ends us; None where it does not."""
    limit = os.environ.get("WATCHDOG_USEC", "")
    meant = os.environ.get("WATCHDOG_PID", "") in {"", str(os.getpid())}
    return int(limit) / 1e6 if limit.isdigit() and int(limit) > 0 and meant else None
