"""The JSON Schema of rules files, for editors; made from the table of facts and the reader's words."""

import re
from collections.abc import Iterable, Sequence

from workflow.routing.facts import (
    BUILD_PREFIX,
    FACT_TABLE,
    NUMERIC,
    TAG_PREFIX,
    TEXTUAL,
    DecisionStage,
    Fact,
    FactKind,
)
from workflow.routing.matchers import COMPARISON_REGEX, NUMBER_PATTERN, TIME_PATTERN, WEEKDAYS
from workflow.routing.parse_actions import (
    CHOICES,
    DESTINATIONS,
    INTAKE_ACTIONS,
    MAX_SPARE_PERCENT,
    OTHERWISE,
    ROUTING_ACTIONS,
)
from workflow.routing.parse_tests import DEVICE_AMOUNT_KEYS, DEVICE_TEXT_KEYS, EXPECTATION_KEYS, STL_KEY
from workflow.routing.rulebook import MAX_COPIES

Schema = dict[str, object]
_DAY_PATTERN = r"\d{4}-\d{2}-\d{2}"
_TEXT: Schema = {"type": "string", "minLength": 1}
_DATE: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_DUE: Schema = {
    "type": "string",
    "pattern": r"^(\d{4}-\d{2}-\d{2}|\+\s*\d+\s+(working\s+)?days?|tag\.[a-z][a-z0-9_]*)$",
    "description": "2026-12-24, +3 days, +3 working days or tag.due; for backlog and job_request",
}
_NUMBER_SCHEMA: Schema = {
    "type": ["number", "string"],
    "pattern": rf"^\s*({COMPARISON_REGEX.pattern}|{NUMBER_PATTERN}\s*\.\.\s*{NUMBER_PATTERN}|"
    rf"{NUMBER_PATTERN})\s*$",
}


_TIMES: Schema = {
    "type": "string",
    "pattern": rf"^\s*({TIME_PATTERN}\s*\.\.\s*{TIME_PATTERN}|(>=|<=|>|<)\s*{TIME_PATTERN})\s*$",
}
_DAY = "|".join(f"{day[:3]}({day[3:]})?" for day in WEEKDAYS)
_DAYS: Schema = {"type": "string", "pattern": rf"^({_DAY})(\s*\.\.\s*({_DAY}))?$"}
_COPIES: Schema = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": MAX_COPIES},
        {"type": "string", "pattern": rf"^{re.escape(TAG_PREFIX)}[a-z][a-z0-9_]*$"},
    ],
    "description": "how many times it is sent: a number, or a tag of the file's name",
}
_TAG_SCHEMA: Schema = {
    rf"^{re.escape(TAG_PREFIX)}[a-z][a-z0-9_]*$": {
        "anyOf": [{"type": ["number", "string"]}, {"type": "array", "minItems": 1}],
        "description": "what the file's name says, by the patterns under `names`",
    }
}


