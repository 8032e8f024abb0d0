"""Looking at submissions and ordering what a person may order: shapes, refusals, exit codes."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.cli.command import Ended
from tests.cli.conftest import Say
from tests.cli.test_demo import ROW
from tests.states import put_in_state
from workflow.ledger import Ledger
from workflow.model import (
    DecisionRecord,
    Destination,
    EventKind,
    Facts,
    FollowedPrint,
    HoldReason,
    PrintPhase,
    Step,
    SubmissionChanges,
    SubmissionState,
)
from workflow.state_folder import locked_state_folder, prepare_state_folder

BUILD = "2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab"


@pytest.fixture
def book(tmp_path: Path) -> Ledger:
    """A ledger with one sent, one held, one rejected and one waiting submission: 1, 2, 3, 4."""
    prepare_state_folder(Path("state"), Path("share"))
    book = Ledger(f"sqlite:///{(tmp_path / 'state' / 'stlflow.db').as_posix()}")
    for path in ("lid.stl", "rush/größe.stl", "gap.stl", "new.stl"):
        number = book.open(path)
        book.claimed(number, f"processing/{number}~{Path(path).name}")
    ended: SubmissionChanges = {"ended_at": datetime.now(UTC)}
    sent: SubmissionChanges = {"state": SubmissionState.DISPATCHED, "receipt_id": "r-1", **ended}
    held: SubmissionChanges = {
        "state": SubmissionState.HELD,
        "hold": HoldReason.RULE,
        "reason": "Is it in inches?",
    }
    rejected: SubmissionChanges = {
        "state": SubmissionState.REJECTED,
        "reason": "3 open edges ≠ solid.",
        **ended,
    }
    for number, changes in enumerate((sent, held, rejected), 1):
        moved = put_in_state(book, book.get(number), **changes)
        book.schedule_next_step(moved, None, None, EventKind.HELD, "")
    return book


def test_before_anything_came_there_is_nothing_and_nothing_is_made(say: Say, tmp_path: Path) -> None:
    """Whoever stands in the wrong folder learns which state was looked into."""
    nothing = f"Nothing was submitted yet with the state folder {tmp_path / 'state'}.\n"
    assert say("list", "--json") == Ended(0, "[]\n", nothing)
    assert not (tmp_path / "state").exists()


def test_list_gives_the_rows_newest_first(say: Say, book: Ledger) -> None:
    rows = say("list", "--json").document()
    assert {tuple(row) for row in rows} == {ROW}
    assert [row["id"] for row in rows] == [4, 3, 2, 1]
    assert [row["state"] for row in rows] == ["claimed", "rejected", "held", "dispatched"]


def test_list_can_be_narrowed(say: Say, book: Ledger) -> None:
    rows = say("list", "--json", "--state", "held", "--state", "rejected", "--limit", "1").document()
    assert [row["id"] for row in rows] == [3]


def test_show_adds_mesh_and_events(say: Say, book: Ledger) -> None:
    shown = say("show", "2", "--json").document()
    assert tuple(shown) == (*ROW, "copies", "dropped_by", "receipts", "decided", "mesh", "events")
    assert shown["mesh"] is None
    assert [set(event) for event in shown["events"]] == [{"at", "event", "detail"}] * 2
    assert [event["event"] for event in shown["events"]] == ["claimed", "held"]
    assert datetime.fromisoformat(shown["events"][0]["at"]).tzinfo is not None


def test_show_says_since_when_a_part_is_printed(say: Say, book: Ledger) -> None:
    """Not since it was sent: that may be days before."""
    sent = book.update_submission(
        book.get(1), followed=True, destination=Destination.DEVICE_QUEUE, build_id=BUILD
    )
    noon = datetime(2030, 6, 3, 12, tzinfo=UTC)
    printed = FollowedPrint(1, 1, BUILD, "r-1", Destination.DEVICE_QUEUE, noon, noon, PrintPhase.PRINTED)
    book.prints.write(sent, [printed], state=SubmissionState.PRINTED, followed=False)
    assert re.search(r"State +printed, since Mon 03 Jun \d\d:00 ", say("show", "1").out)


def test_show_says_why_to_people(say: Say, book: Ledger) -> None:
    assert "Is it in inches?" in say("show", "2").out


@pytest.mark.parametrize(
    "words",
    [("show",), ("retry",), ("release",), ("cancel",), ("attach", BUILD)],
    ids=lambda words: str(words[0]),
)
def test_an_unknown_number_is_usage(say: Say, book: Ledger, words: tuple[str, ...]) -> None:
    command, *rest = words
    refused = say(command, "99", *rest)
    assert (refused.code, refused.one_line()) == (
        2,
        "stlflow: There is no submission 99. `stlflow list` shows all.",
    )


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("retry", "1"), "Submission 1 is dispatched: only held, rejected or canceled ones go on."),
        (("retry", "4"), "Submission 4 is claimed: only held, rejected or canceled ones go on."),
        (("release", "3"), "Submission 3 is rejected, not held: there is nothing to release."),
        (
            ("cancel", "1"),
            "Submission 1 is dispatched: it has ended already. Take the build out of its queue in Eiger.",
        ),
        (("attach", "4", BUILD), "Submission 4 is claimed: a build is attached only when one is missing."),
        (("attach", "2", "17"), "'17' is no build id: it looks like 2f1c9d0e-1a2b-4c3d-8e4f-0123456789ab."),
    ],
    ids=lambda words: " ".join(words[:2]) if isinstance(words, tuple) else "",
)
def test_what_can_not_be_ordered_is_one_line_and_changes_nothing(
    say: Say, book: Ledger, words: tuple[str, ...], why: str
) -> None:
    before = [(book.get(number), book.events(number)) for number in (1, 2, 3, 4)]
    refused = say(*words)
    assert (refused.code, refused.one_line()) == (1, f"stlflow: {why}")
    assert [(book.get(number), book.events(number)) for number in (1, 2, 3, 4)] == before


@pytest.mark.parametrize(
    ("order", "number", "state", "step"),
    [
        ("retry", 3, SubmissionState.CLAIMED, Step.INTAKE),
        ("release", 2, SubmissionState.CLAIMED, Step.INTAKE),
        ("cancel", 4, SubmissionState.CANCELED, Step.FINISH),
        ("cancel", 2, SubmissionState.CANCELED, Step.FINISH),
    ],
)
def test_an_order_is_taken_and_says_when_it_takes_effect(
    say: Say, book: Ledger, order: str, number: int, state: SubmissionState, step: Step
) -> None:
    said = say(order, str(number))
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith(", as soon as `stlflow run` is started.\n")
    assert (book.get(number).state, book.get(number).step) == (state, step)


def test_while_a_service_runs_an_order_takes_effect_at_once(say: Say, book: Ledger) -> None:
    with locked_state_folder(Path("state")):
        assert say("retry", "3").out == "Submission 3 is taken up again.\n"


def test_a_number_that_is_none_is_usage(say: Say) -> None:
    refused = say("show", "seventeen")
    assert refused.code == 2
    assert refused.code == 2
    assert "'seventeen' is no number of a submission. `stlflow list` shows all.\n" in refused.err
    assert say("show", "9" * 30).code == 2


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("lid.stl", "lid.stl is submission 1 and 5."),
        ("größe.stl", "rush/größe.stl is submission 2."),
        ("rush/grösse.stl", "rush/größe.stl is submission 2."),
        ("-3", "No such option '-3'."),
    ],
)
def test_the_name_of_a_file_is_answered_with_its_number(
    say: Say, book: Ledger, word: str, answer: str
) -> None:
    book.claimed(book.open("lid.stl"), "processing/5~lid.stl")
    refused = say("retry", word)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.endswith(f"{answer}\n")
    assert say("show", "#2", "--json").document()["path"] == "rush/größe.stl"
    listed = say("list", word)
    assert (listed.code, answer in listed.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("list", "--limit", "0"), "'0' is not a whole number of 1 or more."),
        (("list", "--limit", "many"), "'many' is not a whole number of 1 or more."),
        (("simulator", "--port", "80000"), "'80000' is not a whole number from 0 to 65535."),
        (("simulator", "--slice-seconds", "-1"), "'-1' is not a number of 0 or more."),
        (("simulator", "--slice-seconds", "inf"), "'inf' is not a number of 0 or more."),
    ],
)
def test_a_number_out_of_bounds_is_reported_in_words(say: Say, words: tuple[str, ...], why: str) -> None:
    refused = say(*words)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.endswith(f"Invalid value for '{words[1]}': {why}\n")


def test_an_empty_list_says_so(say: Say, book: Ledger) -> None:
    assert say("list", "--state", "routed").out == "No submissions like that.\n"


def test_only_states_that_a_submission_can_be_in_are_offered(say: Say) -> None:
    for state, meant in (("hold", "held"), ("dispatch", "dispatched"), ("cancelled", "canceled")):
        refused = say("list", "--state", state)
        assert refused.code == 2
        assert refused.err.endswith(
            f"'{state}' is none of claimed, inspected, slicing, sliced, routed, dispatched, printing, "
            f"printed, failed, lost_track, held, rejected, canceled, waiting, ended, sent. "
            f"Did you mean '{meant}'?\n"
        )
    assert not {"uploaded"} & set(say("list", "--help").out.split("|"))
    assert "'uploaded' is none of" in say("list", "--state", "uploaded").err


def test_more_than_there_can_be_is_all(say: Say, book: Ledger) -> None:
    assert say("list", "--json", "--limit", "9" * 30).document() == say("list", "--json").document()
    assert "is no number of a submission" in say("show", "9" * 5000).err


@pytest.mark.parametrize("url", ["postgresql://stlflow:s3cret", "postgresql://me@nas:s3cret/parts"])
def test_a_password_in_the_place_of_a_port_is_reported_in_one_line_and_never_shown(
    say: Say, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("STLFLOW_DATABASE_URL", url)
    refused, checked = say("list"), say("doctor", "--json")
    assert (refused.code, refused.one_line()) == (
        2,
        "stlflow: The ledger can't be opened: "
        "STLFLOW_DATABASE_URL has to be a sqlite:/// or postgresql:// address.",
    )
    (seen,) = (each for each in checked.document()["checks"] if each["check"] == "ledger")
    assert seen["says"].startswith("The database in STLFLOW_DATABASE_URL: The ledger can't be opened: ")
    assert "s3cret" not in refused.err + checked.out + checked.err


def test_a_ledger_that_is_none_is_one_line(say: Say) -> None:
    prepare_state_folder(Path("state"), Path("share"))
    Path("state", "stlflow.db").write_text("this is no database" * 100)
    refused = say("list")
    assert (refused.code, refused.one_line()) == (
        2,
        "stlflow: The ledger can't be opened: file is not a database.",
    )


def test_json_is_utf_8_whatever_the_name(say: Say, book: Ledger) -> None:
    shown = say("show", "2", "--json")
    assert json.loads(shown.out)["path"] == "rush/größe.stl"


def test_a_folder_with_another_shares_marker_is_looked_into_after_a_new_start(say: Say, book: Ledger) -> None:
    Path("share").mkdir()
    with locked_state_folder(Path("state")):
        assert "once `stlflow run` is started again" in say("intake", "mark").out
        assert "it is scanned at the next scan" in say("intake", "mark").out
        Path("share/.stlflow-share").write_text("0" * 32 + "\n", "ascii")
        assert "once `stlflow run` is started again" in say("intake", "mark").out


def test_a_file_that_was_dragged_away_is_asked_for_at_the_order(say: Say, book: Ledger) -> None:
    Path("share/inbox").mkdir(parents=True)
    refused = say("retry", "3")
    why = "The file of submission 3 is no longer at processing/3~gap.stl. Drop it into the inbox again"
    assert (refused.code, refused.one_line()) == (1, f"stlflow: {why}: it becomes a new submission.")
    assert book.get(3).state is SubmissionState.REJECTED


def test_times_are_those_of_the_shop(say: Say, book: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STLFLOW_TIMEZONE", "Asia/Kathmandu")
    at = book.events(1)[0].at.astimezone(ZoneInfo("Asia/Kathmandu"))
    assert f"{at:%Y-%m-%d %H:%M:%S} +0545  claimed" in say("show", "1").out


def test_show_and_list_say_what_printing_takes(
    say: Say, book: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the routing decision, and by the prices of the settings as they are now."""
    monkeypatch.setenv("STLFLOW_PRICES", "EUR, hour = 4, Onyx = 0.5")
    facts: Facts = {"build.print_hours": 1.5, "build.material": "Onyx", "build.primary_cm3": 10.0}
    decided = DecisionRecord("routing", datetime.now(UTC), "r", "all", facts)
    book.record_decision(book.get(4), decided, EventKind.ROUTED, "", build_id=BUILD)
    assert "1 h 30 min · 10.0 cm³ Onyx · about 11.00 EUR (the shop's prices)" in say("show", "4").out
    assert say("show", "4", "--json").document()["answer"]["cost"]["amount"] == 11.0
    answers = [row["answer"] for row in say("list", "--json").document()]
    assert [answer and answer["print_seconds"] for answer in answers] == [5400.0, None, None, None]
    table = say("list").out
    assert re.search(r"^4  new.stl +claimed +\d+ s  1 h 30 min  10.0 cm³ Onyx$", table, re.M)


def test_prices_that_can_not_be_read_are_one_line(
    say: Say, book: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STLFLOW_PRICES", "Onyx: 1")
    assert say("list").one_line().startswith("stlflow: Setting prices: 'Onyx: 1' is no price")
