"""Templates into pages: the environment of Jinja2, its filters, and compressed responses."""

import gzip
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from workflow.frozen import frozen
from workflow.notes import duration_text

TEMPLATES = Path(__file__).parent / "templates"
WORTH_COMPRESSING = 1000


@frozen
class NavigationEntry:
    """One entry of the navigation."""

    path: str
    title: str
    shortcut: str


@cache
def environment() -> Environment:
    """Return the templates; every value is escaped, and a missing one is an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "duration": duration_text,
        "size": size_text,
        "count": "{:,}".format,
        "pathquote": lambda text: quote(str(text), safe="/"),
        "query": lambda values: urlencode(values, doseq=True),
        "state": state_text,
        "icon": state_icon,
        "when": time_text,
        "ago": ago_text,
        "sentence": sentence_text,
    }
    return made


def render(request: Request, template: str, values: Mapping[str, object], status: int = 200) -> Response:
    """Return a page made of a template; it gets `page` (see base.html) and these values."""
    shown = environment().get_template(template).render(**request.state.page, **values)
    return respond(request, shown.encode("utf-8", "replace"), "text/html; charset=utf-8", status)


def respond(
    request: Request, body: bytes, kind: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response, compressed where the browser takes that and it is worth it."""
    sent = {"Cache-Control": "no-store", "Vary": "Accept-Encoding", **(headers or {})}
    if len(body) > WORTH_COMPRESSING and "gzip" in request.headers.get("accept-encoding", ""):
        body, sent["Content-Encoding"] = gzip.compress(body, 5), "gzip"
    return Response(body, status, sent, kind)


STATE_WORDS = {
    "claimed": "Checking",
    "inspected": "Checking",
    "uploaded": "Slicing",
    "slicing": "Slicing",
    "sliced": "Choosing",
    "routed": "Sending",
    "dispatched": "Sent",
    "printing": "Printing",
    "printed": "Printed",
    "held": "Held",
    "rejected": "Rejected",
    "canceled": "Canceled",
    "failed": "Failed",
    "lost_track": "Lost track",
}


def state_text(state: object) -> str:
    """Return the word that people read for a state."""
    return STATE_WORDS.get(str(state), str(state).replace("_", " ").capitalize())


STATE_ICONS = {
    "claimed": "check",
    "inspected": "check",
    "uploaded": "slice",
    "slicing": "slice",
    "sliced": "route",
    "routed": "send",
    "dispatched": "sent",
    "lost_track": "lost",
}
"""Where the icon has another name than the state."""


def state_icon(state: object) -> str:
    """Return the name of a state's icon in icons.svg."""
    return STATE_ICONS.get(str(state), str(state))


def ago_text(moment: datetime) -> str:
    """Return how long ago a moment was: `5 min`, `3 h`, `2 d`."""
    seconds = max((datetime.now(UTC) - moment).total_seconds(), 0)
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return "just now"


def sentence_text(text: str) -> str:
    """Return a reason that goes on after a name as a sentence of its own."""
    return f"{text[0].upper()}{text[1:]}" if text.startswith(("it ", "everything ", "the ")) else text


def size_text(count: int | None) -> str:
    """Return a size in bytes as people read it: `1.2 MB`."""
    if count is None:
        return ""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"


def time_text(moment: datetime, zone: tzinfo | None) -> str:
    """Return a time in the shop's zone: `27 Nov 16:40`, with the year if it is another one."""
    there = moment.astimezone(zone)
    year = "" if there.year == datetime.now(zone).year else f" {there.year}"
    return f"{there:%d %b}{year} {there:%H:%M}".lstrip("0")
