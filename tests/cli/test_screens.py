"""What people see in terminals of 80 to 200 columns: nothing is folded, and what matters is there."""

import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.cli.conftest import Say
from tests.cli.terminal import Screen, on_terminal
from tests.states import put_in_state
from workflow.cli.fitted_table import Column, Row, shorten, table_lines
from workflow.cli.listing import print_csv
from workflow.cli.param_types import parse_moment
from workflow.cli.submission_table import age_text, choose_rows, live_view
from workflow.ledger import Ledger
from workflow.model import (
    DecisionRecord,
    Destination,
    EventKind,
    Facts,
    HoldReason,
    Submission,
    SubmissionChanges,
    SubmissionState,
)
from workflow.state_folder import prepare_state_folder

WIDTHS = (80, 100, 140, 200)
BUILD = "2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab"
NAMES = (
    "bracket.stl", "rush/hinge left arm rev B (final) 2x.stl",
    "metal/Müller-Lüdenscheidt GmbH/flange_v12.stl",
    "部品/ブラケット_改訂版_最終確認用_二〇二六年.stl", "\x1b[31mred\u202e.stl",
    "n" * 120 + "/" + "m" * 240 + ".stl", "gap.stl",
)  # fmt: skip
REASON = (
    "Hole 21 × 3.52 mm at x 14.5 y 1.1 z 1.5 mm. Close the part in CAD and export it again. "
    "The largest of 14 holes is named; the note in the folder names all of them with their places."
)
CONTENT = "0123456789abcdef" * 4


@dataclass(frozen=True)
class Desk:
    """A state folder with a past, and how commands are run on it."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("STLFLOW_", "COLUMNS"))
        }
        return {**kept, "TERM": "xterm-256color", "STLFLOW_TIMEZONE": "Asia/Kathmandu", "PYTHONUTF8": "1"}

    def screen(self, *words: str, columns: int = 80, rows: int = 40, **more: str) -> Screen:
        return on_terminal(words, columns, self.folder, {**self.environment, **more}, rows)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A ledger with seven submissions, made once for all screens."""
    folder = tmp_path_factory.mktemp("desk")
    prepare_state_folder(folder / "state", folder / "share")
    book = Ledger(f"sqlite:///{(folder / 'state' / 'stlflow.db').as_posix()}")
    fill(book)
    yield Desk(folder)
    book.close()


def fill(book: Ledger) -> None:
    now = datetime.now(UTC)
    for path in NAMES:
        number = book.open(path)
        book.claimed(number, f"processing/{number}~x.stl")
        if path == "gap.stl":
            held: SubmissionChanges = {
                "state": SubmissionState.HELD, "hold": HoldReason.MESH, "reason": REASON, "dropped_by": "kim",
            }  # fmt: skip
            moved = put_in_state(book, book.get(number), **held)
        else:
            facts: Facts = {"build.print_hours": 1.75, "build.material": "Onyx", "build.primary_cm3": 12.4}
            decided = DecisionRecord("routing", now, "r", "everything else", facts)
            book.record_decision(book.get(number), decided, EventKind.ROUTED, "", build_id=BUILD)
            sent: SubmissionChanges = {
                "state": SubmissionState.DISPATCHED, "destination": Destination.DEVICE_QUEUE,
                "device": "Mark Two - Anvil", "preset": "Onyx", "routing_rule": "everything else",
                "receipt_id": BUILD, "ended_at": now,
            }  # fmt: skip
            moved = put_in_state(book, book.get(number), **sent)
        detail = REASON if moved.hold else f"The content is {CONTENT}."
        book.schedule_next_step(moved, None, None, EventKind.HELD, detail)


@pytest.mark.parametrize("columns", WIDTHS)
def test_the_list_fits_the_window(desk: Desk, columns: int) -> None:
    seen = desk.screen("list", columns=columns)
    assert seen.code == 0
    assert max(map(cell_len, seen.lines)) <= columns
    rows = [line for line in seen.lines if re.match(r" ?\d", line)]
    assert len(rows) == len(NAMES), "a row is one line"
    assert re.search(r"gap\.stl +held", rows[0])
    assert "Hole 21 × 3.52 mm" in seen.lines[2]
    assert all("Mark Two - Anvil" in row for row in rows[1:])
    assert BUILD[:8] not in seen.raw
    assert "\x1b[31mred" not in seen.raw
    assert "\u202e" not in seen.raw
    headings = seen.lines[0].split()
    assert headings[:5] == ["#", "file", "state", "where", "age"]
    assert headings[5:] == ["print", "material", "preset", "rule"][: {80: 1, 100: 3}.get(columns, 4)]


