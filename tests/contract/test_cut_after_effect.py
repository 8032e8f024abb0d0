"""The connection is cut after the effect of an operation: outcome unknown, nothing is sent again."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.contract.spoken import Speak
from tests.contract.test_one_to_one import VERBS, furnished
from tests.simulator.caller import Caller, cube
from workflow.eiger import OPERATIONS

EFFECTS = tuple(each.id for each in OPERATIONS if not each.reads)
POSTS = tuple(each.id for each in OPERATIONS if each.method == "POST")
MADE: Mapping[str, str] = {
    "printToPrinter": "print_job",
    "appendToDeviceQueue": "queued_job",
    "sendBuildToBacklog": "print_job",
    "sendBuildToJobRequestQueue": "print_job",
    "uploadStl": "part_version",
}


def spoken(speak: Speak, operation_id: str, ids: Mapping[str, str]) -> tuple[int, str]:
    name, words = VERBS[operation_id]
    ended = speak("eiger", *name.split(), *(word.format(**ids) for word in words.split()))
    return ended.code, ended.err.splitlines()[-1] if ended.err else ""


@pytest.mark.parametrize("operation_id", EFFECTS)
def test_it_is_sent_once_and_the_outcome_is_called_unknown(
    context: Caller, speak: Speak, operation_id: str
) -> None:
    Path("part.stl").write_bytes(cube(7.0))
    ids = furnished(context)
    before = len(context.control("GET", "journal"))
    context.fault(operation_id, "cut_after")
    code, said = spoken(speak, operation_id, ids)
    sent = [each for each in context.control("GET", "journal")[before:] if each["operation"] == operation_id]
    assert len(sent) == 1
    assert sent[0]["effect"]
    if operation_id == "approveBuilds":  # a set is what it is: a look settles it
        assert code == 0
    else:
        assert code == 3
        unknown = "Eiger may or may not have done it: check there before sending it again."
        assert said.startswith("stlflow: The connection to ")
        assert said.endswith(f" was cut during {operation_id}. {unknown}")


@pytest.mark.parametrize("operation_id", POSTS)
def test_what_a_post_made_is_there_once(context: Caller, speak: Speak, operation_id: str) -> None:
    Path("part.stl").write_bytes(cube(7.0))
    ids = furnished(context)
    before = len(context.control("GET", "journal"))
    context.fault(operation_id, "cut_after")
    spoken(speak, operation_id, ids)
    effects = [each["effect"] for each in context.control("GET", "journal")[before:] if each["effect"]]
    assert [each["made"] for each in effects] == [MADE[operation_id]]


def test_every_post_is_here() -> None:
    assert set(MADE) == set(POSTS)
