import pytest

from tests.simulator.caller import UNKNOWN_ID
from workflow.simulator.contract import InvalidRequest, match_path, operations, validate_body, validate_query
from workflow.simulator.operations import OPERATION_FUNCTIONS


def test_every_operation_of_the_contract_is_answered_and_no_other() -> None:
    assert len(operations()) == 28
    assert set(OPERATION_FUNCTIONS) | {"uploadStl"} == set(operations())


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/builds", "listBuilds"),
        ("GET", "/builds/approved", "listApprovedBuilds"),
        ("GET", f"/builds/{UNKNOWN_ID}", "readBuild"),
        ("GET", "/builds/no-uuid", "readBuild"),
        ("DELETE", f"/devices/{UNKNOWN_ID}/queue/{UNKNOWN_ID}", "removeFromDeviceQueue"),
        ("POST", "/parts/upload_stl", "uploadStl"),
    ],
)
def test_paths_lead_to_their_operations(method: str, path: str, operation: str) -> None:
    matched = match_path(method, path)
    assert matched is not None
    assert matched.operation is operations()[operation]


@pytest.mark.parametrize("path", ["", "/", "/builds/", "/build", "/builds/a/b", "/devices/a/queue/b/c"])
def test_other_paths_lead_nowhere(path: str) -> None:
    assert match_path("GET", path) is None


def test_a_literal_path_wins_over_a_template_for_other_methods_too() -> None:
    matched = match_path("POST", "/builds/approved")
    assert matched is not None
    assert matched.operation is None
    assert matched.allowed == ("GET", "PUT", "DELETE")


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        ("readBuild", 404),
        ("readPart", 500),
        ("getSliceStatus", 500),
        ("uploadStl", 500),
        ("readPartVersion", 500),
        ("sendBuildToBacklog", 400),
        ("printToPrinter", 404),
        ("removeBuildFromJobRequestQueue", 404),
    ],
)
def test_what_an_unknown_id_is_answered_with(operation: str, status: int) -> None:
    assert operations()[operation].not_found_status == status


def test_a_filter_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"filter\[title\]\[eq\] is not a parameter of listUsers\."):
        validate_query(operations()["listUsers"], [("filter[title][eq]", "x")])


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"page\[size\] is given twice\."):
        validate_query(operations()["listUsers"], [("page[size]", "1"), ("page[size]", "2")])


def test_other_unknown_parameters_pass() -> None:
    assert validate_query(operations()["listUsers"], [("utm_source", "x")]) == {}


def test_no_body_is_an_empty_one() -> None:
    assert validate_body(operations()["sendBuildToBacklog"], None) == {}
    with pytest.raises(InvalidRequest, match=r"build is missing\."):
        validate_body(operations()["printToPrinter"], None)
