"""The headless service, and its messages to systemd (sd_notify(3))."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from threading import Event
from types import FrameType
from typing import Any

import click

from workflow.errors import EXIT_INTERRUPTED, EXIT_OK


def notify_systemd(state: str) -> None:
    """Send `READY=1`, `WATCHDOG=1` or `STOPPING=1` to systemd; does nothing outside of a Type=notify unit."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
        return
    address = f"\0{place[1:]}" if place.startswith("@") else place
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(state.encode("ascii"), address)


SIGNAL_CHECK_SECONDS = 1.0
"""A handler runs between two waits: on Windows no wait is interrupted, elsewhere it is not when another
thread gets the signal. An endless wait would sleep through the request to stop."""


def wait_for_stop(stop: Event, stands_still_seconds: Callable[[], float]) -> None:
    """Wait for the stop; send systemd the heartbeats it asks for while the queue works."""
    limit = watchdog_seconds()
    while not stop.wait(SIGNAL_CHECK_SECONDS if limit is None else min(SIGNAL_CHECK_SECONDS, limit / 4)):
        if limit is not None and stands_still_seconds() < limit / 2:
            notify_systemd("WATCHDOG=1")


MOST_DIGITS = 20


def watchdog_seconds() -> float | None:
    """Return after how long without a sign systemd ends us; None where it does not."""
    limit = os.environ.get("WATCHDOG_USEC", "")
    meant = os.environ.get("WATCHDOG_PID", "") in {"", str(os.getpid())}
    is_number = limit.isascii() and limit.isdigit() and len(limit) < MOST_DIGITS
    return int(limit) / 1e6 if is_number and int(limit) > 0 and meant else None


REPEATED_SIGNAL_SECONDS = 0.1
"""Some programs signal a process and at once its group: that is one request to stop."""


@click.command()
@click.option("--shadow", is_flag=True, help="Only watch: nothing is uploaded, sent, approved or moved.")
def run(shadow: bool) -> None:
    """Take every STL file in the inbox to its queue.

    Runs until stopped. With --shadow, every file is inspected and decided, and nothing else: `stlflow
    shadow` shows what would have been sent, beside what the shop sent.
    """
    stop = stop_on_signals()  # before anything slow: a stop during the start is a stop, too
    from workflow.memory import forget_overloads, import_requests, use_one_heap

    use_one_heap()
    import_requests()
    from loguru import logger

    from workflow.assembly import rules_file, running_service, start_logging
    from workflow.settings import load_settings, shadow_settings

    forget_overloads()
    settings = shadow_settings(load_settings()) if shadow else load_settings()
    start_logging(settings, settings.log_level)
    with (
        running_service(settings, shadow=shadow) as service,
        _console_beside(settings, service),
        _on_one_core(settings, service),
    ):
        logger.info("Watching {} for {}", settings.inbox.absolute(), settings.eiger_url)
        logger.info("Rules: {}", rules_file(settings))
        if shadow:
            logger.info(
                "Shadow mode: nothing is uploaded, sent or moved. `stlflow shadow` shows the forecasts."
            )
        notify_systemd("READY=1")
        wait_for_stop(stop, service.stalled_seconds)
        notify_systemd("STOPPING=1")
        logger.info("Stopping: what is under way comes to a safe point first; once more to leave at once.")
    logger.info("Stopped.")
    exit_process()


def _on_one_core(settings: Any, service: Any) -> AbstractContextManager[None]:
    """Keep the service on one core, if it has its ledger for itself: several on one machine need several."""
    from workflow.cores import sharing_one_core

    return sharing_one_core() if settings.one_core and not service.ledger.is_shared else nullcontext()


@contextmanager
def _console_beside(settings: Any, service: Any) -> Iterator[None]:
    """Serve the console if there is to be one. Without one, nothing of it is imported."""
    if settings.console_port == 0:
        yield
        return
    from loguru import logger

    from workflow.console import IfBusy, address_text, serving_console

    ways = (service.wake, service.stalled_seconds)
    with serving_console(settings, service.ledger, *ways, if_busy=IfBusy.WITHOUT) as url:
        if url:
            logger.info("Console: {}", address_text(settings, url))
        yield


def exit_process() -> None:
    """End this process, even if threads still wait: all work is at a safe point.

    A thread that runs beyond the limit, or waits for a database that can't be reached, would keep it forever.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_OK)


def stop_on_signals() -> threading.Event:
    """Return an event that SIGINT, SIGTERM and Windows' Ctrl-Break set; a second signal ends at once."""
    stop = threading.Event()
    asked_at = float("-inf")

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked_at
        if not stop.is_set():
            asked_at = time.monotonic()
        elif time.monotonic() - asked_at > REPEATED_SIGNAL_SECONDS:
            # As safe as a power cut, which everything here is made for.
            os.write(2, b"stlflow: stopped at once; interrupted work is continued at the next start.\n")
            os._exit(EXIT_INTERRUPTED)
        stop.set()

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), on_signal)
    return stop
