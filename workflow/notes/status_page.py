"""The status page in the share as HTML: one file that asks for nothing else, and says when it is old."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path

from workflow.errors import format_count
from workflow.model import SENT_STATES, HoldReason, PrinterSnapshot, Submission, SubmissionState
from workflow.notes.answer_text import duration_text, materials_text, print_time_text, ready_text
from workflow.notes.next_step import BY_COMMAND, DecisionWays, next_step_text
from workflow.notes.prints import print_status_text
from workflow.notes.progress import PROGRESS_STATES
from workflow.notes.status_view import StatusPage, StatusRow, is_undecided
from workflow.notes.text import file_name, naming_eiger, without_addresses

STATUS_PAGE_MARK = "<!-- stlflow status page -->"
"""By it a page of stlflow is told from a person's own file."""
OLD_MINUTES = 3
_LONGEST_REASON = 200
_OVER = SENT_STATES - {SubmissionState.DISPATCHED, SubmissionState.PRINTING}
_COMMAND = re.compile(r"`([^`]*)`")
_STATE_TEXT: Mapping[SubmissionState, tuple[str, str]] = {
    SubmissionState.CLAIMED: ("being checked", ""),
    SubmissionState.INSPECTED: ("being uploaded", ""),
    SubmissionState.UPLOADED: ("being sliced", ""),
    SubmissionState.SLICING: ("being sliced", ""),
    SubmissionState.SLICED: ("sliced", ""),
    SubmissionState.ROUTED: ("being sent", ""),
    SubmissionState.DISPATCHED: ("sent", "good"),
    SubmissionState.PRINTING: ("printing", "good"),
    SubmissionState.PRINTED: ("printed", "good"),
    SubmissionState.FAILED: ("not printed", "bad"),
    SubmissionState.LOST_TRACK: ("lost track", "wait"),
    SubmissionState.HELD: ("waits for a person", "wait"),
    SubmissionState.REJECTED: ("rejected", "bad"),
    SubmissionState.CANCELED: ("canceled", ""),
}


def status_page_html(page: StatusPage, zone: tzinfo | None, ways: DecisionWays = BY_COMMAND) -> str:
    """Return the page, with times of `zone`, or of this machine's zone."""
    script, style = _source("status_page.js"), _source("status_page.css")
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '{_digest(script)}'"
    milliseconds = round(page.written_at.timestamp() * 1000)
    banner = "" if page.stopped else f'<p id="old" class="banner" hidden data-written="{milliseconds}"></p>'
    return "\n".join((
        f"<!doctype html>\n{STATUS_PAGE_MARK}",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="refresh" content="60"><title>stlflow: status</title>',
        f"<style>\n{style}</style></head>\n<body><main>",
        *_head(page, zone), banner, *_facts(page, zone), *_undecided(page, zone, ways),
        *_printers(page, zone), *_recent(page, zone),
        f"</main>{'' if page.stopped else f'<script>{script}</script>'}</body></html>\n",
    ))  # fmt: skip


def _head(page: StatusPage, zone: tzinfo | None) -> Iterator[str]:
    moment = f"{page.written_at.astimezone(zone):%a %d %b %Y, %H:%M:%S %Z}"
    if page.stopped:
        yield "<h1>stlflow is stopped</h1>"
        yield f'<p class="banner">Stopped {moment}. Nothing is taken or sent until it is started again.</p>'
        return
    yield "<h1>stlflow is running</h1>"
    yield (
        f'<p class="soft">Written {moment}. It is written again at least every minute: '
        f"if that is more than {OLD_MINUTES} minutes ago, the service may have stopped.</p>"
    )