def test_a_plain_pipe_has_80_columns_or_as_many_as_columns_says(
    desk: Desk, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.folder)
    monkeypatch.delenv("COLUMNS", raising=False)
    assert max(map(cell_len, say("list").out.splitlines())) <= 80
    monkeypatch.setenv("COLUMNS", "120")
    wide = say("list").out
    assert 100 < max(map(cell_len, wide.splitlines())) <= 120
    assert "\x1b" not in wide


@pytest.mark.parametrize("columns", [80, 140])
def test_show_has_labels_and_wraps_at_words(desk: Desk, columns: int) -> None:
    seen = desk.screen("show", str(len(NAMES)), columns=columns)
    assert max(map(cell_len, seen.lines)) <= columns
    assert seen.lines[0] == "Submission 7: gap.stl"
    text = re.sub(r"\s+", " ", " ".join(seen.lines))
    for said in (
        "State held", f"Why {REASON}", "Next Correct the part and drop it again.",
        "move the file to approved/",
        "By command: ", "release 7", "Dropped by kim", "+0545 held",
    ):  # fmt: skip
        assert said in text
    sent = desk.screen("show", "1", columns=columns).lines
    assert any(BUILD in line for line in sent)
    assert any(CONTENT in line for line in sent), "what may be copied stays whole"
    assert any("1 h 45 min · 12.4 cm³ Onyx" in line for line in sent)
    assert any(re.fullmatch(r"  Sent to +device queue, Mark Two - Anvil.*", line) for line in sent)


def test_doctor_says_problems_first_and_only_them_on_request(desk: Desk) -> None:
    everything, problems = desk.screen("doctor", rows=99), desk.screen("doctor", "--problems", rows=99)
    grades = [line.split()[0] for line in everything.lines if re.match(r"(ok|warn|fail) ", line)]
    assert grades == sorted(grades, key=("fail", "warn", "ok").index)
    assert "ok" in grades
    assert not [line for line in problems.lines if line.startswith("ok ")]
    assert problems.code == everything.code == 2
    assert problems.lines[-1] == everything.lines[-1]


@pytest.mark.parametrize("columns", [80, 140])
def test_status_is_one_screen(desk: Desk, columns: int) -> None:
    seen = desk.screen("status", columns=columns, rows=24, STLFLOW_EIGER_URL="http://127.0.0.1:9/api/v3")
    assert seen.code == 2
    assert max(map(cell_len, seen.lines)) <= columns
    assert len(seen.lines) <= 24
    assert seen.lines[0].startswith("service   fail  No worker is running")


def test_no_color_is_followed(desk: Desk) -> None:
    colored = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    assert colored.search(desk.screen("list").raw)
    assert not colored.search(desk.screen("list", NO_COLOR="1").raw)


def test_filters_narrow_the_list(desk: Desk, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)

    def found(*words: str) -> list[int]:
        return [row["id"] for row in say("list", "--json", *words).document()]

    everything = [7, 6, 5, 4, 3, 2, 1]
    assert found("--state", "waiting") == [7]
    assert found("--state", "sent") == found("--state", "ended") == [6, 5, 4, 3, 2, 1]
    assert found("--state", "sent", "--state", "held") == everything
    assert found("--name", "FLANGE") == [3]
    assert found("--name", "*.stl") == everything
    assert found("--name", "*arm*2x.stl") == [2]
    assert found("--name", "flange%v12") == []
    assert found("--person", "kim") == [7]
    assert found("--rule", "everything") == found("--printer", "anvil") == [6, 5, 4, 3, 2, 1]
    assert found("--since", "1h") == found("--until", "2999-01-01") == everything
    assert found("--until", "2020-01-01") == found("--since", "2999-01-01T10:00") == []
    assert "'soon' is no time. Write 2026-11-28," in say("list", "--since", "soon").err
    assert say("list", "--watch").code == 2
    assert "exclude each other" in say("list", "--csv", "--json").err


def test_the_tab_key_completes_commands_and_options(desk: Desk) -> None:

    def completed(words: str, position: str) -> list[str]:
        shown = desk.screen(COMP_WORDS=words, COMP_CWORD=position, _STLFLOW_COMPLETE="bash_complete")
        return shown.lines

    assert completed("stlflow list --st", "2") == ["plain,--state"]
    assert "plain,waiting" in completed("stlflow list --state w", "3")


