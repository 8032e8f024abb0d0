"""Read `when`: YAML nodes in, a condition out; mistakes are noted on the page."""

import math
import re
from collections.abc import Callable, Sequence
from functools import reduce
from types import MappingProxyType

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from workflow.routing.condition_sets import FULL_RANGES, interval_set_of, subtract_intervals
from workflow.routing.conditions import AllOf, AnyOf, Comparison, Condition, Flag, Matcher, Not
from workflow.routing.fact_values import parse_flag
from workflow.routing.facts import (
    BUILD_PREFIX,
    FACTS_BY_NAME,
    NUMERIC,
    TAG_PREFIX,
    TEXTUAL,
    DecisionStage,
    Fact,
    FactKind,
)
from workflow.routing.matchers import (
    DAY_FORMS,
    NOT_NEGATIVE,
    NUMBER_PATTERN,
    TIME_FORMS,
    Interval,
    TimeWindow,
    Weekdays,
    parse_interval,
    parse_time_window,
    parse_weekdays,
)
from workflow.routing.parse_patterns import parse_text_pattern
from workflow.routing.yaml_reader import (
    YamlReader,
    describe_node,
    is_empty_node,
    is_text_node,
    suggest_nearest,
    suggest_option,
)

CONDITION_GROUPS = ("all", "any", "not")
_OTHER_WORDS = MappingProxyType(
    {
        **dict.fromkeys(("and", "every", "both", "&&", "must"), "write `all`: every entry has to be met"),
        **dict.fromkeys(("or", "either", "one", "||", "some"), "write `any`: one entry has to be met"),
        **dict.fromkeys(("none", "nor", "except", "unless", "!"), "write `not`: none of it may be met"),
        **dict.fromkeys(("if", "when", "where"), "leave the word out: conditions follow `when` directly"),
    }
)
"""What other rule languages call the groups."""
_GROUP_HINT = 'like `path: "rush/**"`'
_LIST_HINT = "write `all:` before the list if every entry has to be met, `any:` if one is enough"
_FORMS = 'write "> 5", "<= 5", "5..10" or 5'


def parse_when(page: YamlReader, node: Node, stage: DecisionStage) -> Condition | None:
    """Read the conditions of a rule; None when there are mistakes in them."""
    if not isinstance(node, MappingNode):
        message = f"`when` has to be a group of conditions, not {describe_node(node)}"
        page.wrong(node, message, _LIST_HINT if isinstance(node, SequenceNode) else _GROUP_HINT)
        return None
    if not node.value:
        page.wrong(node, "`when` is empty", "leave it away in a rule that takes everything")
        return None
    parts = [
        _parse_part(page, key, key_node, value, stage)
        for key, (key_node, value) in page.pairs(node, "`when`").items()
    ]
    whole = [part for part in parts if part is not None]
    if len(whole) < len(parts) or not whole:
        return None
    return whole[0] if len(whole) == 1 else AllOf(tuple(whole))


def _parse_part(
    page: YamlReader, key: str, key_node: Node, value: Node, stage: DecisionStage
) -> Condition | None:
    if key == "not":
        inner = parse_when(page, value, stage)
        return None if inner is None else Not(inner)
    if key in CONDITION_GROUPS:
        items = page.items(value, f"`{key}`")
        inners = [parse_when(page, item, stage) for item in items]
        whole = tuple(inner for inner in inners if inner is not None)
        if len(whole) < len(inners) or not whole:
            return None
        return AnyOf(whole) if key == "any" else AllOf(whole)
    fact = _find_fact(page, key, key_node, stage)
    return None if fact is None else _parse_comparison(page, fact, value)


def _find_fact(page: YamlReader, key: str, node: Node, stage: DecisionStage) -> Fact | None:
    fact = FACTS_BY_NAME.get(key) or page.tags.get(key)
    if fact is None:
        known = [
            name
            for name, each in FACTS_BY_NAME.items()
            if each.stage is DecisionStage.INTAKE or each.stage is stage
        ]
        hint = _fact_name_hint(page, key) or suggest_option(key, [*known, *page.tags, *CONDITION_GROUPS])
        page.wrong(node, f"there is no fact `{key}`", hint)
    elif stage is DecisionStage.INTAKE and fact.stage is DecisionStage.ROUTING:
        page.wrong(node, f"`{key}` is not known before the upload", "ask for it in a rule under `routing`")
        return None
    return fact


def _fact_name_hint(page: YamlReader, key: str) -> str:
    if key.casefold() in _OTHER_WORDS:
        return _OTHER_WORDS[key.casefold()]
    if key == "build":
        return f"write `{BUILD_PREFIX}…`, with a dot"
    no_tag = f"a tag has to be in a pattern under `names`, like {{{key.removeprefix(TAG_PREFIX)}}}"
    return (suggest_nearest(key, page.tags) or no_tag) if key.startswith(TAG_PREFIX) else ""


