"""The pictures of the documents, made from the real thing: `python -m tests.docs.pictures`.

The demo runs in a pseudo-terminal, and what it shows last becomes an SVG. With Debian's Chromium, the console
of that demo becomes a PNG.
"""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.text import Text

from tests.console.browser import running_browser
from tests.docs.blocks import ROOT
from tests.waiting import until

PICTURES = ROOT / "docs" / "pictures"
COLUMNS, LIMIT_SECONDS = 130, 300
INTRODUCTION_LINES = 4
PARTS_IN_VIEW = 8
_HEADER = re.compile(r"^ *# +file +state")
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+(?!/api)/?(?=[\s\x1b]|$)")


def read_terminal(fd: int, last: str) -> str:
    """Return what a terminal shows until a line has this text, or the program ends."""
    shown, ends = b"", monotonic() + LIMIT_SECONDS
    while monotonic() < ends and last.encode() not in shown:
        if not select.select([fd], [], [], 1.0)[0]:
            continue
        try:
            shown += os.read(fd, 65536)
        except OSError:  # the program has ended
            break
    return shown.decode("utf-8", "replace")


def last_screen(shown: str) -> str:
    """Return what the demo prints for good: its first lines, and its last table."""
    lines = [line.rpartition("\r")[2] for line in shown.replace("\r\n", "\n").split("\n")]
    tables = [number for number, line in enumerate(lines) if _HEADER.search(Text.from_ansi(line).plain)]
    return "\n".join((*lines[:INTRODUCTION_LINES], "", *lines[tables[-1] :]))


def draw_terminal(text: str, file: Path) -> None:
    """Write an SVG of a terminal, without a font from elsewhere."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi(text))
        svg = console.export_svg(title="stlflow demo")
    file.write_text(_FONT_FACE.sub("", svg), "utf-8")


def photograph_console(url: str, file: Path) -> None:
    """Write a PNG of the list of submissions, as the demo has them."""
    with running_browser() as browser:
        browser.resize(1200, 800)
        page = f"{url.rstrip('/')}/submissions?q=state%3Asent"

        def has_pictures() -> bool:
            browser.open(page)
            return len(browser.all("table img")) >= PARTS_IN_VIEW

        until(has_pictures, tick_seconds=1.0)
        browser.driver.save_screenshot(str(file))


def main() -> None:
    """Run the demo, and draw its terminal and its console."""
    PICTURES.mkdir(exist_ok=True)
    here, there = pty.openpty()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "COLUMNS": str(COLUMNS), "LINES": "60", "TERM": "xterm-256color"}
        words = [sys.executable, "-m", "workflow", "demo", "--console-port", "8490"]
        demo = subprocess.Popen(words, stdout=there, stderr=there, cwd=folder, env=environment)
        try:
            shown = read_terminal(here, "All samples have ended")
            address = _ADDRESS.search(shown)
            if address is not None:
                photograph_console(address[0], PICTURES / "console.png")
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(60)
    draw_terminal(last_screen(shown), PICTURES / "demo.svg")


if __name__ == "__main__":
    main()
