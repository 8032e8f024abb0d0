"""`stlflow simulator --profile realistic` behaves as the real service was seen to."""

import json
import subprocess
import sys

import pytest

from tests.simulator.caller import Caller


def devices(*words: str) -> set[str]:
    """Return the device types of a simulator that was started with these arguments."""
    command = [sys.executable, "-m", "workflow", "simulator", "--port", "0", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            caller = Caller(json.loads(process.stdout.readline())["url"])
            with caller.session:
                return {device["device_type"] for device in caller.get("/devices")["items"]}
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("words", "beyond_the_enums"),
    [
        (["--profile", "realistic"], True),
        (["--quirk", "open-enums"], True),
        (["--quirk", "null-device"], False),
    ],
)
def test_quirks_are_chosen_one_by_one_or_as_a_profile(words: list[str], beyond_the_enums: bool) -> None:
    assert ({"FX10", "Sinter-1"} <= devices(*words)) == beyond_the_enums


def test_an_unknown_quirk_lists_the_available_ones() -> None:
    command = [sys.executable, "-m", "workflow", "simulator", "--quirk", "open-enum"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert "'open-enum' is none of deaf-printer, extra-fields, " in ended.stderr
    assert "Did you mean 'open-enums'?" in ended.stderr
