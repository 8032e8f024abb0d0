"""schemathesis against the simulator: whatever request it generates, the reply fits the contract.

A longer run, in `test_fuzzed_for_long.py`: `pytest -m long tests/contract`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, CheckFunction, GenerationMode, HookContext
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.contract.amended import amended_contract
from tests.contract.disagreements import REFUSED_THOUGH_WELL_FORMED
from tests.simulator.caller import Caller, calling
from workflow.simulator.contract import operations

QUICK_EXAMPLES = 5
STEADY = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))

KNOWN_IDS: dict[str, str] = {}
"""By parameter name: an id of each kind that the simulator has."""


class Keys:
    """The right keys; schemathesis removes them to try without."""

    def get(self, _case: Case[Any], _context: schemathesis.AuthContext) -> str:
        return "Basic ZGVtbzpkZW1v"

    def set(self, case: Case[Any], keys: str, _context: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = keys


def map_path_parameters(_context: HookContext, values: dict[str, Any] | None) -> dict[str, Any] | None:
    return {name: known(name, value) for name, value in values.items()} if values else values


def map_body(_context: HookContext, body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    return {name: known(f"{name}_id", value) for name, value in body.items()}


def known(name: str, value: Any) -> Any:
    """Replace half of the generated ids with existing ones: otherwise hardly any request would succeed."""
    well_formed = isinstance(value, str) and len(value) == 36
    return KNOWN_IDS.get(name, value) if well_formed and value[0] in "01234567" else value


def prepared(*phases: str) -> schemathesis.BaseSchema:
    schema = schemathesis.openapi.from_dict(amended_contract())
    schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    schema.config.phases.update(phases=list(phases))
    schema.auth()(Keys)
    schema.hook(map_path_parameters)
    schema.hook(map_body)
    return schema


quick = prepared("fuzzing")


@pytest.fixture(scope="module")
def eiger() -> Iterator[Caller]:
    with calling() as caller:
        KNOWN_IDS.update(ids_of_each_kind(caller))
        yield caller


def ids_of_each_kind(caller: Caller) -> Mapping[str, str]:
    build, anvil = caller.build(), caller.device("Anvil")["id"]
    queued = caller.made(f"/devices/{anvil}/queue", {"build": build})
    version = caller.get(f"/builds/{build}")["part_versions"][0]
    slicing = caller.control("GET", "world")["part_versions"][0]["slice_job_id"]
    return {
        "build_id": build,
        "device_id": anvil,
        "queued_job_id": queued["id"],
        "part_id": version["part_id"],
        "part_version_id": version["id"],
        "slice_job_id": slicing,
        "print_job_id": caller.get("/print_jobs")["items"][0]["id"],
        "printed_part_id": caller.get("/printed_parts")["items"][0]["id"],
        "settingsPresetId_id": caller.preset("Onyx"),
    }


def hold(case: Case[Any], eiger: Caller) -> None:
    operation = operations()[case.operation.definition.raw["operationId"]]
    excluded: list[CheckFunction] = []
    if operation.id in REFUSED_THOUGH_WELL_FORMED:
        excluded.append(positive_data_acceptance)
    if operation.not_found_status == 500:  # NOT_FOUND_IS_500; a crash would answer with no JSON
        excluded.append(not_a_server_error)
    case.call_and_validate(base_url=eiger.url, excluded_checks=excluded)


@quick.parametrize()
@settings(STEADY, max_examples=QUICK_EXAMPLES)
def test_the_contract_holds(case: Case[Any], eiger: Caller) -> None:
    hold(case, eiger)