def _facts(page: StatusPage, zone: tzinfo | None) -> Iterator[str]:
    counts = page.counts
    ended = {each: counts.get(each, 0) for each in (SubmissionState.REJECTED, SubmissionState.CANCELED)}
    sent_count, held = sum(counts.get(each, 0) for each in SENT_STATES), counts.get(SubmissionState.HELD, 0)
    working = sum(counts.values()) - sent_count - held - sum(ended.values())
    scanned = f"scanned {_time(page.scanned_at, page, zone)}" if page.scanned_at else "not scanned yet"
    waiting = (
        f", {format_count(page.waiting_in_inbox, 'file')} not taken yet" if page.waiting_in_inbox else ""
    )
    replied = f"replied {_time(page.replied_at, page, zone)}" if page.replied_at else "not asked yet"
    running = () if page.stopped else page.hosts
    hosts = ", ".join(sorted(set(running)))
    rows = (
        ("Inbox", "" if page.scanned_at else "wait", scanned + waiting),
        ("Eiger", "bad" if page.trouble else "", page.trouble or replied),
        ("Workers", "" if running else "bad", f"{len(running)} running: {hosts}" if running else "none"),
        ("Files", "", ", ".join(filter(None, (
            f"{working:,} in progress", f"{held:,} held" if held else "", f"{sent_count:,} sent",
            *(f"{count:,} {state}" for state, count in ended.items() if count),
        )))),
    )  # fmt: skip
    yield '<dl class="facts">'
    for title, kind, text in rows:
        yield f'<div><dt>{title}</dt><dd class="{kind}">{escape(without_addresses(text))}</dd></div>'
    yield "</dl>"


def _undecided(page: StatusPage, zone: tzinfo | None, ways: DecisionWays) -> Iterator[str]:
    yield "<h2>Needs a person</h2>"
    if not page.undecided and not page.warnings:
        yield '<p class="soft">Nothing.</p>'
        return
    yield '<ul class="decide">'
    for warning in page.warnings:
        yield f"<li><div>{_with_code(ways.with_command(without_addresses(warning)))}</div></li>"
    for row in page.undecided:
        yield _undecided_item(row, page, zone, ways)
    yield "</ul>"
    if page.undecided_count > len(page.undecided):
        yield f'<p class="soft">{page.undecided_count - len(page.undecided):,} more are in held/.</p>'


def _undecided_item(row: StatusRow, page: StatusPage, zone: tzinfo | None, ways: DecisionWays) -> str:
    submission = row.submission
    place = submission.claimed_as if not submission.left_in_place else submission.path
    step, _, command = ways.with_command(next_step_text(submission, ways)).partition("\n  By command: ")
    commands = " or ".join(f"<code>{escape(each)}</code>" for each in _COMMAND.findall(command))
    by_command = f'<p class="soft">By command: {commands}</p>' if commands else ""
    since = _time(submission.ended_at or submission.opened_at, page, zone)
    where = f"<span class=soft>{_text(place or '')}, {since}</span>"
    reason = f"<p>{_text(without_addresses(submission.reason or ''))}</p>"
    return (
        f"<li>{_image(row)}<div><p>{_name(submission)} {where}</p>"
        f"{reason}<p><b>{_with_code(step)}</b></p>{by_command}</div></li>"
    )


def _printers(page: StatusPage, zone: tzinfo | None) -> Iterator[str]:
    if not page.printers:
        return
    headings = ("Printer", "State", "Printing now", "Queue", "Material", "As of")
    yield "<h2>Printers</h2>"
    yield f"<table>{_heading_row(headings)}<tbody>"
    for printer in page.printers:
        cells = (
            f"<td><b>{_text(printer.name)}</b> <span class=soft>{_text(printer.model)}</span></td>",
            f'<td class="short">{_text(printer.state or "unknown")}</td>',
            _cell("Printing now", _running_text(printer)),
            _cell("Queue", _queue_text(printer)),
            _cell("Material", ", ".join(
                each.name if each.left_cm3 is None else f"{each.name}, {each.left_cm3:,.0f} cm³ left"
                for each in printer.loaded
            )),
            _cell("As of", _time(printer.seen_at, page, zone)),
        )  # fmt: skip
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table>"


def _running_text(printer: PrinterSnapshot) -> str:
    running = printer.running
    if running is None:
        return ""
    percent = None if running.percent is None else f"{running.percent:.0f} %"
    left = None if running.seconds_left is None else f"{duration_text(running.seconds_left)} left"
    return ", ".join(filter(None, (running.name or "a print", percent, left)))


