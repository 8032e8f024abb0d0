import string
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.simulator.contract import InvalidRequest, parse_parameter, resolve_reference, validate_value

TIME = {"type": "string", "format": "date-time"}
DAY = {"type": "string", "format": "date"}
ID = {"type": "string", "format": "uuid"}
SIZE = {"type": "integer", "minimum": 1, "maximum": 1000}
CLOSED = {
    "type": "object",
    "properties": {"build": ID, "builds": {"type": "array", "items": ID}},
    "required": ["build"],
    "additionalProperties": False,
}
SOME_ID = "3F2504E0-4f89-41d3-9a0c-0305e82c3301"


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        (SIZE, "1000", 1000),
        ({"type": "boolean"}, "true", True),
        ({"type": "boolean"}, "false", False),
        ({"type": "boolean", "nullable": True}, "null", None),
        ({"type": "string"}, "", ""),
        (ID, SOME_ID, SOME_ID.lower()),
        (DAY, "2028-02-29", date(2028, 2, 29)),
        (TIME, "2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        (TIME, "2026-01-31t08:00:00.25z", datetime(2026, 1, 31, 8, 0, 0, 250_000, tzinfo=UTC)),
        (TIME, "2026-01-31T08:00:00+02:00", datetime(2026, 1, 31, 6, tzinfo=UTC)),
        ({"$ref": "#/components/schemas/PrintJobStateEnum"}, "Backlogged", "Backlogged"),
    ],
)
def test_texts_that_fit(schema: Mapping[str, Any], text: str, value: object) -> None:
    assert parse_parameter(schema, text, "it") == value


@pytest.mark.parametrize(
    ("schema", "text", "message"),
    [
        (SIZE, "0", "it must be at least 1, not 0."),
        (SIZE, "1001", "it must be at most 1000, not 1001."),
        (SIZE, "ten", "it must be a whole number, not 'ten'."),
        ({"type": "boolean", "nullable": True}, "", "it must be true or false, not ''."),
        (SIZE, "1.0", "it must be a whole number, not '1.0'."),
        (SIZE, "٣", "it must be a whole number, not '٣'."),
        ({"type": "boolean"}, "True", "it must be true or false, not 'True'."),
        (ID, "42", "it must be a uuid, not '42'."),
        (DAY, "2026-02-30", "it must be a date like 2026-01-31, not '2026-02-30'."),
        (DAY, "2026-01-31T00:00:00Z", "it must be a date like 2026-01-31, not '2026-01-31T00:00:00Z'."),
        (TIME, "2026-01-31", "it must be a time like 2026-01-31T08:00:00Z, not '2026-01-31'."),
        (TIME, "2026-01-31T25:00:00Z", "not '2026-01-31T25:00:00Z'."),
        (TIME, "0001-01-01T00:00:00+23:59", "not '0001-01-01T00:00:00+23:59'."),
        ({"type": "string", "maxLength": 3}, "four", "it must have at most 3 characters, not 4."),
        ({"type": "string", "enum": ["asc", "desc"]}, "up", "it must be one of asc, desc, not 'up'."),
        ({"type": "string", "enum": ["a"]}, "x" * 200, "x" * 50 + "…"),
    ],
)
def test_texts_that_do_not(schema: Mapping[str, Any], text: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_parameter(schema, text, "it")
    assert message in str(refused.value) or message.replace("…", "") in str(refused.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "build is missing."),
        ([], "The body must be an object, not []."),
        ({"build": 1}, "build must be text, not 1."),
        ({"build": None}, "build must be text, not None."),
        ({"build": SOME_ID, "due_date": "x"}, "'due_date' is not a field here; there is build, builds."),
        ({"build": SOME_ID, "builds": SOME_ID}, f"builds must be a list, not '{SOME_ID}'."),
        ({"build": SOME_ID, "builds": [SOME_ID, "x"]}, "builds[1] must be a uuid, not 'x'."),
    ],
)
def test_bodies_that_do_not_fit(body: object, message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        validate_value(CLOSED, body, "The body")
    assert str(refused.value) == message


def test_an_open_body_passes_unknown_fields_over() -> None:
    schema = {"type": "object", "properties": {"build": ID}}
    assert validate_value(schema, {"build": SOME_ID, "more": 1}, "The body") == {"build": SOME_ID.lower()}


def test_a_number_is_not_a_truth() -> None:
    with pytest.raises(InvalidRequest):
        validate_value(SIZE, True, "it")


def test_references_are_followed() -> None:
    assert "Backlogged" in resolve_reference({"$ref": "#/components/schemas/PrintJobStateEnum"})["enum"]


@given(st.uuids())
def test_every_uuid_fits_and_comes_back_the_same(uuid: UUID) -> None:
    assert UUID(str(parse_parameter(ID, str(uuid).upper(), "it"))) == uuid


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_time_fits_as_python_writes_it(moment: datetime) -> None:
    assert parse_parameter(TIME, moment.isoformat().replace("+00:00", "Z"), "it") == moment


@given(st.text(string.printable, max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for schema in (TIME, DAY, ID, SIZE, {"type": "boolean"}):
        with suppress(InvalidRequest):
            assert isinstance(parse_parameter(schema, text, "it"), datetime | date | str | int)
