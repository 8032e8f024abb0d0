"""Reading the owner's own tests: facts in, expectation out, every mistake noted on the page."""

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from workflow.model import FactValue
from workflow.routing.facts import BUILD_PREFIX, FACTS, NUMERIC, TEXTUAL, Fact, Kind, Stage
from workflow.routing.intervals import read_number
from workflow.routing.page import Nodes, Page, is_text
from workflow.routing.reading_fleet import read_devices
from workflow.routing.rulebook import RuleTest
from workflow.routing.times import day_of, minute_of

TEST_KEYS = ("name", "file", "build", "devices", "today", "expect")
BEFORE_UPLOAD = ("preset", "owner", "folder", "reject", "hold", "intake_rule", "rule")
AFTER_SLICING = ("send_to", "due", "device", "copies", "approve_first")
EXPECTED = (*BEFORE_UPLOAD, *AFTER_SLICING)
READ_TIMES: Mapping[Kind, Callable[[str], int | None]] = MappingProxyType(
    {Kind.TIME: minute_of, Kind.WEEKDAY: day_of}
)


def read_tests(page: Page, node: Node) -> tuple[RuleTest, ...]:
    """Read the entries under `tests`."""
    tests = [_read_test(page, item) for item in page.items(node, "`tests`")]
    return tuple(test for test in tests if test is not None)


def _read_test(page: Page, node: Node) -> RuleTest | None:
    before = len(page.mistakes)
    nodes = page.group(node, "a test", TEST_KEYS)
    for key in ("file", "expect"):
        if nodes and key not in nodes:
            page.wrong(node, f"this test has no `{key}`", "a test gives a `file` and says what to `expect`")
    facts = {**_read_facts(page, nodes, "file"), **_read_facts(page, nodes, "build")}
    expected = _read_expected(page, nodes)
    today = _read_today(page, nodes)
    devices = read_devices(page, nodes["devices"]) if "devices" in nodes else None
    _check_whole(page, nodes, facts, expected, today)
    if not nodes or len(page.mistakes) > before:
        return None
    name = page.text(nodes["name"], "`name`") if "name" in nodes else None
    line: int = node.start_mark.line + 1
    whole, sliced = _with_place(facts), "build" in nodes
    return RuleTest(name or str(facts["path"]), line, whole, sliced, expected, today, devices)


def _check_whole(
    page: Page, nodes: Nodes, facts: dict[str, FactValue], expected: dict[str, str], today: date | None
) -> None:
    if "file" in nodes and "path" not in facts:
        page.wrong(nodes["file"], "this test's file has no `path`", "add `path: some/part.stl`")
    late = [key for key in expected if key in AFTER_SLICING]
    if late and "build" not in nodes:
        page.wrong(nodes["expect"], f"`{late[0]}` is decided after slicing", "add `build:` with its facts")
    if "due" in expected and today is None:
        page.wrong(nodes["expect"], "a due date depends on the day", "add `today: 2026-12-24`")
    if "device" in expected and "devices" not in nodes:
        page.wrong(
            nodes["expect"], "a device is chosen among `devices`", "add `devices:` with what is known of them"
        )


def _read_facts(page: Page, nodes: Nodes, group: str) -> dict[str, FactValue]:
    if group not in nodes or _is_empty_build(group, nodes[group]):
        return {}
    prefix = BUILD_PREFIX if group == "build" else ""
    stage = Stage.ROUTING if group == "build" else Stage.INTAKE
    names = [name for name, fact in FACTS.items() if fact.stage is stage and name.startswith(prefix)]
    given = page.group(nodes[group], f"`{group}`", [name.removeprefix(prefix) for name in names])
    values = {prefix + key: _read_value(page, FACTS[prefix + key], node) for key, node in given.items()}
    return {name: value for name, value in values.items() if value is not None}


def _is_empty_build(group: str, node: Node) -> bool:
    """`build: {}` says that the part was sliced, and nothing more."""
    return group == "build" and isinstance(node, MappingNode) and not node.value


def _read_value(page: Page, fact: Fact, node: Node) -> FactValue | None:
    text = str(node.value) if isinstance(node, ScalarNode) else ""
    if fact.kind in TEXTUAL:
        return page.text(node, f"`{fact.name}`")
    if fact.kind in READ_TIMES:
        if READ_TIMES[fact.kind](text) is not None:
            return text
    elif fact.kind in NUMERIC:
        number = read_number(text)
        if number is not None and number >= 0:
            return int(number) if fact.kind is Kind.COUNT else number
    elif isinstance(node, ScalarNode) and not is_text(node) and text in {"true", "false"}:
        return text == "true"
    page.wrong(node, f"`{fact.name}` is {_a(fact)}, not `{text}`", f"like {fact.example}")
    return None


def _a(fact: Fact) -> str:
    return fact.kind if fact.kind is Kind.FLAG else f"a {fact.kind}"


def _with_place(facts: dict[str, FactValue]) -> dict[str, FactValue]:
    """What follows from the path need not be given."""
    folder, _, name = str(facts["path"]).rpartition("/")
    return {"folder": folder, "name": name, **facts}


def _read_expected(page: Page, nodes: Nodes) -> dict[str, str]:
    if "expect" not in nodes:
        return {}
    given = page.group(nodes["expect"], "`expect`", EXPECTED, hint="say what should come out: `preset: Onyx`")
    words = {key: _read_word(page, key, value) for key, value in given.items()}
    return {key: word for key, word in words.items() if word is not None}


def _read_word(page: Page, key: str, node: Node) -> str | None:
    """A date, a number or a flag is text too where one is meant."""
    if key in {"due", "copies", "approve_first"} and isinstance(node, ScalarNode):
        return str(node.value)
    return page.text(node, f"`{key}`")


def _read_today(page: Page, nodes: Nodes) -> date | None:
    if "today" not in nodes:
        return None
    node = nodes["today"]
    try:
        return date.fromisoformat(str(node.value))
    except ValueError:
        page.wrong(node, f"`{node.value}` is no date", "like 2026-12-24")
        return None
