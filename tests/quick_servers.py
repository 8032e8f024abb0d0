"""Servers of tests end soon: uvicorn checks ten times a second whether it has to, and then waits once more.

Hundreds of tests start a simulator or a console, and each took a fifth of a second to end.
"""

import asyncio
from typing import Any

from uvicorn import server

TIMES = 10


class QuickClock:
    """What uvicorn's server uses of asyncio, with shorter waits."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(seconds: float) -> None:
        """Wait a tenth of the time."""
        await asyncio.sleep(seconds / TIMES)


def quicken_servers() -> None:
    """Let the servers of this process check for their end more often."""
    assert vars(server)["asyncio"] is asyncio
    vars(server)["asyncio"] = QuickClock()
