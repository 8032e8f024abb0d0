"""The rules file as the checkup sees it."""

import time
from pathlib import Path

import pytest

from tests.doctor.conftest import Look
from workflow.doctor import Grade
from workflow.doctor.settings import rules_checks
from workflow.settings import Settings, load_settings

RULES = (
    "version: 1\nintake:\n  - name: all\n    preset: Onyx\nrouting:\n  - name: all\n    send_to: {send_to}\n"
)


def with_rules(text: str, **changes: object) -> Settings:
    Path("own.yaml").write_text(text, "utf-8")
    return load_settings(rules=Path("own.yaml"), **changes)


def test_a_new_shop_is_well(look: Look, context: Settings) -> None:
    seen = look(rules_checks(context))
    assert seen.select("rules").says == "rules/default.yaml: 4 intake rules, 3 routing rules, no mistakes."
    assert seen.select("rules.doubts").says == "The rules pass 6 tests of their own."
    assert seen.select("rules.starts").says == "No rule starts a machine."


def test_every_mistake_is_reported_with_its_place(look: Look) -> None:
    broken = with_rules(RULES.format(send_to="bakclog").replace("preset", "pre-set"))
    seen = look(rules_checks(broken))
    assert [each.says.split(": ")[0] for each in seen.of("rules")] == ["own.yaml:4:5", "own.yaml:7:14"]
    assert "bakclog" in seen.of("rules")[1].says
    assert "backlog" in seen.of("rules")[1].fix
    assert {each.exit_code for each in seen.of("rules")} == {2}
    assert seen.select("rules.timezone").grade is Grade.SKIP


def test_no_rules_file(look: Look) -> None:
    missing = look(rules_checks(load_settings(rules=Path("nowhere.yaml")))).select("rules")
    assert missing.says == "nowhere.yaml:1:1: the rules can't be read: No such file or directory."
    assert missing.fix == "Is the path right, and may stlflow read it?"


def test_a_test_that_comes_out_otherwise(look: Look) -> None:
    text = RULES.format(send_to="backlog") + "tests:\n  - file: {path: x.stl}\n    expect: {preset: Nylon}\n"
    doubt = look(rules_checks(with_rules(text))).select("rules.doubts")
    assert doubt.grade is Grade.WARN
    assert doubt.says.startswith("own.yaml:9: the test ")
    assert doubt.says.endswith("fails.")


def test_print_now_that_is_not_armed(look: Look) -> None:
    text = RULES.format(send_to="print_now") + "    device: {series: Desktop Series}\n"
    unarmed = look(rules_checks(with_rules(text))).select("rules.starts")
    assert (unarmed.grade, unarmed.says) == (
        Grade.WARN,
        "Not armed: builds that these rules would print at once are held: all.",
    )
    armed = look(rules_checks(with_rules(text, print_now_armed=True))).select("rules.starts")
    assert (armed.grade, armed.says) == (Grade.OK, "Armed: these rules start machines: all.")


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process can't be set here")
def test_due_dates_in_utc_are_told(look: Look, monkeypatch: pytest.MonkeyPatch, context: Settings) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    utc = look(rules_checks(context)).select("rules.timezone")
    assert utc.says.startswith("Due dates are computed in UTC, the time zone of this machine (")
    vienna = context.model_copy(update={"timezone": "Europe/Vienna"})
    told = look(rules_checks(vienna)).select("rules.timezone")
    assert (told.grade, told.says[-16:]) == (Grade.OK, "(Europe/Vienna).")
