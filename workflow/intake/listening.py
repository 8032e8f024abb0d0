"""Keeping the system's hints alive where there are any, and saying so once where there are none."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from loguru import logger

from workflow.intake.hints import ECHO, Heard, Hints
from workflow.intake.writers import LOCAL_FILE_SYSTEMS

_RETRY_SECONDS = 60.0
_ECHO_SECONDS = 2.0
"""An event takes less than a millisecond; a system that is silent for so long tells nothing."""


class Listening:
    """The hints about one inbox: started, proven with an echo, started again when they end."""

    def __init__(
        self, inbox: Path, wake: Callable[[], None], clock: Callable[[], float], *, may_write: bool = True
    ) -> None:
        self._inbox, self._wake, self._clock, self._may_write = inbox, wake, clock, may_write
        self._hints: Hints | None = None
        self._retry_at = clock()
        self._echo_due: float | None = None

    def heard(self) -> Heard | None:
        """Give what was heard since the last call; None while nobody listens."""
        return self._hints.heard() if self._hints else None

    def keep(self, kind: str | None, sweep_seconds: float) -> None:
        """Make sure that hints come, if the file system of this kind gives any."""
        if self._hints and self._hints.is_listening():
            self._check_echo(sweep_seconds)
        elif self._clock() >= self._retry_at:
            self._start(kind, sweep_seconds)

    def stop(self) -> None:
        """Stop to listen; the next `keep` begins anew."""
        self._silence(self._clock())

    def _start(self, kind: str | None, sweep_seconds: float) -> None:
        self.stop()
        if kind is not None and kind not in LOCAL_FILE_SYSTEMS:
            self._give_up(f"{kind}: what others change there is not told", sweep_seconds, for_good=True)
            return
        hints = Hints(self._inbox, self._wake)
        try:
            hints.start()
        except OSError as error:
            self._give_up(error.strerror or str(error), sweep_seconds)
            return
        self._hints = hints
        self._ask_for_echo()

    def _ask_for_echo(self) -> None:
        """Make and remove a hidden file: some containers and mounts take a watch and stay silent."""
        self._echo_due = None
        if self._may_write:
            probe = self._inbox / f"{ECHO}{secrets.token_hex(4)}"
            with suppress(OSError):
                probe.touch(exist_ok=False)
                probe.unlink()
                self._echo_due = self._clock() + _ECHO_SECONDS

    def _check_echo(self, sweep_seconds: float) -> None:
        if self._echo_due is None or self._hints is None or self._hints.has_echoed():
            return
        if self._clock() >= self._echo_due:
            self._give_up("a file made as a test was not told", sweep_seconds, for_good=True)

    def _give_up(self, why: str, sweep_seconds: float, *, for_good: bool = False) -> None:
        self._silence(float("inf") if for_good else self._clock() + _RETRY_SECONDS)
        logger.info(
            "No notices of changes from the system ({}): the inbox is looked through every {:g} s.",
            why, sweep_seconds,
        )  # fmt: skip

    def _silence(self, retry_at: float) -> None:
        if self._hints is not None:
            self._hints.stop()
            self._hints = None
        self._retry_at = retry_at
