"""The same as `test_fuzzed.py` for minutes; its requests are made up while tests are collected."""

from typing import Any

import pytest
from hypothesis import settings
from schemathesis import Case

from tests.contract.test_fuzzed import STEADY, eiger, hold, prepared
from tests.simulator.caller import Caller

__all__ = ["eiger"]
LONG_EXAMPLES = 300
thorough = prepared("coverage", "fuzzing")


@pytest.mark.long
@thorough.parametrize()
@settings(STEADY, max_examples=LONG_EXAMPLES)
def test_the_contract_holds_for_long(case: Case[Any], eiger: Caller) -> None:
    hold(case, eiger)