def test_csv_has_one_row_for_each(desk: Desk, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    rows = list(csv.DictReader(io.StringIO(say("list", "--csv").out)))
    assert [row["id"] for row in rows] == ["7", "6", "5", "4", "3", "2", "1"]
    assert rows[0]["reason"] == REASON
    assert rows[-1]["answer.print_seconds"] == "6300.0"
    assert rows[-1]["path"] == "bracket.stl"


def test_csv_has_no_formula(capsys: pytest.CaptureFixture[str]) -> None:
    """A name of a file is an engineer's to choose, and a spreadsheet runs what begins with an equals sign."""
    print_csv([{"path": "=cmd|calc.stl", "answer": {"cost": -1.5}}])
    assert capsys.readouterr().out == "path,answer.cost\n'=cmd|calc.stl,-1.5\n"


@pytest.mark.parametrize(
    ("text", "width", "keeps_end", "short"),
    [
        ("bracket.stl", 11, True, "bracket.stl"),
        ("a long name rev B.stl", 14, True, "a long… B.stl"),
        ("whole words only, please", 16, False, "whole words…"),
        ("二〇二六年の部品.stl", 11, True, "二〇二….stl"),
        ("anything", 1, True, "…"),
    ],
)
def test_long_texts_are_shortened(text: str, width: int, keeps_end: bool, short: str) -> None:
    assert shorten(text, width, keeps_end=keeps_end) == short
    assert cell_len(short) <= width


def test_a_table_never_exceeds_any_width_down_to_its_names() -> None:
    columns = (
        Column("a", usual=20, least=5, keeps_end=True),
        Column("b", 1),
        Column("c", 2, usual=9),
        Column("d", 3),
    )
    rows = [Row(("x" * 60, "state", "some words here", "last")), Row(("y", "s", "", "d"), note="why " * 60)]
    for width in range(24, 120):
        lines = [line.plain for line in table_lines(columns, rows, width)]
        assert max(map(cell_len, lines)) <= width
        assert len(lines) == 5
    assert lines[0].split() == ["a", "b", "c", "d"]
    assert table_lines(columns, [], 80)[0].plain.split() == ["a", "b"]


def test_a_live_table_keeps_what_needs_a_person_and_the_newest() -> None:
    now = datetime.now(UTC)
    states = {3: SubmissionState.HELD, 5: SubmissionState.HELD}
    seen = [Submission(n, f"{n}.stl", states.get(n, SubmissionState.DISPATCHED), now) for n in range(1, 41)]
    assert [each.id for each in choose_rows(seen, 6)] == [3, 5, 37, 38, 39, 40]
    assert choose_rows(seen, 40) == seen


def test_a_live_table_fits_the_window_whatever_happens() -> None:
    now = datetime.now(UTC)
    rejected = SubmissionState.REJECTED
    seen = [Submission(n, f"{n}.stl", rejected, now, reason=REASON) for n in range(1, 300)]
    assert drawn([], 24) == ["0 files"]
    for height in (8, 24, 50):
        lines = drawn(seen, height)
        assert len(lines) < height
        assert max(map(len, lines)) <= 80
        assert lines[-1] == "299 files: 299 rejected"
        assert any(line.startswith("299  299.stl  rejected") for line in lines)
    assert len(drawn(seen[:2], 24)) == 1 + 2 * 3 + 1, "with reasons where there is room"


def drawn(seen: Sequence[Submission], height: int) -> list[str]:
    """Return the lines of a live table."""
    console = Console(file=io.StringIO(), width=80, height=height)
    with console.capture() as captured:
        console.print(live_view(seen, 80, height))
    return captured.get().splitlines()


def test_ages_and_moments() -> None:
    now = datetime(2026, 11, 28, 22, 30, tzinfo=UTC)
    ages = [
        age_text(now - timedelta(seconds=each), now) for each in (-5, 5, 89, 91, 5399, 5401, 129_000, 130_000)
    ]
    assert ages == ["0 s", "5 s", "89 s", "2 min", "90 min", "2 h", "36 h", "2 d"]
    assert parse_moment("yesterday", now, UTC) == datetime(2026, 11, 27, tzinfo=UTC)
    for odd in ("0001-01-01", "9999-12-31", "99999w"):
        with pytest.raises(ValueError, match="a year that no clock shows"):
            parse_moment(odd, now, None)
    assert parse_moment("90min", now, UTC) == now - timedelta(minutes=90)
    assert parse_moment("2026-11-28T14:30", now, UTC) == datetime(2026, 11, 28, 14, 30, tzinfo=UTC)
    assert parse_moment("2026-11-28 14:30+01:00", now, None) == datetime(2026, 11, 28, 13, 30, tzinfo=UTC)