def rules_json_schema() -> Schema:
    """Return the schema (draft 2020-12) as a document ready for JSON."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "stlflow rules",
        **_object_schema(
            {
                "version": {"const": 1},
                "names": _array_schema(_TEXT, "patterns for names of files, like {project}_{qty}x"),
                "holidays": _array_schema(
                    {
                        "type": "string",
                        "pattern": rf"^(\d{{2}}-\d{{2}}|{_DAY_PATTERN}(\.\.{_DAY_PATTERN})?)$",
                    },
                    "no working days: 12-25 for every year, 2026-12-24, or 2026-12-24..2027-01-01",
                ),
                "intake": _array_schema(
                    _intake_rule(), "how a part is uploaded, or not; the first matching rule wins"
                ),
                "routing": _array_schema(_routing_rule(), "where a build goes; the first matching rule wins"),
                "tests": _array_schema(_rule_test_schema(), "what the rules are meant to do"),
            },
            required=("version", "intake", "routing"),
        ),
        "$defs": {
            "intake_when": _when_schema("intake_when", _facts_at(DecisionStage.INTAKE)),
            "routing_when": _when_schema("routing_when", FACT_TABLE),
        },
    }


def _object_schema(properties: Schema, required: Sequence[str] = (), about: str = "") -> Schema:
    group: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    group |= {"required": list(required)} if required else {}
    return group | ({"description": about} if about else {})


def _array_schema(items: Schema, about: str = "") -> Schema:
    return {"type": "array", "minItems": 1, "items": items} | ({"description": about} if about else {})


def _one_or_more(item: Schema) -> Schema:
    return {"anyOf": [item, _array_schema(item)]}


def _with_description(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def _facts_at(stage: DecisionStage) -> tuple[Fact, ...]:
    return tuple(fact for fact in FACT_TABLE if fact.stage is stage)


def _when_schema(name: str, facts: Iterable[Fact]) -> Schema:
    again: Schema = {"$ref": f"#/$defs/{name}"}
    groups: Schema = {
        "all": _array_schema(again, "every entry is met"),
        "any": _array_schema(again, "at least one entry is met"),
        "not": _with_description(again, "not all of this is met"),
    }
    conditions: Schema = {
        fact.name: _with_description(_comparison_schema(fact), _describe_fact(fact)) for fact in facts
    }
    return {**_object_schema({**conditions, **groups}), "patternProperties": _TAG_SCHEMA, "minProperties": 1}


def _comparison_schema(fact: Fact) -> Schema:
    if fact.kind in TEXTUAL:
        return _one_or_more(_TEXT)
    if fact.kind in NUMERIC:
        return _one_or_more(_NUMBER_SCHEMA)
    worded = {FactKind.TIME: _TIMES, FactKind.WEEKDAY: _DAYS}
    return _one_or_more(worded[fact.kind]) if fact.kind in worded else {"type": "boolean"}


def _describe_fact(fact: Fact) -> str:
    unit = f" in {fact.unit}" if fact.unit else ""
    return f"{fact.kind}{unit}: {fact.source}. Known {fact.known}, like {fact.example}"


def _rule(stage: str, actions: Sequence[str], properties: Schema) -> Schema:
    named: Schema = {
        "name": _with_description(_TEXT, "every note and log shows it"),
        "when": {"$ref": f"#/$defs/{stage}_when"},
        "hold": _with_description(_TEXT, "wait for a person, and say why"),
        "notify": _with_description(_one_or_more(_TEXT), "who hears of it: targets, or e-mail addresses"),
    }
    one_of = [{"required": [action]} for action in actions]
    return {**_object_schema({**named, **properties}, required=("name",)), "oneOf": one_of}


def _intake_rule() -> Schema:
    return _rule(
        "intake",
        INTAKE_ACTIONS,
        {
            "preset": _with_description(_TEXT, "title or id of a settings preset in Eiger"),
            "owner": _with_description(_TEXT, "e-mail address, name or id of a user in Eiger"),
            "folder": _with_description(_TEXT, "id of a folder in Eiger"),
            "reject": _with_description(_TEXT, "set the file aside, and say why"),
        },
    )


def _routing_rule() -> Schema:
    return _rule(
        "routing",
        ROUTING_ACTIONS,
        {
            "send_to": {"enum": list(DESTINATIONS)},
            "due": _DUE,
            "device": _device(),
            "otherwise": {"enum": list(OTHERWISE), "description": "when no device qualifies"},
            "copies": _COPIES,
            "hold_first": _with_description(_TEXT, "a person checks before it is sent, and why"),
            "not_before": {
                "type": "string",
                "pattern": rf"^{TIME_PATTERN}$",
                "description": "a build that comes earlier in the day waits until then",
            },
            "send_between": _with_description(
                _TIMES, "a build that comes outside waits for this time of day"
            ),
            "spread": {"type": "boolean", "description": "deal the copies over the printers that qualify"},
            "approve_first": {"type": "boolean", "description": "have the build approved in Eiger first"},
            "follow": {"type": "boolean", "description": "follow the print to its end"},
        },
    )


def _device() -> Schema:
    globs = _one_or_more(_TEXT)
    return _object_schema(
        {
            "name": globs,
            "series": globs,
            "type": globs,
            "state": globs,
            "material": {"const": "loaded"},
            "spare_percent": {"type": "number", "minimum": 0, "maximum": MAX_SPARE_PERCENT},
            "queue_hours": _with_description(_NUMBER_SCHEMA, "how long its queue may be, in hours"),
            "queue_length": _with_description(_NUMBER_SCHEMA, "how many builds may be queued"),
            "choose": {"enum": list(CHOICES)},
        },
        about="which devices may take the build",
    )


def _rule_test_schema() -> Schema:
    build = {
        fact.name.removeprefix(BUILD_PREFIX): _fact_value_schema(fact)
        for fact in _facts_at(DecisionStage.ROUTING)
    }
    build.pop("preset")
    file: Schema = {fact.name: _fact_value_schema(fact) for fact in _facts_at(DecisionStage.INTAKE)}
    file[STL_KEY] = _with_description(_TEXT, "an STL file to measure, for the facts that are not given")
    plain: Schema = {"due": _DATE, "copies": {"type": "integer"}, "approve_first": {"type": "boolean"}}
    expected: Schema = {**dict.fromkeys(EXPECTATION_KEYS, _TEXT), **plain}
    return _object_schema(
        {
            "name": _TEXT,
            "file": {**_object_schema(file), "anyOf": [{"required": ["path"]}, {"required": [STL_KEY]}]},
            "build": _object_schema(dict(build)),
            "devices": _array_schema(
                _test_device_schema(), "what is known of the devices, so that one is chosen"
            ),
            "today": _DATE,
            "expect": {**_object_schema(expected), "minProperties": 1},
        },
        required=("file", "expect"),
    )


def _test_device_schema() -> Schema:
    amounts = {key: {"type": "number", "minimum": 0} for key in DEVICE_AMOUNT_KEYS}
    return _object_schema({**dict.fromkeys(DEVICE_TEXT_KEYS, _TEXT), **amounts}, required=("name",))


def _fact_value_schema(fact: Fact) -> Schema:
    kinds = {FactKind.NUMBER: "number", FactKind.COUNT: "integer", FactKind.FLAG: "boolean"}
    return {"type": kinds.get(fact.kind, "string")}
