"""Devices as they will be: what was given to one a moment ago, by whomever, does not show in Eiger yet.

It counts all the same: else a burst of files would all go to the same printer.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from workflow.ledger import Given
from workflow.model import Destination, DeviceFacts

SOON = timedelta(seconds=10)
"""After so long a send has taken effect, and the list of devices was asked for anew."""
ABOUT_TO_PRINT = "Printing"


def as_they_will_be(devices: Sequence[DeviceFacts], lately: Sequence[Given]) -> tuple[DeviceFacts, ...]:
    """Give the devices as they will be once what was given to them lately has arrived."""
    return tuple(
        _with_given(device, [each for each in lately if each.device_id == device.id]) for device in devices
    )


def _with_given(device: DeviceFacts, lately: Sequence[Given]) -> DeviceFacts:
    if not lately:
        return device
    told_to_print = any(given.destination is Destination.PRINT_NOW for given in lately)
    return replace(
        device,
        queue_seconds=(device.queue_seconds or 0.0) + sum(given.seconds * given.copies for given in lately),
        queue_length=(device.queue_length or 0) + sum(given.copies for given in lately),
        state=ABOUT_TO_PRINT if told_to_print else device.state,
    )
