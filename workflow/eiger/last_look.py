"""A last look before an effect: the connection stands, the head of the request is out, its body is not.

Connecting takes its time, and a machine may stand still meanwhile for as long as it likes. Whoever has to be
the only one to cause an effect asks here whether that still holds: a request whose body never comes does
nothing.
"""

import json
from collections.abc import Callable, Iterator

from workflow.eiger.upload import BodyFailed

LastLook = Callable[[], None]
"""What it raises keeps the request from being sent, and is raised to the caller."""


class LookedAtBody:
    """A JSON body that is given out only after the last look; its length is told before."""

    def __init__(self, content: object, last_look: LastLook) -> None:
        self._content, self._last_look = json.dumps(content).encode(), last_look

    def __len__(self) -> int:
        """Give the length in bytes, for the head of the request."""
        return len(self._content)

    def __iter__(self) -> Iterator[bytes]:
        """Look, and give the whole body at once. Raises BodyFailed."""
        try:
            self._last_look()
        except Exception as reason:  # noqa: BLE001  # raised again, unwrapped, by the transport
            raise BodyFailed(reason) from None
        yield self._content
