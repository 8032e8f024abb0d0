"""A first word with the service: does it answer, are the keys good, and what does its clock say."""

from dataclasses import dataclass
from datetime import datetime

from workflow.eiger.models import Preset, Presets
from workflow.eiger.operations import GET_ORG_SETTINGS_PRESETS
from workflow.eiger.protocol import read
from workflow.eiger.reply import Reply
from workflow.eiger.transport import Request

GREETING = Request(GET_ORG_SETTINGS_PRESETS, GET_ORG_SETTINGS_PRESETS.place())
"""One small question that needs good keys."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What came, when by this machine's clock, and the server's own time: whole seconds, None if unsaid."""

    presets: tuple[Preset, ...]
    came_at: datetime
    server_time: datetime | None

    @property
    def ahead_seconds(self) -> float | None:
        """How far the server's clock is ahead of this machine's."""
        return None if self.server_time is None else (self.server_time - self.came_at).total_seconds()


def greeted(reply: Reply, now: datetime) -> Greeting:
    """Understand the answer. Raises CloudError."""
    return Greeting(read(GET_ORG_SETTINGS_PRESETS, reply, Presets, now).root, now, reply.date)
