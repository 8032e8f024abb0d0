"""The headless service."""

import os
import signal
import sys
import threading
import time
from types import FrameType

import click

from workflow.errors import EXIT_INTERRUPTED, EXIT_OK

SAME_STOP_SECONDS = 0.1
"""Some programs send their signal to a process and at once to its group: that is one wish, not two."""


@click.command()
def run() -> None:
    """Take every STL file in the inbox to its queue, until stopped."""
    stop = stop_on_signals()  # before anything slow: a stop during the start is a stop, too
    from loguru import logger

    from workflow.assembly import rules_file, running_service
    from workflow.cli.logbook import open_logbook
    from workflow.cli.notify import notify, wait_watched
    from workflow.settings import load_settings

    settings = load_settings()
    open_logbook(settings, settings.log_level)
    with running_service(settings) as service:
        watched = settings.read_only_inbox or settings.share / "inbox"
        logger.info("Watching {} for {}", watched.absolute(), settings.eiger_url)
        logger.info("Rules: {}", rules_file(settings))
        notify("READY=1")
        wait_watched(stop, service.stands_still_seconds)
        notify("STOPPING=1")
        logger.info("Stopping: what is under way comes to a safe point first; once more to leave at once.")
    logger.info("Stopped.")
    leave()


def leave() -> None:
    """End this process, whatever threads may still wait for: everything is at a safe point, or given back.

    What runs beyond the limit, and an engine whose database is away, would keep it for ever otherwise.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_OK)


def stop_on_signals() -> threading.Event:
    """Give an event that SIGINT, SIGTERM and Windows' Ctrl-Break set; a second signal ends at once."""
    stop = threading.Event()
    asked_at = float("-inf")

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked_at
        if not stop.is_set():
            asked_at = time.monotonic()
        elif time.monotonic() - asked_at > SAME_STOP_SECONDS:
            # As safe as a power cut, which everything here is made for.
            os.write(2, b"stlflow: stopped at once; what was under way goes on at the next start.\n")
            os._exit(EXIT_INTERRUPTED)
        stop.set()

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), on_signal)
    return stop
