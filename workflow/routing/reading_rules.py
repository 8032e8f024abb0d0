"""Reading the two lists of rules: YAML nodes in, rules out, every mistake noted on the page."""

from collections.abc import Callable, Sequence
from types import MappingProxyType

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from workflow.routing.boxes import Boxes
from workflow.routing.conditions import Condition
from workflow.routing.facts import Stage
from workflow.routing.globs import fold
from workflow.routing.page import Nodes, Page
from workflow.routing.reach import boxes_or_none, contradiction, takers
from workflow.routing.reading_actions import (
    INTAKE_ACTIONS,
    ROUTING_ACTIONS,
    SENDING_KEYS,
    read_intake_action,
    read_routing_action,
)
from workflow.routing.reading_conditions import read_when
from workflow.routing.rulebook import HoldBack, IntakeRule, RoutingRule, Rule

INTAKE_KEYS = ("name", "when", *INTAKE_ACTIONS, "owner", "folder")
ROUTING_KEYS = ("name", "when", *ROUTING_ACTIONS, *SENDING_KEYS)
_HINTS = MappingProxyType(
    dict.fromkeys(ROUTING_KEYS, "that belongs under `routing`")
    | dict.fromkeys(INTAKE_KEYS, "that belongs under `intake`")
)
_CATCH_ALL = "end the list with a rule without `when`, so that every file gets a decision"


def read_intake(page: Page, node: Node) -> tuple[IntakeRule, ...]:
    """Read the rules under `intake`."""
    return _read_list(page, node, "intake", _read_intake_rule)


def read_routing(page: Page, node: Node) -> tuple[RoutingRule, ...]:
    """Read the rules under `routing`."""
    return _read_list(page, node, "routing", _read_routing_rule)


def _read_list(
    page: Page, node: Node, title: str, read: Callable[[Page, Node], Rule | None]
) -> tuple[Rule, ...]:
    items = page.items(node, f"`{title}`")
    rules = [read(page, item) for item in items]
    _refuse_same_names(page, items)
    _check_catch_all(page, items, title)
    _refuse_unreachable(page, items, rules)
    return tuple(rule for rule in rules if rule is not None)


def _read_intake_rule(page: Page, node: Node) -> IntakeRule | None:
    before = len(page.mistakes)
    nodes = page.group(node, "a rule under `intake`", INTAKE_KEYS, _HINTS)
    name = _read_name(page, node, nodes)
    when = _read_condition(page, nodes, Stage.INTAKE)
    action = read_intake_action(page, node, nodes) if nodes else None
    if name is None or action is None or len(page.mistakes) > before:
        return None
    return IntakeRule(name, _line(node), when, action)


def _read_routing_rule(page: Page, node: Node) -> RoutingRule | None:
    before = len(page.mistakes)
    nodes = page.group(node, "a rule under `routing`", ROUTING_KEYS, _HINTS)
    name = _read_name(page, node, nodes)
    when = _read_condition(page, nodes, Stage.ROUTING)
    action = read_routing_action(page, node, nodes) if nodes else None
    if name is None or action is None or len(page.mistakes) > before:
        return None
    return RoutingRule(name, _line(node), when, action)


def _read_name(page: Page, node: Node, nodes: Nodes) -> str | None:
    if "name" in nodes:
        return page.text(nodes["name"], "`name`")
    if nodes:
        page.wrong(node, "this rule has no `name`", "give it one: it stands in every note and log")
    return None


def _read_condition(page: Page, nodes: Nodes, stage: Stage) -> Condition | None:
    return read_when(page, nodes["when"], stage) if "when" in nodes else None


def _refuse_same_names(page: Page, items: list[Node]) -> None:
    first: dict[str, Node] = {}
    for item in items:
        name = _value(item, "name")
        if isinstance(name, ScalarNode):
            twin = first.setdefault(fold(str(name.value)), name)
            if twin is not name:
                message = f"two rules are named `{name.value}`: here and in line {_line(twin)}"
                page.wrong(name, message, "give each its own name: it stands in every note and log")


def _check_catch_all(page: Page, items: list[Node], title: str) -> None:
    """A hold without `when` may stand before the last rule: what a person releases goes on behind it."""
    for at, item in enumerate(items):
        last = at == len(items) - 1
        takes_all = isinstance(item, MappingNode) and _value(item, "when") is None
        if last and not takes_all:
            page.wrong(item, f"the last rule under `{title}` has to take everything", _CATCH_ALL)
        elif takes_all and not last and _value(item, "hold") is None:
            after = f"the rule in line {_line(items[at + 1])} and those after it are never reached"
            page.wrong(item, f"without `when` this rule takes everything: {after}", "give it a `when`")


def _refuse_unreachable(page: Page, items: list[Node], rules: list[Rule | None]) -> None:
    """What a hold takes can be released, so rules behind a hold are reached."""
    above: list[Rule] = []
    taken: list[Boxes | None] = []
    for item, rule in zip(items, rules, strict=True):
        if rule is None or rule.when is None:
            continue
        if (why := contradiction(rule.when)) is not None:
            page.wrong(item, f"`{rule.name}` never takes anything: {why}")
            continue
        if places := takers(taken, rule.when):
            _say_unreached(page, item, rule, [above[place] for place in places])
        if not isinstance(rule.action, HoldBack):
            above.append(rule)
            taken.append(boxes_or_none(rule.when))


def _say_unreached(page: Page, item: Node, rule: Rule, first: Sequence[Rule]) -> None:
    if len(first) == 1:
        message = f"`{first[0].name}` in line {first[0].line} takes all of it"
        hint = f"move it above `{first[0].name}`, or delete it"
    else:
        named = " and ".join(f"`{each.name}` in line {each.line}" for each in first)
        message, hint = f"{named} take all of it together", "move it above them, or delete it"
    page.wrong(item, f"`{rule.name}` is never reached: {message}", hint)


def _value(item: Node, key: str) -> Node | None:
    """Find a value in a rule, whatever else is wrong with it."""
    if isinstance(item, MappingNode):
        for key_node, value in item.value:
            if isinstance(key_node, ScalarNode) and key_node.value == key:
                return value if isinstance(value, Node) else None
    return None


def _line(node: Node) -> int:
    line: int = node.start_mark.line
    return line + 1
