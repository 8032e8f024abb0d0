"""`stlflow doctor` as people and scripts meet it."""

from pathlib import Path

import pytest

from tests.cli.command import QUICK, Desk
from tests.cli.conftest import Say
from workflow.doctor import all_checks

SECRET = "hemmelig-90b2-5577aa01"


@pytest.fixture
def context(desk: Desk, say: Say, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A new shop in the current folder, with the keys of the simulated cloud."""
    assert say("init").code == 0
    keys = Path(".env")
    keys.write_text("STLFLOW_ACCESS_KEY=demo\nSTLFLOW_SECRET_KEY=demo\n")
    keys.chmod(0o600)
    monkeypatch.setenv("STLFLOW_EIGER_URL", desk.url)
    monkeypatch.setenv("STLFLOW_REQUESTS_PER_SECOND", QUICK["STLFLOW_REQUESTS_PER_SECOND"])
    monkeypatch.setenv("STLFLOW_TIMEZONE", "Europe/Vienna")
    return desk


def test_a_new_shop_is_well(context: Desk, say: Say) -> None:
    well = say("doctor")
    assert (well.code, well.err) == (0, "")
    *lines, counts = well.out.splitlines()
    assert [line.split()[1] for line in lines] == [check.name for check in all_checks()]
    assert counts == f"{len(lines)} ok, 0 warn, 0 fail."


def test_the_document_for_scripts(context: Desk, say: Say) -> None:
    document = say("doctor", "--json").document()
    assert tuple(document) == ("ok", "exit_code", "counts", "checks")
    assert (document["ok"], document["exit_code"]) == (True, 0)
    assert set(document["counts"]) == {"ok", "warn", "fail", "skip"}
    assert {tuple(each) for each in document["checks"]} == {("check", "grade", "says", "fix")}
    assert [each["check"] for each in document["checks"]] == [check.name for check in all_checks()]


def test_before_init_it_makes_nothing_and_says_what_is_missing(say: Say, tmp_path: Path) -> None:
    first = say("doctor")
    assert first.code == 2
    assert list(tmp_path.iterdir()) == []
    assert "No keys for Eiger: STLFLOW_ACCESS_KEY and STLFLOW_SECRET_KEY not set." in first.out
    assert "Skipped: 28 checks, because of state, share, cloud.keys." in first.out


def test_a_wrong_setting_closes_everything_that_hangs_on_it(
    context: Desk, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STLFLOW_SWEEP_SECONDS", SECRET)
    wrong = say("doctor", "--json")
    checks = wrong.document()["checks"]
    assert wrong.code == 2
    assert checks[1]["says"].startswith("The environment: STLFLOW_SWEEP_SECONDS is ")
    assert {each["grade"] for each in checks[2:]} == {"skip"}
    assert [each["check"] for each in checks] == [check.name for check in all_checks()]
    assert SECRET not in wrong.out


@pytest.mark.parametrize(
    ("name", "value", "code", "line"),
    [
        ("STLFLOW_EIGER_URL", "http://127.0.0.1:9/api/v3", 3, "No connection to http://127.0.0.1:9/api/v3"),
        ("STLFLOW_SECRET_KEY", SECRET, 3, "401: Eiger refuses the access keys."),
        ("STLFLOW_RULES", "nowhere.yaml", 2, "nowhere.yaml:1:1: the rules can't be read"),
        ("STLFLOW_SHARE", "unmounted/share", 1, "can't be made: "),
    ],
    ids=["offline", "wrong keys", "no rules", "no share"],
)
def test_exit_codes(
    context: Desk, say: Say, monkeypatch: pytest.MonkeyPatch, name: str, value: str, code: int, line: str
) -> None:
    monkeypatch.setenv(name, value)
    ended = say("doctor")
    assert ended.code == code
    (failed,) = [each for each in ended.out.splitlines() if each.startswith("fail")]
    assert line in failed
    assert "→" in ended.out.splitlines()[ended.out.splitlines().index(failed) + 1]
    assert SECRET not in ended.out
