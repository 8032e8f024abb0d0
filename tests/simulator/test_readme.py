"""The simulator's README covers every operation, quirk, fault, control request and file."""

import re
from dataclasses import fields
from pathlib import Path

import workflow.simulator
from tests.simulator.caller import Caller
from workflow.simulator import QUIRKS
from workflow.simulator.contract import operations
from workflow.simulator.faults import FAULT_KINDS, Fault

FOLDER = Path(workflow.simulator.__file__).parent
README = (FOLDER / "README.md").read_text("utf-8")


def test_every_operation_has_its_evidence() -> None:
    table = README.split("## How certain")[1].split("\n\nEvery operation")[0]
    named = re.findall(r"^\| ([A-Z_a-z, ]+?) \|", table, re.MULTILINE)[1:]
    assert {name for row in named for name in row.split(", ")} == set(operations())


def test_every_quirk_and_fault_is_described() -> None:
    for name in (*QUIRKS, *FAULT_KINDS, *(each.name for each in fields(Fault) if each.name != "hits")):
        assert f"`{name}`" in README or f'"{name}"' in README, name


def test_every_control_request_is_described(eiger: Caller) -> None:
    for path in re.findall(r"/_sim/(\w+)", README):
        assert eiger.session.get(f"{eiger.root}/_sim/{path}").status_code != 404, path


def test_every_file_is_on_the_map() -> None:
    for file in FOLDER.glob("*.py"):
        listed = f"`{file.name}`" in README
        assert listed or file.name == "__init__.py", file.name
