"""Tables that fit the window: what matters least is left out, long texts are shortened, nothing is folded."""

import textwrap
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from workflow.frozen import frozen

GAP = 2
_NOTE_INDENT, _NOTE_LINES = 4, 2
_TAIL = 9
"""Characters kept at the end of a shortened file name: the revision and `.stl`."""


@frozen
class Column:
    """A column: the one of the highest `rank` is left out first, those of rank 0 and 1 never.

    A long text is shortened to `usual` characters where others need the room, and to `least` before nothing
    else helps; 0 for never. A file name `keeps_end`.
    """

    title: str
    rank: int = 0
    usual: int = 0
    least: int = 0
    right: bool = False
    keeps_end: bool = False


@frozen
class Row:
    """The cells of a row; `style` colors the cell at `styled`, and `note` is a line below the row."""

    cells: Sequence[str]
    style: str = ""
    styled: int = 0
    note: str = ""


def shorten(text: str, width: int, *, keeps_end: bool = False) -> str:
    """Return a text that takes at most `width` cells: a name loses its middle, other texts whole words."""
    if cell_len(text) <= width:
        return text
    tail = ""
    if keeps_end:
        while tail != text and cell_len(text[-len(tail) - 1 :]) <= min(_TAIL, (width - 1) // 2):
            tail = text[-len(tail) - 1 :]
    head = set_cell_size(text, max(width - 1 - cell_len(tail), 0)).rstrip()
    words = head.rpartition(" ")[0].rstrip(" ,.;:")
    if not keeps_end and len(words) >= len(head) // 2:
        head = words
    return f"{head}…{tail}"


def fit_columns(columns: Sequence[Column], rows: Sequence[Row], width: int) -> dict[int, int]:
    """Return the width of each column that is shown, by its place. Empty columns are left out."""
    full = {
        place: max(map(cell_len, (column.title, *(row.cells[place] for row in rows))))
        for place, column in enumerate(columns)
        if column.rank < 2 or any(row.cells[place] for row in rows)
    }
    widths = {place: min(most, columns[place].usual or most) for place, most in full.items()}
    for place in sorted(full, key=lambda place: -columns[place].rank):
        if columns[place].rank > 1 and _total(widths) > width:
            del widths[place]
    for place in sorted(widths, key=lambda place: -columns[place].rank):
        least = min(columns[place].least or widths[place], widths[place])
        widths[place] -= min(widths[place] - least, max(_total(widths) - width, 0))
    for place in sorted(widths, key=lambda place: (columns[place].keeps_end, columns[place].rank)):
        widths[place] += min(full[place] - widths[place], max(width - _total(widths), 0))
    return widths


def _total(widths: dict[int, int]) -> int:
    return sum(widths.values()) + GAP * max(len(widths) - 1, 0)


def table_lines(columns: Sequence[Column], rows: Sequence[Row], width: int) -> list[Text]:
    """Return the lines of a table: headings, and for each row one line and those of its note."""
    widths = fit_columns(columns, rows, width)
    lines = [_line(columns, Row([column.title for column in columns]), widths, "bold")]
    for row in rows:
        lines.append(_line(columns, row, widths))
        lines += note_lines(row.note, width)
    return lines


def note_lines(note: str, width: int) -> list[Text]:
    """Return a note as one or two indented lines of whole words."""
    room = max(width - _NOTE_INDENT, 20)
    wrapped = textwrap.wrap(note, room, break_long_words=False)
    if len(wrapped) > _NOTE_LINES:
        wrapped = [*wrapped[: _NOTE_LINES - 1], " ".join(wrapped[_NOTE_LINES - 1 :])]
    return [Text(f"{'':<{_NOTE_INDENT}}{shorten(line, room)}", style="dim") for line in wrapped]


def _line(columns: Sequence[Column], row: Row, widths: dict[int, int], style: str = "") -> Text:
    line, last = Text(style=style, no_wrap=True), max(widths)
    for place, width in widths.items():
        text = shorten(row.cells[place], width, keeps_end=columns[place].keeps_end)
        space, is_right = " " * (width - cell_len(text)), columns[place].right
        line.append(space if is_right else "")
        line.append(text, style=row.style if place == row.styled else "")
        line.append("" if place == last else f"{'' if is_right else space}{'':<{GAP}}")
    line.rstrip()
    return line