def _parse_comparison(page: YamlReader, fact: Fact, node: Node) -> Condition | None:
    read = _PARSERS[fact.kind]
    items = page.items(node, f"`{fact.name}`") if isinstance(node, SequenceNode) else [node]
    wanted = [_parse_matcher(page, fact, item, read) for item in items]
    whole = tuple(each for each in wanted if each is not None)
    if len(whole) < len(wanted) or not whole or _refuse_list_of_bounds(page, fact, node, whole):
        return None
    return Comparison(fact, whole, " or ".join(str(item.value) for item in items))


def _parse_matcher(
    page: YamlReader, fact: Fact, node: Node, read: Callable[[YamlReader, Fact, ScalarNode], Matcher | None]
) -> Matcher | None:
    if not isinstance(node, ScalarNode):
        page.wrong(node, f"`{fact.name}` has to be one value or a list of values, not {describe_node(node)}")
    elif is_empty_node(node):
        page.wrong(node, f"`{fact.name}` is empty")
    else:
        return read(page, fact, node)
    return None


def _refuse_list_of_bounds(page: YamlReader, fact: Fact, node: Node, wanted: Sequence[Matcher]) -> bool:
    """Note a list that takes every number as a mistake: its bounds were meant to hold together."""
    if fact.kind not in NUMERIC or len(wanted) == 1:
        return False
    intervals = [each for each in wanted if isinstance(each, Interval)]
    everything = (FULL_RANGES[fact.kind],)
    if not subtract_intervals(everything, interval_set_of(intervals, fact.kind), fact.kind):
        together = reduce(Interval.intersect, intervals)
        bounded = math.isfinite(together.low) and math.isfinite(together.high) and not together.is_empty
        hint = (
            f"write `{together.low:g}..{together.high:g}` for both"
            if bounded
            else "write one range, like 5..10"
        )
        page.wrong(node, f"a list means any of it, so this takes every `{fact.name}`", hint)
        return True
    exact = [each.low for each in intervals if each.low == each.high]
    if fact.kind is FactKind.NUMBER and len(intervals) == len(exact) == 2:
        message = f"this takes a `{fact.name}` of exactly {exact[0]:g} or {exact[1]:g}"
        page.add_warning(node, message, f"did you mean `{min(exact):g}..{max(exact):g}`?")
    return False


def _parse_flag(page: YamlReader, fact: Fact, node: ScalarNode) -> Flag | None:
    flag = None if is_text_node(node) else parse_flag(str(node.value))
    if flag is None:
        message = f"`{fact.name}` is true or false, not `{node.value}`"
        page.wrong(node, message, "write true or false, unquoted")
        return None
    return Flag(flag)


def _parse_window_node(page: YamlReader, fact: Fact, node: ScalarNode) -> TimeWindow | None:
    try:
        return parse_time_window(str(node.value))
    except ValueError as error:
        page.wrong(node, f"`{fact.name}` is a time of day, and {error}", TIME_FORMS)
        return None


def _parse_weekdays_node(page: YamlReader, fact: Fact, node: ScalarNode) -> Weekdays | None:
    try:
        return parse_weekdays(str(node.value))
    except ValueError as error:
        page.wrong(node, f"`{fact.name}` is a weekday, and {error}", DAY_FORMS)
        return None


def _parse_interval_node(page: YamlReader, fact: Fact, node: ScalarNode) -> Interval | None:
    try:
        interval = parse_interval(str(node.value).strip())
    except ValueError as error:
        page.wrong(node, f"`{fact.name}` is a number, and {error}", _number_hint(fact, str(node.value)))
        return None
    if interval.is_empty:
        page.wrong(node, f"no number is in `{node.value}`", "write the smaller one first")
    elif interval.intersect(NOT_NEGATIVE).is_empty:
        page.wrong(node, f"`{fact.name}` is never below 0, so `{node.value}` is never met")
    elif fact.kind is FactKind.COUNT and interval.low == interval.high and not interval.low.is_integer():
        page.wrong(node, f"`{fact.name}` is a whole number, so `{node.value}` is never met")
    else:
        return interval
    return None


def _number_hint(fact: Fact, text: str) -> str:
    if re.fullmatch(rf"\D*{NUMBER_PATTERN},\d+\D*", text):
        return "write a dot, not a comma, before the decimals"
    if re.fullmatch(rf"\D*{NUMBER_PATTERN}\s*[^\W\d]+\W*", text) and fact.unit:
        return f"leave the unit away: `{fact.name}` is in {fact.unit}"
    return _FORMS


_PARSERS: dict[FactKind, Callable[[YamlReader, Fact, ScalarNode], Matcher | None]] = {
    FactKind.FLAG: _parse_flag,
    FactKind.TIME: _parse_window_node,
    FactKind.WEEKDAY: _parse_weekdays_node,
    **dict.fromkeys(sorted(NUMERIC), _parse_interval_node),
    **dict.fromkeys(sorted(TEXTUAL), parse_text_pattern),
}
