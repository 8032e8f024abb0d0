"""A recording of a terminal, as asciinema's file (version 2) and as an SVG that plays by itself."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count

from rich.console import Console
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

LONGEST_PAUSE_SECONDS, LAST_SCREEN_SECONDS = 1.0, 8.0
CELL, LINE, MARGIN, BAR = 8.0, 18, 12, 32
_MOVES = re.compile(r"(\r|\n|\x1b\[1A|\x1b\[2K|\x1b\[\?25[lh])")
_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<title>{title}</title>
<style>
text {{ font: 13px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace }}
text {{ fill: #c5c8c6; white-space: pre }}
@media (prefers-reduced-motion: reduce) {{ text {{ animation: none !important }} }}
{rules}
</style>
<rect width="{width}" height="{height}" rx="8" fill="#292929"/>
<text x="{middle}" y="21" text-anchor="middle">{title}</text>
"""


@dataclass(frozen=True)
class Output:
    """What a program wrote, and when."""

    seconds: float
    text: str


@dataclass(frozen=True)
class Shown:
    """One line of the screen from one moment to another."""

    row: int
    line: str
    start: float
    end: float


def shorten_pauses(outputs: Iterable[Output]) -> list[Output]:
    """Return a recording in which no pause is longer than a second; the first output is at 0."""
    kept = list[Output]()
    now = before = 0.0
    for each in outputs:
        now += min(each.seconds - before, LONGEST_PAUSE_SECONDS) if kept else 0.0
        before = each.seconds
        kept.append(Output(round(now, 3), each.text))
    return kept


def to_cast(outputs: Iterable[Output], columns: int, rows: int, title: str) -> str:
    """Return asciinema's file."""
    head = {"version": 2, "width": columns, "height": rows, "title": title}
    events = ([each.seconds, "o", each.text] for each in outputs)
    return "".join(json.dumps(each) + "\n" for each in (head, *events))


def from_cast(text: str) -> list[Output]:
    """Return the recording in asciinema's file."""
    return [Output(seconds, said) for seconds, _kind, said in map(json.loads, text.splitlines()[1:])]


def screens(outputs: Iterable[Output]) -> Iterator[tuple[float, tuple[str, ...]]]:
    """Yield the lines of the screen, colors included, after each output."""
    lines, row, fresh = [""], 0, True
    for each in outputs:
        for part in filter(None, _MOVES.split(each.text)):
            if part in {"\r", "\n"}:
                row += part == "\n"
                lines.extend([""] * (row + 1 - len(lines)))
                fresh = True
            elif part == "\x1b[1A":
                row -= 1
            elif part == "\x1b[2K":
                lines[row] = ""
            elif not _MOVES.fullmatch(part):
                lines[row] = part if fresh else lines[row] + part
                fresh = False
        yield each.seconds, tuple(lines)


def spans(outputs: Sequence[Output]) -> list[Shown]:
    """Return each line with the time for which it is shown."""
    seen = list(screens(outputs))
    ends = seen[-1][0] + LAST_SCREEN_SECONDS
    found = list[Shown]()
    since: dict[int, tuple[str, float]] = {}
    for at, lines in [*seen, (ends, ())]:
        for row in {*range(len(lines)), *since}:
            line = lines[row] if row < len(lines) else ""
            before, start = since.get(row, ("", at))
            if line != before or at == ends:
                if before and at > start:
                    found.append(Shown(row, before, start, at))
                since[row] = (line, at)
    return found


def to_svg(outputs: Sequence[Output], columns: int, title: str) -> str:
    """Return a picture that plays the recording again and again; without animation, its last screen."""
    shown = spans(outputs)
    ends = max(each.end for each in shown)
    names = dict(
        zip(sorted({(each.start, each.end) for each in shown}), map("t{}".format, count()), strict=False)
    )
    rules = [_rule(name, start / ends, end / ends, ends) for (start, end), name in names.items()]
    rows = max(each.row for each in shown) + 1
    width, height = round(columns * CELL + 2 * MARGIN), BAR + rows * LINE + MARGIN
    body = [_draw(each, names[each.start, each.end], last=each.end == ends) for each in shown]
    head = _HEAD.format(
        width=width, height=height, middle=width // 2, title=escape(title), rules="\n".join(rules)
    )
    return f"{head}{chr(10).join(body)}\n</svg>\n"


def _rule(name: str, start: float, end: float, seconds: float) -> str:
    steps = [f"{start:.2%} {{ visibility: visible }}"]
    if start > 0:
        steps.insert(0, "0% { visibility: hidden }")
    if end < 1:
        steps.append(f"{end:.2%} {{ visibility: hidden }}")
    frames = f"@keyframes {name} {{ {' '.join(steps)} }}"
    return f"{frames} .{name} {{ animation: {name} {seconds:.1f}s step-end infinite }}"


def _draw(shown: Shown, name: str, *, last: bool) -> str:
    text = Text.from_ansi(shown.line)
    segments = text.render(Console(color_system="truecolor"))
    pieces = "".join(_piece(segment.text, segment.style or Style.null()) for segment in segments)
    place = {
        "class": name,
        "x": MARGIN,
        "y": BAR + shown.row * LINE + 13,
        "textLength": round(text.cell_len * CELL),
        **({} if last else {"visibility": "hidden"}),
    }
    return f"<text{_attributes(place)}>{pieces}</text>"


def _piece(text: str, style: Style) -> str:
    color = style.color.get_truecolor(SVG_EXPORT_THEME).hex if style.color else None
    look = {
        "fill": color,
        "font-weight": "bold" if style.bold else None,
        "opacity": 0.65 if style.dim else None,
    }
    attributes = _attributes(look)
    return f"<tspan{attributes}>{escape(text)}</tspan>" if attributes else escape(text)


def _attributes(values: Mapping[str, object]) -> str:
    return "".join(f' {name}="{value}"' for name, value in values.items() if value is not None)
