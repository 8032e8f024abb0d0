"""The status page: what it says, that no name does harm in it, and that it asks for nothing."""

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from workflow.model import (
    Destination,
    FollowedPrint,
    HoldReason,
    LoadedMaterial,
    PrinterSnapshot,
    PrintPhase,
    RunningPrint,
    Submission,
    SubmissionState,
)
from workflow.notes import DecisionWays, PrintStatus, StatusPage, StatusRow, status_page_html

NOW = datetime(2026, 11, 28, 22, 30, 5, tzinfo=UTC)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SHOP = DecisionWays("stlflow -C /srv/stlflow", by_moving=True)
SENT = Submission(7, "rush/bracket.stl", SubmissionState.DISPATCHED, NOW, destination=Destination.JOB_REQUEST)
HELD = Submission(
    8, "gap.stl", SubmissionState.HELD, NOW, "held/gap.stl", hold=HoldReason.MESH, reason="3 open edges."
)
PRINTER = PrinterSnapshot(
    "1", "Anvil", "Mark Two", "Desktop Series", NOW, "Printing", RunningPrint("j", "clip", None, 55.0, 4800),
    2, 15_000, loaded=(LoadedMaterial("material", "Onyx", 340.2),),
)  # fmt: skip
HOSTILE = (
    "<script>document.title='harmed'</script>.stl",
    "\"><img src=x onerror=\"document.title='harmed'\">.stl",
    "' onmouseover='document.title=1' &amp; &lt;.stl",
    "\u202eevil\u2066.stl", "🦊 \u0000\ud800.stl", "n" * 251 + ".stl", "</main></body></html>.stl",
)  # fmt: skip


EMPTY = StatusPage(NOW)


def page(shown: StatusPage = EMPTY, *rows: Submission) -> str:
    recent = [StatusRow(each) for each in rows]
    return status_page_html(replace(shown, recent=recent), UTC, SHOP)


def words(html: str) -> str:
    """Return what a person reads."""
    body = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def test_it_says_what_a_person_asks() -> None:
    shown = replace(
        EMPTY, undecided=[StatusRow(HELD, thumbnail=b"\x89PNG")], undecided_count=4, printers=[PRINTER],
        scanned_at=NOW, replied_at=NOW - timedelta(days=1), hosts=("shop", "shop", "lab"),
        counts={SubmissionState.DISPATCHED: 1200, SubmissionState.HELD: 4, SubmissionState.SLICING: 2},
        warnings=["Run `stlflow intake accept`."], waiting_in_inbox=1,
    )  # fmt: skip
    html = page(shown, SENT, HELD)
    text = words(html)
    for said in (
        "Written Sat 28 Nov 2026, 22:30:05 UTC", "scanned 22:30, 1 file not taken yet",
        "replied Fri 27 Nov, 22:30", "3 running: lab, shop", "2 in progress, 4 held, 1,200 sent",
        "Run stlflow -C /srv/stlflow intake accept .", "3 more are in held/.",
        "To print it as it is, move the file to approved/.", "stlflow -C /srv/stlflow release 8",
        "Anvil Mark Two Printing clip, 55 %, 1 h 20 min left 2 jobs, 4 h 10 min Onyx, 340 cm³ left",
        "bracket.stl #7 in rush sent job request", "gap.stl #8 waits for a person",
    ):  # fmt: skip
        assert said in text
    assert html.count('<img alt="" src="data:image/png;base64,iVBORw==">') == 1


def test_an_empty_one_and_a_stopped_one_and_trouble() -> None:
    assert "Nothing. Last files None yet. Drop an STL file into inbox/." in words(page())
    stopped = page(replace(EMPTY, stopped=True, hosts=("shop",)))
    assert "Stopped Sat 28 Nov 2026, 22:30:05 UTC. Nothing is taken or sent" in words(stopped)
    assert "Workers none" in words(stopped)
    assert "<script" not in stopped
    assert "Eiger No connection to Eiger." in words(page(replace(EMPTY, trouble="No connection to Eiger.")))


