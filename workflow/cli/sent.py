"""How far the uploads are."""

import threading


class Sent:
    """What the uploading threads report, by submission: bytes sent and bytes in all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: dict[int, tuple[int, int]] = {}

    def report(self, number: int, sent: int, total: int) -> None:
        """Take a report; called by many threads."""
        with self._lock:
            self._sent[number] = (sent, total)

    def under_way(self) -> dict[int, tuple[int, int]]:
        """Give the uploads that have begun and not ended."""
        with self._lock:
            return {number: (sent, total) for number, (sent, total) in self._sent.items() if sent < total}
