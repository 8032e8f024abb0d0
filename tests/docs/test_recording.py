"""The recorded terminal of the documents plays what was recorded, and ends with the result of the demo."""

import re
from xml.etree import ElementTree

from rich.text import Text

from tests.docs.blocks import ROOT
from tests.docs.recording import Output, from_cast, screens, shorten_pauses, spans, to_svg

PICTURES = ROOT / "docs" / "pictures"
MAX_BYTES = 100_000
SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_is_the_recording_and_ends_with_its_last_screen() -> None:
    recorded = from_cast((PICTURES / "demo.cast").read_text("utf-8"))
    drawn = (PICTURES / "demo.svg").read_text("utf-8")
    assert drawn == to_svg(recorded, 110, "stlflow demo")
    assert len(drawn) < MAX_BYTES
    assert re.findall(r"https?://(?!www\.w3\.org|127\.0\.0\.1)|@font-face|<script", drawn) == []
    lines = [each for each in ElementTree.fromstring(drawn).iter(f"{SVG}text") if "class" in each.attrib]
    last = [each for each in lines if "visibility" not in each.attrib]
    assert len(lines) > 2 * len(last)
    texts = ["".join(each.itertext()) for each in sorted(last, key=lambda each: int(each.attrib["y"]))]
    *_, (_, screen) = screens(recorded)
    assert texts == [text for line in screen if (text := Text.from_ansi(line).plain)]
    assert any("16 files: 10 sent, 2 held, 4 rejected." in text for text in texts)


def test_a_line_that_is_written_again_is_shown_from_then_on() -> None:
    recorded = [
        Output(5.0, "head\r\none\r\ntwo"),
        Output(5.5, "\r\x1b[2K\x1b[1A\x1b[2Konly"),
        Output(60.0, " more"),
    ]
    short = shorten_pauses(recorded)
    assert [each.seconds for each in short] == [0.0, 0.5, 1.5]
    assert [lines for _, lines in screens(short)] == [
        ("head", "one", "two"),
        ("head", "only", ""),
        ("head", "only more", ""),
    ]
    assert sorted((each.row, each.line, each.start, each.end) for each in spans(short)) == [
        (0, "head", 0.0, 9.5),
        (1, "one", 0.0, 0.5),
        (1, "only", 0.5, 1.5),
        (1, "only more", 1.5, 9.5),
        (2, "two", 0.0, 0.5),
    ]
