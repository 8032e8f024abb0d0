"""Each of the contract's 28 operations is one call, one route and one verb: none missing, none extra."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from tests.contract.spoken import Speak, speaker
from tests.simulator.caller import Caller, calling, cube
from workflow.cli.eiger import eiger
from workflow.contract import contract
from workflow.eiger import OPERATIONS, EigerClient
from workflow.simulator import REALISTIC_QUIRKS, SimulatorOptions
from workflow.simulator.contract import operations
from workflow.simulator.operations import OPERATION_FUNCTIONS

METHODS = {"get", "put", "post", "delete", "patch"}
CONTRACT = {
    operation["operationId"]
    for path in contract()["paths"].values()
    for method, operation in path.items()
    if method in METHODS
}
VERBS: Mapping[str, tuple[str, str]] = {
    "listBuilds": ("builds list", "--sliced yes --limit 2"),
    "readBuild": ("builds show", "{build}"),
    "listApprovedBuilds": ("builds approved", ""),
    "approveBuilds": ("builds approve", "{build} --switch-on"),
    "disableApprovedBuilds": ("builds disable-approvals", "--yes"),
    "listDevices": ("devices list", "--order desc"),
    "readDevice": ("devices show", "{device}"),
    "printToPrinter": ("devices print", "{device} {build} --yes --look-seconds 0.1"),
    "listDeviceQueue": ("queue list", "{device}"),
    "readDeviceQueue": ("queue show", "{device} {entry}"),
    "appendToDeviceQueue": ("queue add", "{device} {build}"),
    "removeFromDeviceQueue": ("queue remove", "{device} {entry}"),
    "sendBuildToBacklog": ("backlog add", "{build} --due 2027-03-01"),
    "sendBuildToJobRequestQueue": ("job-requests add", "{build}"),
    "removeBuildFromJobRequestQueue": ("job-requests remove", "{build}"),
    "readPart": ("parts show", "{part}"),
    "uploadStl": ("parts upload", "part.stl --preset Onyx"),
    "getSliceStatus": ("parts slice-status", "{slice_job}"),
    "getOrgSettingsPresets": ("parts presets", ""),
    "readPartVersion": ("part-versions show", "{part_version}"),
    "readSignedURL": ("part-versions download", "{part_version} back.stl"),
    "listPrintJobs": ("print-jobs list", "--state Backlogged"),
    "readPrintJob": ("print-jobs show", "{print_job}"),
    "getPrintJobPartScanReport": ("print-jobs scan-report", "{print_job}"),
    "listPrintedParts": ("printed-parts list", "--limit 1"),
    "readPrintedPart": ("printed-parts show", "{printed_part}"),
    "getPrintedPartScanReport": ("printed-parts scan-report", "{printed_part}"),
    "listUsers": ("users list", "--sort email"),
}
"""By operationId: the verb, and arguments that work on a furnished cloud."""


class Verb(NamedTuple):
    """One command of `stlflow eiger`, with its name as it is typed."""

    name: str
    command: click.Command


def verbs() -> Iterator[Verb]:
    assert isinstance(eiger, click.Group)
    context = click.Context(eiger)
    for resource in eiger.list_commands(context):
        group = eiger.get_command(context, resource)
        assert isinstance(group, click.Group)
        yield from (Verb(f"{resource} {verb}", command) for verb, command in group.commands.items())


def calls() -> set[str]:
    return {name for name in dir(EigerClient) if not name.startswith("_")}


def snake(operation_id: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation_id).lower()


def test_the_contract_has_28_operations() -> None:
    assert len(CONTRACT) == 28


def test_the_client_has_one_call_for_each() -> None:
    beside = {
        "close",
        "download_part_version",
        "ping",
        "apply_backpressure",
        "max_effect_seconds",
        "ahead_seconds",
        "share_rate",
        "strain",
        "vitals",
    }
    assert calls() - beside == {snake(each) for each in CONTRACT}
    assert {each.id for each in OPERATIONS} == CONTRACT


def test_the_simulator_has_one_route_for_each() -> None:
    assert set(operations()) == CONTRACT
    assert {*OPERATION_FUNCTIONS, "uploadStl"} == CONTRACT


def test_the_command_line_has_one_verb_for_each() -> None:
    assert set(VERBS) == CONTRACT
    assert sorted(verb.name for verb in verbs()) == sorted(name for name, _ in VERBS.values())


@pytest.mark.parametrize("verb", list(verbs()), ids=lambda verb: verb.name)
def test_every_verb_has_help_json_and_raw(verb: Verb) -> None:
    assert verb.command.help
    assert {"--json", "--raw"} <= {name for parameter in verb.command.params for name in parameter.opts}


def furnished(context: Caller) -> dict[str, str]:
    """Add a part, its build, a queue entry, a job request and a print to the cloud; return all ids."""
    made = context.part(cube(), settingsPresetId=context.preset("Onyx"))
    version = context.get(f"/part_versions/{made['part_version_id']}")
    build = context.get("/builds", sort__order="desc", page__size=1)["items"][0]["id"]
    device = context.device("Anvil")["id"]
    entry = context.made(f"/devices/{device}/queue", {"build": build})["id"]
    print_job = context.made(f"/job-requests/{build}", {})["id"]
    context.control("POST", "clock", {"rate": 60})
    return {
        "build": str(build),
        "device": str(device),
        "entry": str(entry),
        "part": str(version["part_id"]),
        "part_version": made["part_version_id"],
        "slice_job": made["slice_job_id"],
        "print_job": str(print_job),
        "printed_part": str(context.get("/printed_parts")["items"][0]["id"]),
    }


@pytest.mark.parametrize("output", ["", "--json", "--raw"])
@pytest.mark.parametrize("operation_id", VERBS)
def test_every_verb_makes_its_call(context: Caller, speak: Speak, operation_id: str, output: str) -> None:
    ids = furnished(context)
    Path("part.stl").write_bytes(cube(7.0))
    name, words = VERBS[operation_id]
    before = len(context.control("GET", "journal"))
    typed = f"{name} {words.format(**ids)} {output}".split()
    ended = speak("eiger", *typed)
    assert ended.code == 0, ended.err
    assert ended.out
    if output == "--json":
        ended.document()
    seen = [entry["operation"] for entry in context.control("GET", "journal")[before:]]
    if output == "--raw":
        replies = [json.loads(line) for line in ended.out.splitlines()]
        assert len(replies) == seen.count(operation_id)
    assert operation_id in seen
    effects = {each.id for each in OPERATIONS if not each.reads}
    assert [each for each in seen if each in effects] == ([operation_id] if operation_id in effects else [])


def test_raw_is_eigers_own_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with calling(SimulatorOptions(quirks=REALISTIC_QUIRKS)) as eiger:
        speak = speaker(eiger.url, monkeypatch, capsys)
        raw = speak("eiger", "devices", "show", "Onyx Pro - Dowel", "--raw").document()
        assert raw == eiger.get(f"/devices/{raw['id']}")
        assert "loaded_primary_material" not in raw, "an offline device has no such key"
        assert "maintenance_status" in raw, "not in the contract"
        ours = speak("eiger", "devices", "show", "Onyx Pro - Dowel", "--json").document()
        assert (ours["loaded_primary_material"], "maintenance_status" in ours) == (None, False)


def test_raw_prints_each_page_of_a_list(context: Caller, speak: Speak) -> None:
    shown = speak("eiger", "users", "list", "--raw", "--limit", "2").out.splitlines()
    assert [json.loads(line) for line in shown] == [context.get("/users", page__size=2, sort__by="name")]
