"""Giving builds to devices, one at a time.

What was given to a device a moment ago does not show in Eiger's list yet, and counts all the same:
else a burst of files would all go to the same printer.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from workflow.model import DeviceFacts

SOON_SECONDS = 10.0
"""After so long a send has taken effect, and the list of devices was asked for anew."""
ABOUT_TO_PRINT = "Printing"


@dataclass(frozen=True, slots=True)
class _Given:
    at: float
    device_id: str
    seconds: float
    copies: int
    starts_now: bool


@dataclass(slots=True)
class Allotment:
    """Take `turn` while a device is chosen, and `approving` while approvals are changed."""

    clock: Callable[[], float] = time.monotonic
    turn: threading.Lock = field(default_factory=threading.Lock)
    approving: threading.Lock = field(default_factory=threading.Lock)
    _given: list[_Given] = field(default_factory=list)

    def give(self, device_id: str, seconds: float, copies: int, *, starts_now: bool) -> None:
        """Note that a build of so many print seconds goes to a device."""
        self._given.append(_Given(self.clock(), device_id, seconds, copies, starts_now))

    def take_back(self, device_id: str) -> None:
        """Note that the device took nothing: what was given to it last does not count."""
        mine = [given for given in self._given if given.device_id == device_id]
        if mine:
            self._given.remove(mine[-1])

    def as_they_will_be(self, devices: Sequence[DeviceFacts]) -> tuple[DeviceFacts, ...]:
        """Give the devices as they will be once what was given a moment ago has arrived."""
        lately = self.clock() - SOON_SECONDS
        self._given = [given for given in self._given if given.at >= lately]
        return tuple(map(self._with_given, devices))

    def _with_given(self, device: DeviceFacts) -> DeviceFacts:
        for given in self._given:
            if given.device_id == device.id:
                device = replace(
                    device,
                    queue_seconds=(device.queue_seconds or 0.0) + given.seconds * given.copies,
                    queue_length=(device.queue_length or 0) + given.copies,
                    state=ABOUT_TO_PRINT if given.starts_now else device.state,
                )
        return device
