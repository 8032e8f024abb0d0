"""`stlflow notify`: test messages, and who hears of what."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Say
from tests.notices.outbox import submit
from tests.notices.receivers import Receiver, http_receiver
from workflow.ledger import Ledger
from workflow.model import EventKind

RULES = """\
version: 1
intake:
  - {name: everything, preset: Onyx, notify: eva@example.com}
routing:
  - {name: all, send_to: backlog, notify: [shop]}
"""


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with http_receiver() as receiver:
        (tmp_path / "stlflow.toml").write_text(
            'rules = "rules.yaml"\n[notices]\nquiet_hours = "19:00-06:30"\nconsole_url = "https://prints.example.com"\n'
            f'[notices.targets.shop]\nwebhook = "{receiver.url}?s3cret"\ninternal = true\n'
            '[notices.targets.administrator]\nmail = "it@example.com"\n'
            '[notices.folders]\nanna = "anna@example.com"\n',
            "utf-8",
        )
        (tmp_path / "rules.yaml").write_text(RULES, "utf-8")
        yield receiver


def test_a_test_sends_an_example_of_each_event_that_a_target_hears(say: Say, receiver: Receiver) -> None:
    ended = say("notify", "test", "shop")
    assert ended.code == 0
    assert [line.split() for line in ended.out.splitlines()] == [
        ["shop", "(webhook)", event, "sent"] for event in ("held", "failed", "late")
    ]
    documents = receiver.documents()
    assert [document["events"] for document in documents] == [["held"], ["failed"], ["late"]]
    assert documents[0]["title"] == "Test: bracket.stl: held"
    assert documents[0]["link"] == "https://prints.example.com/s/17"
    assert documents[0]["paragraphs"][0]["title"] == "Test"


def test_what_fails_is_said_without_the_secret(say: Say, receiver: Receiver) -> None:
    receiver.behavior = "403"
    ended = say("notify", "test")
    assert ended.code == 1
    assert "shop (webhook)  held          FAILED: 127.0.0.1 answered 403" in ended.out
    assert "administrator (mail)  trouble       FAILED: no mail server is set" in ended.out
    assert "s3cret" not in ended.out + ended.err


def test_a_target_that_is_not_there(say: Say, receiver: Receiver) -> None:
    ended = say("notify", "test", "shp")
    assert ended.code == 2
    assert "There is no target shp. Did you mean shop?" in ended.err


def test_without_targets_it_says_so(say: Say) -> None:
    assert "No target is set" in say("notify", "test").out


def test_who_hears_of_a_file(say: Say, receiver: Receiver) -> None:
    ended = say("notify", "show", "anna/bracket.stl")
    assert ended.code == 0
    lines = dict(line.split(maxsplit=1) for line in ended.out.splitlines())
    assert lines["held"] == "shop (webhook), anna@example.com (mail)"
    assert lines["sent"] == "nobody"
    assert lines["printed"] == "anna@example.com (mail)"
    assert lines["trouble"] == "administrator (mail)"
    assert lines["From"] == "19:00 to 06:30 only: held, failed, trouble."
    assert receiver.asked == 0


def test_a_number_that_no_submission_has(say: Say, receiver: Receiver) -> None:
    assert say("notify", "show", "9" * 30).code == 0  # so long a word is the name of a file
    assert say("notify", "show", "²").code == 0
    assert say("notify", "show", "99").one_line().startswith("stlflow: There is no submission 99.")


def test_who_hears_of_a_submission_and_what(say: Say, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    ledger = Ledger(f"sqlite:///{tmp_path / 'state' / 'stlflow.db'}")
    number = submit(ledger, "bracket.stl", EventKind.HELD, "3 holes.")
    ledger.update_submission(ledger.get(number), intake_rule="everything")
    ledger.close()
    ended = say("notify", "show", str(number))
    assert "held          shop (webhook), eva@example.com (mail)" in ended.out
    assert (
        "bracket.stl: held\n\nWhat\n  bracket.stl is HELD: a person has to decide.\n\nWhy\n  3 holes."
        in ended.out
    )
    assert ended.out.endswith(f"https://prints.example.com/s/{number}\n")


def test_the_settings_show_a_target_without_its_address(say: Say, receiver: Receiver) -> None:
    ended = say("config", "show")
    assert "notices.targets.shop" in ended.out
    assert "webhook (set)  (stlflow.toml" in ended.out
    assert "s3cret" not in ended.out
