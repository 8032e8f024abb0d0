"""Findings and what they mean for the exit code."""

import pytest

from workflow.doctor import Finding, fail, ok, overall_exit_code, skip, warn

CLOUD, SETTINGS, OTHER = fail("a", "b", 3), fail("a", "b", 2), fail("a", "b")


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([], 0),
        ([ok("a"), warn("a", "b"), skip("a")], 0),
        ([ok("a"), OTHER], 1),
        ([OTHER, CLOUD], 3),
        ([OTHER, CLOUD, SETTINGS], 2),
    ],
)
def test_the_exit_code_is_that_of_the_first_in_line(findings: list[Finding], code: int) -> None:
    assert overall_exit_code(findings) == code
    assert overall_exit_code(findings[::-1]) == code
