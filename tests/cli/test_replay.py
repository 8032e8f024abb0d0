"""Explaining a submission, and sending the past through other rules, by the real command."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Say
from tests.pipeline.test_replay import CLIP, NOON, RULES, SLICED
from tests.states import put_in_state
from tests.stl import box, open_box
from workflow.ledger import RULES_ERROR_KEY, Ledger
from workflow.mesh.inspection import inspect_mesh
from workflow.model import DecisionRecord, EventKind, HoldReason, SubmissionState
from workflow.routing import parse_rules
from workflow.state_folder import prepare_state_folder

STRICTER = RULES.replace("<= 8", "<= 1")


@pytest.fixture
def book(tmp_path: Path) -> Ledger:
    """A ledger in which submission 1 was sent by RULES."""
    prepare_state_folder(Path("state"), Path("share"))
    Path("stricter.yaml").write_text(STRICTER)
    book, rules = (
        Ledger(f"sqlite:///{(tmp_path / 'state' / 'stlflow.db').as_posix()}"),
        parse_rules(RULES, "r"),
    )
    book.decisions.store_rules(rules.revision, rules.text)
    number = book.open("rush/clip.stl")
    book.claimed(number, "processing/1~clip.stl")
    for stage, facts in (("intake", CLIP), ("routing", {**CLIP, **SLICED})):
        decided = DecisionRecord(stage, NOON, rules.revision, "rush", facts, devices=())
        book.record_decision(book.get(number), decided, EventKind.DECIDED, "")
    put_in_state(book, book.get(number), state=SubmissionState.DISPATCHED)
    return book


def test_a_submission_is_explained_by_its_number(say: Say, book: Ledger) -> None:
    ended = say("rules", "explain", "1")
    assert ended.code == 0
    assert ended.out.startswith("submission 1: rush/clip.stl is dispatched\nintake decided 2026-12-17 ")
    assert "· metal: path is 'rush/clip.stl', needs metal/**" in ended.out
    document = say("rules", "explain", "1", "--rules", "stricter.yaml", "--json").document()
    assert document["routing"]["rule"] == "rest"
    assert document["explained_by"] == parse_rules(STRICTER, "r").revision
    assert [each["stage"] for each in document["decided"]] == ["intake", "routing"]


def test_show_says_which_revision_decided(say: Say, book: Ledger) -> None:
    revision = parse_rules(RULES, "r").revision
    assert f"by 'rush' of rules {revision}" in say("show", "1").out
    shown = say("show", "1", "--json").document()["decided"]
    assert {each["revision"] for each in shown} == {revision}
    assert shown[1]["facts"]["build.print_hours"] == 2


def test_what_can_not_be_explained_is_one_line(say: Say, book: Ledger) -> None:
    unknown = say("rules", "explain", "99")
    assert (unknown.code, unknown.one_line()) == (
        2,
        "stlflow: There is no submission 99. `stlflow list` shows all.",
    )
    odd = say("rules", "explain", "1", "--as", "rush/x.stl")
    assert (odd.code, "are for a file, not for a submission" in odd.err) == (2, True)
    assert "'gone.stl' does not exist" in say("rules", "explain", "gone.stl").err
    for odd_number in ("²", "9" * 30):  # digits, and no number that a database can have
        assert f"'{odd_number}' does not exist" in say("rules", "explain", odd_number).err
    early = say("rules", "replay", "--since", "0001-01-01")
    assert (early.code, "'0001-01-01' is no time." in early.err) == (2, True)


def test_what_inspection_rejected_is_explained_as_if_it_were_accepted(say: Say, book: Ledger) -> None:
    Path("gap.stl").write_bytes(open_box())
    Path("page.stl").write_text("<!DOCTYPE html><html></html>")
    ends = {
        "gap.stl": (EventKind.HELD, SubmissionState.HELD, HoldReason.MESH),
        "page.stl": (EventKind.REJECTED, SubmissionState.REJECTED, None),
    }
    for path, (event, state, hold) in ends.items():
        number = book.open(f"rush/{path}")
        book.claimed(number, f"processing/{number}~{path}")
        mesh = inspect_mesh(Path(path))
        book.record_event(
            book.get(number),
            event,
            mesh=mesh,
            size=9,
            state=state,
            hold=hold,
            reason=mesh.reason,
        )
    Path("in force.yaml").write_text(RULES.replace("name: rest, preset", "name: everything, preset"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STLFLOW_RULES", "in force.yaml")
        ended = say("rules", "explain", "2")
        document = say("rules", "explain", "2", "--json").document()
        page = say("rules", "explain", "3")
    lines = ended.out.splitlines()
    assert ended.code == 0
    assert lines[0] == "submission 2: rush/gap.stl is held"
    assert lines[1].startswith("The mesh is held before any rule: A side is missing: 20 × ")
    assert lines[2:7] == [
        "If it is released:",
        "intake:",
        "  · metal: path is 'rush/gap.stl', needs metal/**",
        "  ✓ everything",
        "routing:",
    ]
    assert "intake → upload with preset Onyx (rule 'everything')" in lines
    assert re.fullmatch(r"These are rules \w+; none of them decided on the file.", lines[-1])
    assert (document["decided"], document["mesh"]["verdict"]) == ([], "hold")
    assert document["intake"]["rule"] == "everything"
    assert page.code == 2
    assert page.one_line().startswith("stlflow: No rule saw submission 3: The file is no STL but ")
    other = say("rules", "explain", "2", "--rules", "stricter.yaml").out
    assert "  ✓ rest" in other.splitlines()


def test_a_file_that_is_named_like_a_number_is_a_file(say: Say, book: Ledger) -> None:
    Path("1").write_bytes(box())
    assert not say("rules", "explain", "1").out.startswith("submission")


def test_replay_says_what_would_go_elsewhere_and_why(say: Say, book: Ledger) -> None:
    ended = say("rules", "replay", "--rules", "stricter.yaml")
    revision = parse_rules(STRICTER, "r").revision
    assert ended.code == 0
    assert ended.out.splitlines() == [
        "1  rush/clip.stl",
        "    was:      hold: No device qualifies: Eiger lists no devices. It goes by itself once one does. "
        "(rule 'rush')",
        "    would be: job_request, due 2026-12-18 (rule 'rest')",
        "    'rush': build.print_hours is 2, needs <= 1",
        f"1 of 1 would go elsewhere by rules {revision}.",
    ]
    document = say("rules", "replay", "--rules", "stricter.yaml", "--json").document()
    assert (document["looked_at"], [each["id"] for each in document["elsewhere"]]) == (1, [1])
    none = say("rules", "replay", "--rules", "stricter.yaml", "--since", "2027-01-01").out
    assert none == f"0 of 0 would go elsewhere by rules {revision}.\n"


def test_any_fact_can_be_assumed(say: Say, tmp_path: Path) -> None:
    Path("lid.stl").write_bytes(box())
    Path("night.yaml").write_text(
        "version: 1\nintake:\n  - {name: night, when: {time: 22:00..06:00}, hold: Closed.}\n"
        "  - {name: day, preset: Onyx}\nrouting: [{name: all, send_to: backlog}]\n"
    )

    def rule_at(time: str) -> str:
        words = ("rules", "explain", "lid.stl", "--rules", "night.yaml", "--fact", f"time={time}", "--json")
        return str(say(*words).document()["intake"]["rule"])

    assert (rule_at("23:15"), rule_at("06:00"), rule_at("06:01")) == ("night", "night", "day")
    refused = say("rules", "explain", "lid.stl", "--fact", "time=noon")
    assert (refused.code, "'noon' is no time of day." in refused.err) == (2, True)


def test_list_says_that_changed_rules_do_not_count(say: Say, book: Ledger) -> None:
    assert say("list").err == ""
    book.metadata.write(RULES_ERROR_KEY, "The changed rules have 1 mistake. Still using the previous rules.")
    listed = say("list", "--json")
    assert listed.err == "The changed rules have 1 mistake. Still using the previous rules.\n"
    assert len(listed.document()) == 1
