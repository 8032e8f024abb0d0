"""Checks in order: gates, limits of time, and checks that break down themselves."""

import threading
from collections.abc import Iterator

import pytest

from workflow.doctor import Check, Finding, Grade, fail, ok, run_check, run_checks, warn
from workflow.errors import ShareError


def test_behind_a_closed_gate_nothing_is_checked() -> None:
    checks = (
        Check("share", "", lambda: [warn("It is not there.", "Mount it.")], gate=True),
        Check("share.rights", "", lambda: pytest.fail("looked at")),
    )
    assert [(each.check, each.grade, each.says) for each in run_checks(checks)] == [
        ("share", Grade.WARN, "It is not there."),
        ("share.rights", Grade.SKIP, "Not checked, because of share."),
    ]


def test_an_open_gate_and_a_failed_check_let_the_rest_through() -> None:
    checks = (
        Check("a", "", lambda: [ok("x")], gate=True),
        Check("b", "", lambda: [fail("x", "y")]),
        Check("c", "", lambda: [ok("x"), ok("y")]),
    )
    assert [each.check for each in run_checks(checks)] == ["a", "b", "c", "c"]


def test_a_check_that_hangs_is_left_behind_and_what_it_found_counts() -> None:
    never = threading.Event()

    def hangs() -> Iterator[Finding]:
        yield ok("The first folder answers.")
        never.wait()

    found = run_check(Check("share.rights", "", hangs, limit_seconds=0.05, silent_code=3))
    never.set()
    assert [(each.grade, each.says, each.exit_code) for each in found] == [
        (Grade.OK, "The first folder answers.", 0),
        (Grade.FAIL, "0.05 s without an answer.", 3),
    ]


@pytest.mark.parametrize(
    ("error", "says", "code"),
    [
        (ShareError("The share is away."), "The share is away.", 2),
        (PermissionError(13, "Permission denied", "/mnt/parts"), "Permission denied: /mnt/parts.", 1),
        (ZeroDivisionError("with a secret in it"), "The check itself failed (ZeroDivisionError).", 1),
    ],
    ids=["our own", "the system's", "a fault"],
)
def test_what_a_check_raises_is_a_finding(error: Exception, says: str, code: int) -> None:
    def raises() -> list[Finding]:
        raise error

    (found,) = run_check(Check("share", "", raises))
    assert (found.grade, found.says, found.exit_code) == (Grade.FAIL, says, code)
    assert found.fix
