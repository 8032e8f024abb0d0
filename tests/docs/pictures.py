"""The pictures of the documents, made from the real thing: `python -m tests.docs.pictures`.

The demo runs in a pseudo-terminal and is recorded: `demo.cast` for asciinema, and an SVG that plays. With
Debian's Chromium, pages of the console of that demo become PNGs.
"""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from tests.console.browser import running_browser
from tests.docs.blocks import ROOT
from tests.docs.recording import Output, shorten_pauses, to_cast, to_svg
from tests.waiting import until

PICTURES = ROOT / "docs" / "pictures"
COLUMNS, ROWS, LIMIT_SECONDS = 110, 40, 300
TITLE, PAUSE_SECONDS = "stlflow demo", 0.03
PARTS_IN_VIEW = 8
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+(?!/api)/?(?=[\s\x1b]|$)")


def record_terminal(fd: int, last: str) -> Iterator[Output]:
    """Yield what a terminal shows until a line has this text, or the program ends."""
    began, said = monotonic(), ""
    while monotonic() < began + LIMIT_SECONDS and last not in said:
        if select.select([fd], [], [], 1.0)[0]:
            at = round(monotonic() - began, 3)
            said = read_drawing(fd).decode("utf-8", "replace")
            yield Output(at, said)


def read_drawing(fd: int) -> bytes:
    """Return what is written without a pause: no character and no command of the terminal is cut."""
    drawn = b""
    while select.select([fd], [], [], PAUSE_SECONDS)[0]:
        drawn += os.read(fd, 65536)
    return drawn


def photograph_console(url: str, folder: Path) -> None:
    """Write PNGs of the demo's console: the sent parts, what needs attention, and a hole of a held part."""
    with running_browser() as browser:
        browser.resize(1200, 800)
        page = f"{url.rstrip('/')}/submissions?q=state%3Asent"

        def has_pictures() -> bool:
            browser.open(page)
            drawn = browser.run("return [...document.images].filter((each) => each.naturalWidth > 64).length")
            return int(drawn) >= PARTS_IN_VIEW

        until(has_pictures)
        browser.driver.save_screenshot(str(folder / "console.png"))
        browser.resize(1200, 500)
        browser.open(url)
        browser.find("tr[data-key] .reason")
        browser.driver.save_screenshot(str(folder / "attention.png"))
        browser.resize(1200, 880)
        browser.prefer(reduced_motion="reduce")
        browser.driver.get(
            browser.run("return document.querySelector('[aria-labelledby=group-mesh] a.file').href")
        )
        until(lambda: browser.find("part-viewer").get_attribute("data-drawn"))
        browser.button("Next hole").click()
        until(lambda: browser.text(".viewer-status").startswith("Place 1"))
        browser.run("scrollTo(0, 0)")
        browser.driver.save_screenshot(str(folder / "part.png"))


def main() -> None:
    """Run the demo, record its terminal and photograph its console."""
    PICTURES.mkdir(exist_ok=True)
    here, there = pty.openpty()
    termios.tcsetwinsize(there, (ROWS, COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "TERM": "xterm-256color"}
        words = [sys.executable, "-m", "workflow", "demo", "--console-port", "8490"]
        demo = subprocess.Popen(words, stdin=there, stdout=there, stderr=there, cwd=folder, env=environment)
        try:
            recorded = shorten_pauses(record_terminal(here, "All samples have ended"))
            address = _ADDRESS.search("".join(each.text for each in recorded))
            if address is not None:
                photograph_console(address[0], PICTURES)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(60)
    (PICTURES / "demo.cast").write_text(to_cast(recorded, COLUMNS, ROWS, TITLE), "utf-8")
    (PICTURES / "demo.svg").write_text(to_svg(recorded, COLUMNS, TITLE), "utf-8")


if __name__ == "__main__":
    main()
