"""Whether an upload whose reply never came did arrive: its build is looked for before another upload.

The name of an upload is unique (number and content of the submission), so a part version of that name
is the very upload, unless one with another preset was answered, or may have arrived. Where that can't be
told, another is made: a second part in Eiger prints nothing, but a wrong one prints wrongly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from workflow.eiger import BuildFilter, EigerClient
from workflow.errors import NotFound
from workflow.model import Event
from workflow.pipeline.time_bounds import not_before

LOOKED_INTO = 5


@dataclass(frozen=True, slots=True)
class Earlier:
    """An upload that arrived, found by the build that holds it."""

    part_version_id: str
    build_title: str
    seen_at: datetime | None


def tried_since(history: Sequence[Event]) -> datetime | None:
    """Return when an upload with the present preset was first begun.

    None if none was, if it is answered, or if one with another preset may have arrived as well.
    """
    decided, tried = "", dict[str, datetime]()
    for event in history:
        if event.event == "decided":
            decided = event.detail
        elif event.event == "uploading":
            tried.setdefault(decided, event.at)
        elif event.event == "uploaded":
            tried.clear()
    return tried.get(decided) if len(tried) == 1 else None


def find_earlier(
    client: EigerClient, name: str, since: datetime, history: Sequence[Event] = ()
) -> Earlier | None:
    """Return the part, in a sliced build, that an upload of this name made since, by this machine's clock.

    What `history` says of answered uploads is not it. Raises CloudError.
    """
    answered = " ".join(event.detail for event in history if event.event == "uploaded")
    titles = (name.removesuffix(".stl"), name)
    for title in titles:
        wanted = BuildFilter(title=title, created_from=not_before(since))
        for listed in islice(client.list_builds(wanted, order="desc", page_size=LOOKED_INTO), LOOKED_INTO):
            try:
                build = client.read_build(listed.id)
            except NotFound:  # deleted between the list and the look
                continue
            for version in build.part_versions:
                if build.sliced and version.title in titles and version.id not in answered:
                    return Earlier(version.id, build.title, build.created_at)
    return None
