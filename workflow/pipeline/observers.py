"""What goes on behind the pipeline and never in it: notes in the inbox, pictures, the status page."""

import threading
from collections.abc import Callable
from typing import Protocol

from workflow.intake import Inbox
from workflow.pipeline.context import Context
from workflow.pipeline.heartbeat import Heartbeat
from workflow.pipeline.pictures import wanted_pictures
from workflow.pipeline.progress_notes import ProgressNotes
from workflow.pipeline.status_page import StatusPageWriter


class StageObserver(Protocol):
    """A thread that is told which submissions have moved on, and does its work later."""

    def add(self, number: int) -> None:
        """Take note that a submission has changed. Returns at once."""

    def wake(self) -> None:
        """Let the thread see that the service stops."""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""


def wanted_observers(
    context: Context, progress: ProgressNotes | None, heartbeat: Heartbeat, inbox: Callable[[], Inbox | None]
) -> tuple[StageObserver, ...]:
    """Return those that the settings ask for."""
    pictures, page = wanted_pictures(context), None
    if context.status_page is not None:
        page = StatusPageWriter(context, context.status_page, heartbeat, inbox)
        if pictures is not None:
            pictures.on_thumbnail, page.draw = page.add, pictures.add
    return tuple(each for each in (progress, pictures, page) if each is not None)


def wanted_progress_notes(context: Context, heartbeat: Heartbeat) -> ProgressNotes | None:
    """Return what writes notes about files that are worked on; None where the settings want none."""
    wanted = context.progress_notes and not context.shadow
    return ProgressNotes(context, lambda: heartbeat.is_first) if wanted else None
