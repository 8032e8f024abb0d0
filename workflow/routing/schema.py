"""The JSON Schema of rules files, for editors; made from the table of facts and the reader's words."""

import re
from collections.abc import Iterable, Sequence

from workflow.routing.facts import BUILD_PREFIX, NUMERIC, TAG_PREFIX, TEXTUAL, Fact, Kind, Stage, fact_table
from workflow.routing.intervals import COMPARISON, NUMBER
from workflow.routing.reading_actions import (
    DESTINATIONS,
    INTAKE_ACTIONS,
    OTHERWISE,
    ROUTING_ACTIONS,
)
from workflow.routing.reading_device import CHOICES, MOST_SPARE_PERCENT
from workflow.routing.reading_fleet import AMOUNTS, TEXTS
from workflow.routing.reading_tests import EXPECTED
from workflow.routing.rulebook import MOST_COPIES
from workflow.routing.times import TIME, WEEKDAYS

Schema = dict[str, object]
_TEXT: Schema = {"type": "string", "minLength": 1}
_DATE: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_DUE: Schema = {
    "type": "string",
    "pattern": r"^(\d{4}-\d{2}-\d{2}|\+\s*\d+\s+(working\s+)?days?)$",
    "description": "2026-12-24, +3 days or +3 working days; for backlog and job_request",
}
_COMPARED: Schema = {
    "type": ["number", "string"],
    "pattern": rf"^\s*({COMPARISON.pattern}|{NUMBER}\s*\.\.\s*{NUMBER}|{NUMBER})\s*$",
}


_TIMES: Schema = {"type": "string", "pattern": rf"^\s*({TIME}\s*\.\.\s*{TIME}|(>=|<=|>|<)\s*{TIME})\s*$"}
_DAY = "|".join(f"{day[:3]}({day[3:]})?" for day in WEEKDAYS)
_DAYS: Schema = {"type": "string", "pattern": rf"^({_DAY})(\s*\.\.\s*({_DAY}))?$"}
_COPIES: Schema = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": MOST_COPIES},
        {"type": "string", "pattern": rf"^{re.escape(TAG_PREFIX)}[a-z][a-z0-9_]*$"},
    ],
    "description": "how many times it is sent: a number, or a tag of the file's name",
}
_TAGGED: Schema = {
    rf"^{re.escape(TAG_PREFIX)}[a-z][a-z0-9_]*$": {
        "anyOf": [{"type": ["number", "string"]}, {"type": "array", "minItems": 1}],
        "description": "what the file's name says, by the patterns under `names`",
    }
}


