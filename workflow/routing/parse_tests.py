"""Read the tests of a rules file: facts and devices in, expectations out; mistakes are noted on the page."""

from datetime import date

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from workflow.model import DeviceFacts, FactValue
from workflow.routing.fact_values import parse_fact_value
from workflow.routing.facts import (
    BUILD_PREFIX,
    FACTS_BY_NAME,
    SECONDS_PER_HOUR,
    TEXTUAL,
    DecisionStage,
    Fact,
    FactKind,
)
from workflow.routing.matchers import parse_number
from workflow.routing.rulebook import RuleTest
from workflow.routing.yaml_reader import NodesByKey, YamlReader, find_value, is_text_node

DEVICE_TEXT_KEYS = ("name", "type", "series", "state", "material", "fiber")
DEVICE_AMOUNT_KEYS = ("primary_cm3", "fiber_cm3", "queue_hours", "queue_length")
TEST_DEVICE_KEYS = (*DEVICE_TEXT_KEYS, *DEVICE_AMOUNT_KEYS)
_STATE = "Ready"


def parse_test_devices(page: YamlReader, node: Node) -> tuple[DeviceFacts, ...]:
    """Read the entries under `devices`; a device is Ready unless it says otherwise."""
    return tuple(_parse_test_device(page, item) for item in page.items(node, "`devices`"))


def _parse_test_device(page: YamlReader, node: Node) -> DeviceFacts:
    nodes = page.group(node, "a device", TEST_DEVICE_KEYS)
    texts = {key: page.text(nodes[key], f"`{key}`") for key in DEVICE_TEXT_KEYS if key in nodes}
    amounts = {key: _parse_amount(page, nodes, key) for key in DEVICE_AMOUNT_KEYS}
    if nodes and "name" not in nodes:
        page.wrong(node, "this device has no `name`", "add `name: …`")
    name, hours, length = texts.get("name") or "", amounts["queue_hours"], amounts["queue_length"]
    return DeviceFacts(
        id=name,
        name=name,
        type=texts.get("type") or "Unknown",
        series=texts.get("series") or "Unknown",
        state=texts.get("state") or _STATE,
        material=texts.get("material"),
        fiber=texts.get("fiber"),
        primary_remaining_cm3=amounts["primary_cm3"],
        fiber_remaining_cm3=amounts["fiber_cm3"],
        queue_seconds=None if hours is None else hours * SECONDS_PER_HOUR,
        queue_length=None if length is None else int(length),
    )


def _parse_amount(page: YamlReader, nodes: NodesByKey, key: str) -> float | None:
    if key not in nodes:
        return None
    node = nodes[key]
    number = parse_number(str(node.value)) if isinstance(node, ScalarNode) else None
    if number is None or number < 0:
        page.wrong(node, f"`{key}` is a number, not below 0", "like 2.5")
    return number


STL_KEY = "stl"
"""Beside facts of a test's `file`: an STL file to measure for all facts that are not given."""
TEST_KEYS = ("name", "file", "build", "devices", "today", "expect")
INTAKE_EXPECTATIONS = ("preset", "owner", "folder", "reject", "hold", "intake_rule", "rule")
ROUTING_EXPECTATIONS = ("send_to", "due", "device", "copies", "approve_first", "not_before")
EXPECTATION_KEYS = (*INTAKE_EXPECTATIONS, *ROUTING_EXPECTATIONS)


def parse_rule_tests(page: YamlReader, node: Node) -> tuple[RuleTest, ...]:
    """Read the entries under `tests`."""
    tests = [_parse_rule_test(page, item) for item in page.items(node, "`tests`")]
    return tuple(test for test in tests if test is not None)


def _parse_rule_test(page: YamlReader, node: Node) -> RuleTest | None:
    before = len(page.mistakes)
    nodes = page.group(node, "a test", TEST_KEYS)
    for key in ("file", "expect"):
        if nodes and key not in nodes:
            page.wrong(node, f"this test has no `{key}`", "a test gives a `file` and says what to `expect`")
    stl = _parse_stl(page, nodes)
    facts = {**_parse_facts(page, nodes, "file"), **_parse_facts(page, nodes, "build")}
    if stl is not None:
        facts.setdefault("path", stl.rpartition("/")[2])
    expected = _parse_expected(page, nodes)
    today = _parse_today(page, nodes)
    devices = parse_test_devices(page, nodes["devices"]) if "devices" in nodes else None
    _check_test_is_complete(page, nodes, facts, expected, today)
    if not nodes or len(page.mistakes) > before:
        return None
    name = page.text(nodes["name"], "`name`") if "name" in nodes else None
    line: int = node.start_mark.line + 1
    whole, sliced = _with_path_parts(facts), "build" in nodes
    return RuleTest(name or str(facts["path"]), line, whole, sliced, expected, today, devices, stl)