def test_a_file_that_waits_for_a_printer_needs_no_person() -> None:
    waits = replace(HELD, hold=HoldReason.DEVICE, reason="No Mark Two has Onyx. See http://x.example/?k=1")
    text = words(page(EMPTY, waits))
    assert "waits for a printer" in text
    assert "No Mark Two has Onyx. See (address left out)" in text


def test_nothing_in_it_points_anywhere() -> None:
    shown = replace(EMPTY, undecided=[StatusRow(HELD, thumbnail=b"\x89PNG")], printers=[PRINTER])
    html = page(shown, SENT)
    assert re.findall(r"""(?:src|href|action)\s*=(?!"data:image/png)""", html) == []
    assert re.findall(r"url\(|@import|fetch|XMLHttp|import\(", html) == []
    assert "default-src 'none'; img-src data:" in html


def test_a_followed_print_is_told_and_counts_as_sent() -> None:
    copy = FollowedPrint(
        7, 1, "b", "r", Destination.DEVICE_QUEUE, NOW, NOW, PrintPhase.PRINTING, "1", "Anvil", "j"
    )
    status = PrintStatus([copy], {"j": RunningPrint("j", percent=55.0, seconds_left=2100)})
    printing = replace(SENT, state=SubmissionState.PRINTING, device="Anvil")
    failed = replace(SENT, id=6, state=SubmissionState.FAILED, reason="Canceled at the printer.")
    rows = [StatusRow(printing, status=status), StatusRow(failed)]
    counts = {SubmissionState.PRINTING: 1, SubmissionState.FAILED: 1, SubmissionState.LOST_TRACK: 3}
    text = words(status_page_html(replace(EMPTY, recent=rows, counts=counts), UTC, SHOP))
    assert "0 in progress, 5 sent" in text
    assert "#7 in rush printing 55 %, 35 min left Anvil" in text
    assert "Canceled at the printer. not printed" in text


@pytest.fixture
def trap() -> Iterator[list[str]]:
    """Collect what is asked of a server on this machine; the port is the first entry."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    asked.append(str(server.server_port))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield asked
    server.shutdown()
    server.server_close()


def in_chromium(html: str, folder: Path) -> str:
    """Return the page as Chromium has it after its script ran."""
    file = folder / "STATUS.html"
    file.write_text(html, "utf-8", errors="replace")
    words = [CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    words += [f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri()]
    return subprocess.run(words, capture_output=True, text=True, timeout=300, check=True).stdout


@pytest.mark.skipif(
    CHROMIUM is None, reason="NOT PROVEN HERE: no Chromium, so no browser read the status page"
)
def test_hostile_names_do_nothing_in_a_browser_and_an_old_page_says_so(
    tmp_path: Path, trap: list[str]
) -> None:
    address = f"http://127.0.0.1:{trap[0]}"
    names = (*HOSTILE, f"<img src={address}/a>.stl", f"<link rel=stylesheet href={address}/b>.stl")
    rows = [replace(HELD, id=number, path=name, reason=name) for number, name in enumerate(names, 1)]
    old = datetime.now(UTC) - timedelta(minutes=7, seconds=30)
    shown = replace(EMPTY, undecided=[StatusRow(each) for each in rows], warnings=names, trouble=names[1])
    html = page(shown, *rows)
    was, then, now = (f"{moment.timestamp() * 1000:.0f}" for moment in (NOW, old, datetime.now(UTC)))
    html = html.replace(was, then)
    dom = in_chromium(html, tmp_path)
    assert "This page is 7 minutes old: the service may have stopped." in dom
    assert "<title>stlflow: status</title>" in dom
    assert (dom.count("<script"), dom.count("<img"), dom.count("<link")) == (1, 0, 0)
    assert dom.count("</main>") == 1
    assert "\u202eevil" in dom
    assert trap[1:] == [], "the page asked for something"
    assert re.search(r'<p id="old"[^>]*hidden=""', in_chromium(html.replace(then, now), tmp_path))