def json_schema() -> Schema:
    """Give the schema (draft 2020-12) as a document ready for JSON."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "stlflow rules",
        **_group(
            {
                "version": {"const": 1},
                "names": _list(_TEXT, "patterns for names of files, like {project}_{qty}x"),
                "intake": _list(_intake_rule(), "how a part is uploaded, or not; first match decides"),
                "routing": _list(_routing_rule(), "where a build goes; first match decides"),
                "tests": _list(_test(), "what the rules are meant to do"),
            },
            required=("version", "intake", "routing"),
        ),
        "$defs": {
            "intake_when": _when("intake_when", _facts_at(Stage.INTAKE)),
            "routing_when": _when("routing_when", fact_table()),
        },
    }


def _group(properties: Schema, required: Sequence[str] = (), about: str = "") -> Schema:
    group: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    group |= {"required": list(required)} if required else {}
    return group | ({"description": about} if about else {})


def _list(items: Schema, about: str = "") -> Schema:
    return {"type": "array", "minItems": 1, "items": items} | ({"description": about} if about else {})


def _one_or_more(item: Schema) -> Schema:
    return {"anyOf": [item, _list(item)]}


def _about(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def _facts_at(stage: Stage) -> tuple[Fact, ...]:
    return tuple(fact for fact in fact_table() if fact.stage is stage)


def _when(name: str, facts: Iterable[Fact]) -> Schema:
    again: Schema = {"$ref": f"#/$defs/{name}"}
    groups: Schema = {
        "all": _list(again, "every entry is met"),
        "any": _list(again, "at least one entry is met"),
        "not": _about(again, "not all of this is met"),
    }
    conditions: Schema = {fact.name: _about(_condition(fact), _fact_words(fact)) for fact in facts}
    return {**_group({**conditions, **groups}), "patternProperties": _TAGGED, "minProperties": 1}


def _condition(fact: Fact) -> Schema:
    if fact.kind in TEXTUAL:
        return _one_or_more(_TEXT)
    if fact.kind in NUMERIC:
        return _one_or_more(_COMPARED)
    worded = {Kind.TIME: _TIMES, Kind.WEEKDAY: _DAYS}
    return _one_or_more(worded[fact.kind]) if fact.kind in worded else {"type": "boolean"}


def _fact_words(fact: Fact) -> str:
    unit = f" in {fact.unit}" if fact.unit else ""
    return f"{fact.kind}{unit}: {fact.source}. Known {fact.known}, like {fact.example}"


def _rule(stage: str, actions: Sequence[str], properties: Schema) -> Schema:
    named: Schema = {
        "name": _about(_TEXT, "stands in every note and log"),
        "when": {"$ref": f"#/$defs/{stage}_when"},
        "hold": _about(_TEXT, "wait for a person, and say why"),
    }
    one_of = [{"required": [action]} for action in actions]
    return {**_group({**named, **properties}, required=("name",)), "oneOf": one_of}


def _intake_rule() -> Schema:
    return _rule(
        "intake",
        INTAKE_ACTIONS,
        {
            "preset": _about(_TEXT, "title or id of a settings preset in Eiger"),
            "owner": _about(_TEXT, "e-mail address, name or id of a user in Eiger"),
            "folder": _about(_TEXT, "id of a folder in Eiger"),
            "reject": _about(_TEXT, "set the file aside, and say why"),
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
            "hold_first": _about(_TEXT, "a person looks before it is sent, and why"),
            "approve_first": {"type": "boolean", "description": "have the build approved in Eiger first"},
        },
    )


def _device() -> Schema:
    globs = _one_or_more(_TEXT)
    return _group(
        {
            "name": globs,
            "series": globs,
            "type": globs,
            "state": globs,
            "material": {"const": "loaded"},
            "spare_percent": {"type": "number", "minimum": 0, "maximum": MOST_SPARE_PERCENT},
            "queue_hours": _about(_COMPARED, "how long its queue may be, in hours"),
            "queue_length": _about(_COMPARED, "how many builds may be queued"),
            "choose": {"enum": list(CHOICES)},
        },
        about="which devices may take the build",
    )


def _test() -> Schema:
    build = {fact.name.removeprefix(BUILD_PREFIX): _value(fact) for fact in _facts_at(Stage.ROUTING)}
    build.pop("preset")
    file: Schema = {fact.name: _value(fact) for fact in _facts_at(Stage.INTAKE)}
    plain: Schema = {"due": _DATE, "copies": {"type": "integer"}, "approve_first": {"type": "boolean"}}
    expected: Schema = {**dict.fromkeys(EXPECTED, _TEXT), **plain}
    return _group(
        {
            "name": _TEXT,
            "file": _group(file, required=("path",)),
            "build": _group(dict(build)),
            "devices": _list(_fleet(), "what is known of the devices, so that one is chosen"),
            "today": _DATE,
            "expect": {**_group(expected), "minProperties": 1},
        },
        required=("file", "expect"),
    )


def _fleet() -> Schema:
    amounts = {key: {"type": "number", "minimum": 0} for key in AMOUNTS}
    return _group({**dict.fromkeys(TEXTS, _TEXT), **amounts}, required=("name",))


def _value(fact: Fact) -> Schema:
    kinds = {Kind.NUMBER: "number", Kind.COUNT: "integer", Kind.FLAG: "boolean"}
    return {"type": kinds.get(fact.kind, "string")}