def _queue_text(printer: PrinterSnapshot) -> str:
    if printer.queue_length is None:
        return "unknown"
    if not printer.queue_length:
        return "empty"
    time = f", {duration_text(printer.queue_seconds)}" if printer.queue_seconds else ""
    return f"{format_count(printer.queue_length, 'job')}{time}"


def _recent(page: StatusPage, zone: tzinfo | None) -> Iterator[str]:
    yield "<h2>Last files</h2>"
    if not page.recent:
        yield '<p class="soft">None yet. Drop an STL file into inbox/.</p>'
        return
    headings = ("", "File", "State", "Where", "Print", "Ready", "Received")
    yield f"<table class=files>{_heading_row(headings)}<tbody>"
    for row in page.recent:
        yield _recent_row(row, page, zone)
    yield "</tbody></table>"


def _recent_row(row: StatusRow, page: StatusPage, zone: tzinfo | None) -> str:
    submission, answer = row.submission, row.answer
    text, kind = _STATE_TEXT.get(submission.state, (str(submission.state), ""))
    if submission.hold is HoldReason.DEVICE and submission.state is SubmissionState.HELD:
        text = "waits for a printer"
    if row.status is not None and submission.state in SENT_STATES:
        text = print_status_text(row.status).replace(f" on {submission.device}", "")
    where = submission.device or str(submission.destination or "").replace("_", " ")
    folder = submission.path.rpartition("/")[0]
    cells = (
        f'<td class="picture">{_image(row)}</td>',
        f'<td class="file">{_name(submission)}<br><span class=soft>#{submission.id}'
        f"{f' in {_text(folder)}' if folder else ''}</span>{_why(submission)}</td>",
        f'<td class="{kind}">{_text(text)}</td>',
        _cell("Where", where),
        _cell("Print", "" if answer is None else f"{print_time_text(answer)}, {materials_text(answer)}"),
        _cell("Ready", _ready_text(row, zone)),
        _cell("Received", _time(submission.opened_at, page, zone)),
    )
    return f'<tr class="has-picture">{"".join(cells)}</tr>'


def _ready_text(row: StatusRow, zone: tzinfo | None) -> str:
    """Return when a part is ready, and that it will be late; nothing once its print has ended."""
    submission = row.submission
    if row.answer is None or submission.state in _OVER:
        return ""
    late = f", late: due {submission.due_date}" if submission.late_on and submission.due_date else ""
    return f"{ready_text(row.answer, zone).removeprefix('ready ')}{late}"


def _why(submission: Submission) -> str:
    """Return why a file waits, or is not printed; what a person has to decide is said above."""
    if submission.reason is None or is_undecided(submission):
        return ""
    name_addresses = naming_eiger if submission.state in PROGRESS_STATES else without_addresses
    reason = name_addresses(submission.reason)
    shown = reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}…"
    return f"<br><span class=soft>{_text(shown)}</span>"


def _heading_row(headings: Sequence[str]) -> str:
    return f"<thead><tr>{''.join(f'<th>{each}</th>' for each in headings)}</tr></thead>"


def _cell(label: str, text: str) -> str:
    return f'<td data-label="{label}">{_text(text)}</td>'


def _image(row: StatusRow) -> str:
    if row.thumbnail is None:
        return ""
    return f'<img alt="" src="data:image/png;base64,{b64encode(row.thumbnail).decode("ascii")}">'


def _name(submission: Submission) -> str:
    return f"<b>{_text(file_name(submission))}</b>"


def _text(text: str) -> str:
    """Return a text for the page; letters that turn the direction of writing turn nothing around it."""
    return f"<bdi>{escape(text)}</bdi>" if text else ""


def _with_code(text: str) -> str:
    return _COMMAND.sub(r"<code>\1</code>", escape(text))


def _time(moment: datetime, page: StatusPage, zone: tzinfo | None) -> str:
    local, today = moment.astimezone(zone), page.written_at.astimezone(zone).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%a %d %b, %H:%M}"


@cache
def _source(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _digest(script: str) -> str:
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode('ascii')}"