def _check_test_is_complete(
    page: YamlReader,
    nodes: NodesByKey,
    facts: dict[str, FactValue],
    expected: dict[str, str],
    today: date | None,
) -> None:
    if "file" in nodes and "path" not in facts:
        page.wrong(
            nodes["file"],
            "this test's file has no `path`",
            "add `path: some/part.stl`, or `stl:` with a file to measure",
        )
    late = [key for key in expected if key in ROUTING_EXPECTATIONS]
    if late and "build" not in nodes:
        page.wrong(nodes["expect"], f"`{late[0]}` is decided after slicing", "add `build:` with its facts")
    if "due" in expected and today is None:
        page.wrong(nodes["expect"], "a due date depends on the day", "add `today: 2026-12-24`")
    if "device" in expected and "devices" not in nodes:
        page.wrong(
            nodes["expect"], "a device is chosen among `devices`", "add `devices:` with what is known of them"
        )


def _parse_facts(page: YamlReader, nodes: NodesByKey, group: str) -> dict[str, FactValue]:
    if group not in nodes or _is_empty_build(group, nodes[group]):
        return {}
    prefix = BUILD_PREFIX if group == "build" else ""
    stage = DecisionStage.ROUTING if group == "build" else DecisionStage.INTAKE
    names = [name for name, fact in FACTS_BY_NAME.items() if fact.stage is stage and name.startswith(prefix)]
    known = [*([STL_KEY] if group == "file" else []), *(name.removeprefix(prefix) for name in names)]
    given = page.group(nodes[group], f"`{group}`", known)
    values = {
        prefix + key: _parse_fact_value(page, FACTS_BY_NAME[prefix + key], node)
        for key, node in given.items()
        if key != STL_KEY
    }
    return {name: value for name, value in values.items() if value is not None}


def _parse_stl(page: YamlReader, nodes: NodesByKey) -> str | None:
    """Return the path of the STL file that a test measures, as written."""
    node = find_value(nodes.get("file"), STL_KEY)
    return None if node is None else page.text(node, f"`{STL_KEY}`")


def _is_empty_build(group: str, node: Node) -> bool:
    """`build: {}` says that the part was sliced, and nothing more."""
    return group == "build" and isinstance(node, MappingNode) and not node.value


def _parse_fact_value(page: YamlReader, fact: Fact, node: Node) -> FactValue | None:
    text = str(node.value) if isinstance(node, ScalarNode) else ""
    if fact.kind in TEXTUAL:
        return page.text(node, f"`{fact.name}`")
    quoted_flag = fact.kind is FactKind.FLAG and isinstance(node, ScalarNode) and is_text_node(node)
    value = None if quoted_flag else parse_fact_value(text, fact.kind)
    if value is not None:
        return value
    page.wrong(node, f"`{fact.name}` is {_describe_fact_kind(fact)}, not `{text}`", f"like {fact.example}")
    return None


def _describe_fact_kind(fact: Fact) -> str:
    return fact.kind if fact.kind is FactKind.FLAG else f"a {fact.kind}"


def _with_path_parts(facts: dict[str, FactValue]) -> dict[str, FactValue]:
    """What follows from the path need not be given."""
    folder, _, name = str(facts["path"]).rpartition("/")
    return {"folder": folder, "name": name, **facts}


def _parse_expected(page: YamlReader, nodes: NodesByKey) -> dict[str, str]:
    if "expect" not in nodes:
        return {}
    given = page.group(
        nodes["expect"], "`expect`", EXPECTATION_KEYS, hint="say what should come out: `preset: Onyx`"
    )
    words = {key: _parse_expected_value(page, key, value) for key, value in given.items()}
    return {key: word for key, word in words.items() if word is not None}


def _parse_expected_value(page: YamlReader, key: str, node: Node) -> str | None:
    """A date, a number or a flag is text too where one is meant."""
    if key in {"due", "copies", "approve_first", "not_before"} and isinstance(node, ScalarNode):
        return str(node.value)
    return page.text(node, f"`{key}`")


def _parse_today(page: YamlReader, nodes: NodesByKey) -> date | None:
    if "today" not in nodes:
        return None
    node = nodes["today"]
    try:
        return date.fromisoformat(str(node.value))
    except ValueError:
        page.wrong(node, f"`{node.value}` is no date", "like 2026-12-24")
        return None
