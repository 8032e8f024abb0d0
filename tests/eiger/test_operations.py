"""The operations are the contract's: none missing, none invented."""

import re

import pytest

from workflow.contract import contract
from workflow.eiger import OPERATIONS, EigerClient
from workflow.eiger.operations import READ_BUILD, READ_PART_VERSION, UPLOAD_STL
from workflow.errors import BadRequest

METHODS = {"get", "post", "put", "delete"}


def in_contract() -> set[tuple[str, str, str]]:
    return {
        (operation["operationId"], method.upper(), path)
        for path, methods in contract()["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def snake(operation_id: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation_id).lower()


def test_every_operation_is_the_contracts() -> None:
    assert {(each.id, each.method, each.path) for each in OPERATIONS} == in_contract()
    assert len(OPERATIONS) == 28


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_every_operation_is_a_call_of_that_name(operation: object) -> None:
    assert callable(getattr(EigerClient, snake(getattr(operation, "id", ""))))


def test_where_the_contract_maps_500_to_not_found() -> None:
    hiding = {
        operation["operationId"]
        for methods in contract()["paths"].values()
        for method, operation in methods.items()
        if method in METHODS
        and operation["responses"].get("500", {}).get("$ref", "").endswith("resourceNotFoundError")
    }
    assert {each.id for each in OPERATIONS if each.hides_not_found} == hiding
    assert READ_PART_VERSION.hides_not_found
    assert not READ_BUILD.hides_not_found


def test_ids_are_filled_in() -> None:
    assert READ_BUILD.place(build_id="a1-b2") == "/builds/a1-b2"
    assert UPLOAD_STL.place() == "/parts/upload_stl"


@pytest.mark.parametrize("wrong", ["", ".", "..", "../users", "a/b", "a?b", "a#b", "ä", "approved", "a" * 65])
def test_nothing_that_could_mean_another_path_is_an_id(wrong: str) -> None:
    with pytest.raises(BadRequest, match="is no build id: it looks like 2f1c9d0e-") as caught:
        READ_BUILD.place(build_id=wrong)
    assert caught.value.operation == "readBuild"
