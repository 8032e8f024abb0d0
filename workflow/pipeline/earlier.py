"""Whether an upload whose reply never came did arrive: its build is looked for before another upload.

The name of an upload is unique (number and content of the submission), so a part version of that name
that came about since is the very upload. A second part in Eiger prints nothing; but one is enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from workflow.eiger import BuildFilter, EigerClient
from workflow.errors import NotFound
from workflow.model import Event

CLOCK_SLACK = timedelta(minutes=5)
LOOKED_INTO = 5


@dataclass(frozen=True, slots=True)
class Earlier:
    """An upload that arrived, found by the build that holds it."""

    part_version_id: str
    build_title: str
    seen_at: datetime | None


def tried_since(history: Sequence[Event]) -> datetime | None:
    """Give when an upload with the present preset was first begun; None if none was, or it is answered."""
    decided, tried = "", dict[str, datetime]()
    for event in history:
        if event.event == "decided":
            decided = event.detail
        elif event.event == "uploading":
            tried.setdefault(decided, event.at)
        elif event.event == "uploaded":
            tried.clear()
    return tried.get(decided)


def find_earlier(client: EigerClient, name: str, since: datetime) -> Earlier | None:
    """Look for a sliced build of the part that an upload of this name made. Raises CloudError."""
    titles = (name.removesuffix(".stl"), name)
    for title in titles:
        wanted = BuildFilter(title=title, created_from=since - CLOCK_SLACK)
        for listed in islice(client.list_builds(wanted, order="desc", page_size=LOOKED_INTO), LOOKED_INTO):
            try:
                build = client.read_build(listed.id)
            except NotFound:  # deleted between the list and the look
                continue
            for version in build.part_versions:
                if build.sliced and version.title in titles:
                    return Earlier(version.id, build.title, build.created_at)
    return None
