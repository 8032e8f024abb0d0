"""The JSON Schema for editors: it takes what the reader takes, and marks what people mistype."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tests.routing.test_load import CASES, GOOD
from workflow.resources import resource_folder
from workflow.routing import FACT_TABLE
from workflow.routing.json_schema import rules_json_schema

VALIDATOR = jsonschema_rs.Draft202012Validator(rules_json_schema())
MARKED_BY_EDITORS = [
    "unknown-key",
    "unknown-fact",
    "build-without-dot",
    "build-fact-before-upload",
    "number-with-unit",
    "flag-in-words",
    "when-empty",
    "when-is-text",
    "no-name",
    "no-action",
    "two-actions",
    "no-routing",
    "other-version",
    "empty-list",
    "unknown-destination",
    "due-in-words",
    "device-is-text",
    "device-material",
    "otherwise-to-a-device",
    "test-wrong-facts",
]


def plain(node: Node) -> object:
    """Return nodes as an editor sees them: YAML's core types, and dates as text."""
    match node:
        case MappingNode():
            return {str(key.value): plain(value) for key, value in node.value}
        case SequenceNode():
            return [plain(each) for each in node.value]
        case ScalarNode(tag=tag, value=value):
            kind = str(tag).rpartition(":")[2]
            return json.loads(str(value)) if kind in {"int", "float", "bool"} else value or None
    raise AssertionError(node)


def document(file: Path) -> object:
    return plain(YAML(typ="safe", pure=True).compose(file.read_text("utf-8")))


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_the_schema_takes_good_files(file: Path) -> None:
    VALIDATOR.validate(document(file))


@pytest.mark.parametrize("mistake", MARKED_BY_EDITORS)
def test_editors_mark_what_is_mistyped(mistake: str) -> None:
    assert not VALIDATOR.is_valid(document(CASES / f"bad-{mistake}.yaml"))


def test_every_fact_is_explained_where_it_can_be_used() -> None:
    definitions = rules_json_schema()["$defs"]
    assert isinstance(definitions, dict)
    conditions = definitions["routing_when"]["properties"]
    for fact in FACT_TABLE:
        assert fact.source in conditions[fact.name]["description"]
    assert "build.print_hours" not in definitions["intake_when"]["properties"]


def test_the_schema_that_ships_is_fresh() -> None:
    """`stlflow rules schema > rules/rules.schema.json` writes it anew."""
    shipped_schema = resource_folder("rules") / "rules.schema.json"
    assert json.loads(shipped_schema.read_text("utf-8")) == rules_json_schema()
    for file in resource_folder("rules").glob("*.yaml"):
        first = file.read_text("utf-8").splitlines()[0]
        assert first == f"# yaml-language-server: $schema={shipped_schema.name}"


def test_the_schema_is_a_document() -> None:
    assert json.loads(json.dumps(rules_json_schema())) == rules_json_schema()
