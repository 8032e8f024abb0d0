"""Logging: for people on a terminal, JSON lines on request, and a rotating file in the state folder.

Expected errors are logged as one sentence; only a fault of stlflow itself carries a traceback, and
no traceback shows the values of variables.
"""

import logging
import math
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any

from loguru import logger

CONSOLE_FORMAT = "<green>{time:HH:mm:ss zz}</green> <level>{level: <7}</level> {message}"
FILE_FORMAT = "{time:YYYY-MM-DDTHH:mm:ss.SSSZ} {level: <7} {message}"
SILENT_SECONDS = 60.0
_NOT_IN_FILE = "log"
"""The field of lines about the log file, which are on stderr only."""
LogFilter = Callable[[Any], bool]
"""True for the records that are shown."""
_QUIET_LOGGERS = ("sqlalchemy", "urllib3", "uvicorn", "stl")
"""Not watchdog: only its log says that events were lost, and the folder watcher reads that."""


def _open_private(file: str, flags: int) -> int:
    return os.open(file, flags, 0o600)


def _set_zone(record: Any, zone: tzinfo | None) -> None:
    """Move a record's time into a zone; loguru formats only those with a fixed offset."""
    local = record["time"].astimezone(zone)
    record["time"] = local.astimezone(timezone(local.utcoffset() or timedelta(0), local.tzname()))


def is_colored() -> bool:
    """True if stderr is a terminal and nobody has asked for plain text (NO_COLOR)."""
    return sys.stderr is not None and sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def _write_stderr(line: str) -> None:
    """Write to what is stderr now: progress bars put themselves in its place, and stay below the lines."""
    if sys.stderr is not None:
        sys.stderr.write(line)
        sys.stderr.flush()


LOG_ADVICE = "Make room there, or give stlflow the right to write; the work goes on without these lines."


class LogFile:
    """The log file, kept 30 days: where it can't be written, one line a minute says so, and no traceback."""

    def __init__(self, place: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._place, self._clock, self._silent_until = place, clock, -math.inf
        self._lines = deepcopy(logger)  # a logger with handlers of its own: it raises what the file refuses
        self._lines.remove()
        self._lines.configure(patcher=lambda _record: None)
        self._write_line = self._lines.opt(raw=True).info
        self._lines.add(
            place,
            level=0,
            format="{message}",
            rotation="10 MB",
            retention="30 days",
            encoding="utf-8",
            watch=True,  # removed, or moved away by logrotate: it is made again
            opener=_open_private,
            catch=False,
        )

    def write(self, line: str) -> None:
        """Write a line; if the disk refuses, say so on stderr."""
        try:
            self._write_line(str(line))
        except OSError as error:
            if self._clock() >= self._silent_until:
                self._silent_until = self._clock() + SILENT_SECONDS
                about = logger.bind(**{_NOT_IN_FILE: str(self._place)})
                why = error.strerror or str(error)
                about.warning("The log can't be written: {}: {}. {}", self._place, why, LOG_ADVICE)

    def stop(self) -> None:
        """Close the file."""
        with suppress(OSError):  # the disk is still full
            self._lines.remove()


def names_no_submission(record: Any) -> bool:
    """True for lines that are about no single submission: a table has the others."""
    return "submission" not in record["extra"]


def set_up_logs(
    level: str,
    *,
    as_json: bool,
    folder: Path | None,
    zone: tzinfo | None = None,
    filter_by: LogFilter | None = None,
) -> None:
    """Send log lines to stderr and, where a folder is given, to a file kept 30 days.

    Times are those of `zone`, by default this machine's. On stderr only what `filter_by` lets through.
    """
    logger.remove()
    logger.configure(patcher=lambda record: _set_zone(record, zone))
    logger.add(
        _write_stderr,
        level=level,
        format=CONSOLE_FORMAT,
        serialize=as_json,
        diagnose=False,
        backtrace=False,
        colorize=not as_json and is_colored(),
        filter=filter_by,
    )
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        logger.add(
            LogFile(folder / "stlflow.log"),
            level=level,
            format=FILE_FORMAT,
            serialize=as_json,
            diagnose=False,
            backtrace=False,
            filter=lambda record: _NOT_IN_FILE not in record["extra"],
        )
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
