"""What the doctor says of notices."""

from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.doctor.conftest import Look
from tests.notices.outbox import Clock, notifier, submit, target, work
from workflow.doctor import Grade
from workflow.doctor.ledger import LedgerAccess
from workflow.doctor.notices import notice_checks, outbox_checks
from workflow.ledger import Ledger
from workflow.model import EventKind
from workflow.settings import Settings, load_settings

SLACK = '[notices.targets.shop]\nslack = "https://hooks.slack.com/s3cret"\n'


def says(look: Look, text: str) -> list[str]:
    file = Path("stlflow.toml")
    file.write_text(text, "utf-8")
    file.chmod(0o600)
    return [finding.says for finding in look(notice_checks(load_settings())).findings]


def test_targets_that_can_be_used(look: Look) -> None:
    assert says(look, "") == ["Nobody is told anything: no target for notices is set."]
    assert says(look, SLACK) == ["Notices go to shop by slack. `stlflow notify test` sends examples."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[notices.folders]\nanna = "shopp"\n',
            "notices.folders.anna names shopp, and there is no such target.",
        ),
        (
            '[notices.owners]\nanna = "anna@example.com"\n',
            "No mail server is set, and anna@example.com is told by mail.",
        ),
        pytest.param(
            '[notices.targets.it]\napprise = "ntfy://s3cret"\n',
            "Target it needs Apprise, which is missing.",
            marks=pytest.mark.skipif(find_spec("apprise") is not None, reason="Apprise is here"),
        ),
        (SLACK.replace("https", "http"), "Target shop gets its notices unencrypted."),
        (
            '[notices]\nconsole_url = "http://printsrv01"\n' + SLACK.replace("slack", "teams"),
            "Teams opens no link to a machine whose name has digits: printsrv01.",
        ),
    ],
)
def test_targets_that_can_not(look: Look, text: str, expected: str) -> None:
    assert says(look, text) == [expected]


def test_a_rule_that_names_nobody(look: Look) -> None:
    Path("rules.yaml").write_text(
        "version: 1\nintake:\n  - {name: all, preset: Onyx, notify: shpo}\n"
        "routing:\n  - {name: rest, send_to: backlog}\n"
    )
    found = says(look, 'rules = "rules.yaml"\n' + SLACK)
    assert found == ["Rule 'all' names shpo, and there is no such target."]


def test_addresses_that_others_may_read(look: Look) -> None:
    says(look, SLACK)
    Path("stlflow.toml").chmod(0o644)
    (finding,) = look(notice_checks(load_settings())).findings
    assert finding.grade is Grade.WARN
    assert finding.says == "stlflow.toml holds secrets of notices, and others may read it."
    Path("stlflow.toml").write_text('[notices]\nmail_password = "s3cret"\n')
    assert "others may read" in look(notice_checks(load_settings())).findings[0].says
    Path("stlflow.toml").write_text('[notices.targets.anna]\nmail = "a@b.c"\n')
    assert "others may read" not in look(notice_checks(load_settings())).findings[0].says


def test_what_was_not_delivered_is_told(look: Look, context: Settings) -> None:
    assert look(outbox_checks(LedgerAccess(context))).select("notices.outbox").grade is Grade.OK
    ledger, clock = Ledger(context.database), Clock()
    sender = notifier(ledger, clock, shop=target("http://127.0.0.1:9/s3cret"))
    for at in range(5):
        submit(ledger, f"{at}.stl", EventKind.HELD)
    clock.turn(31)
    work(sender)
    waiting = look(outbox_checks(LedgerAccess(context))).select("notices.outbox")
    assert waiting.grade is Grade.WARN
    assert waiting.says == (
        "Notices: 5 waiting for the next try. shop: 127.0.0.1:9 can't be reached: Connection refused."
    )
    clock.ahead += timedelta(days=2)
    work(sender)
    given_up = look(outbox_checks(LedgerAccess(context))).select("notices.outbox")
    assert "5 not delivered within a day and given up" in given_up.says
    ledger.close()
