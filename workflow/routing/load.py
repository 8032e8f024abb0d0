"""Load a rules file: a rulebook out, or all of its mistakes at once."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from workflow.errors import Mistake, RulesError, error_reason
from workflow.routing.build_volumes import load_build_volumes
from workflow.routing.cloud_names import with_build_volumes
from workflow.routing.conditions import Condition
from workflow.routing.due import Holidays, parse_holiday
from workflow.routing.facts import TAG_PREFIX, DecisionStage, make_tag_fact
from workflow.routing.filename_tags import NamePattern, parse_name_pattern
from workflow.routing.globs import casefold_nfc
from workflow.routing.parse_actions import (
    INTAKE_ACTIONS,
    ROUTING_ACTIONS,
    SENDING_KEYS,
    describe_tag_kind,
    parse_intake_action,
    parse_notify,
    parse_routing_action,
)
from workflow.routing.parse_conditions import parse_when
from workflow.routing.parse_tests import parse_rule_tests
from workflow.routing.rulebook import HoldAction, IntakeRule, RoutingRule, Rule, Rulebook
from workflow.routing.unreachable import (
    ConditionIndex,
    boxes_or_none,
    find_contradiction,
    find_covering_conditions,
)
from workflow.routing.yaml_reader import LINE_BREAK, NodesByKey, YamlReader, find_value, parse_yaml

INTAKE_KEYS = ("name", "when", *INTAKE_ACTIONS, "owner", "folder", "notify")
ROUTING_KEYS = ("name", "when", *ROUTING_ACTIONS, *SENDING_KEYS, "notify")
_WORDS_FOR_WHEN = ("if", "conditions", "match")
_WRONG_LIST_HINTS = MappingProxyType(
    dict.fromkeys(ROUTING_KEYS, "that belongs under `routing`")
    | dict.fromkeys(INTAKE_KEYS, "that belongs under `intake`")
    | dict.fromkeys(_WORDS_FOR_WHEN, "write `when`")
)
_CATCH_ALL = "end the list with a rule without `when`, so that every file gets a decision"


def parse_intake_rules(page: YamlReader, node: Node) -> tuple[IntakeRule, ...]:
    """Read the rules under `intake`."""
    return _parse_rule_list(page, node, "intake", _parse_intake_rule)


def parse_routing_rules(page: YamlReader, node: Node) -> tuple[RoutingRule, ...]:
    """Read the rules under `routing`."""
    return _parse_rule_list(page, node, "routing", _parse_routing_rule)


def _parse_rule_list(
    page: YamlReader, node: Node, title: str, read: Callable[[YamlReader, Node], Rule | None]
) -> tuple[Rule, ...]:
    items = page.items(node, f"`{title}`")
    rules = [read(page, item) for item in items]
    _check_unique_names(page, items)
    _check_catch_all(page, items, title)
    _check_reachable(page, items, rules)
    return tuple(rule for rule in rules if rule is not None)


def _parse_intake_rule(page: YamlReader, node: Node) -> IntakeRule | None:
    before = len(page.mistakes)
    nodes = page.group(node, "a rule under `intake`", INTAKE_KEYS, _WRONG_LIST_HINTS)
    name = _parse_rule_name(page, node, nodes)
    when = _parse_rule_condition(page, nodes, DecisionStage.INTAKE)
    action = parse_intake_action(page, node, nodes) if nodes else None
    notify = parse_notify(page, nodes)
    if name is None or action is None or len(page.mistakes) > before:
        return None
    return IntakeRule(name, _line_number(node), when, action, notify)


def _parse_routing_rule(page: YamlReader, node: Node) -> RoutingRule | None:
    before = len(page.mistakes)
    nodes = page.group(node, "a rule under `routing`", ROUTING_KEYS, _WRONG_LIST_HINTS)
    name = _parse_rule_name(page, node, nodes)
    when = _parse_rule_condition(page, nodes, DecisionStage.ROUTING)
    action = parse_routing_action(page, node, nodes) if nodes else None
    notify = parse_notify(page, nodes)
    if name is None or action is None or len(page.mistakes) > before:
        return None
    return RoutingRule(name, _line_number(node), when, action, notify)


def _parse_rule_name(page: YamlReader, node: Node, nodes: NodesByKey) -> str | None:
    if "name" in nodes:
        return page.text(nodes["name"], "`name`")
    if nodes:
        page.wrong(node, "this rule has no `name`", "give it one: every note and log shows it")
    return None


def _parse_rule_condition(page: YamlReader, nodes: NodesByKey, stage: DecisionStage) -> Condition | None:
    return parse_when(page, nodes["when"], stage) if "when" in nodes else None


def _check_unique_names(page: YamlReader, items: list[Node]) -> None:
    first: dict[str, Node] = {}
    for item in items:
        name = find_value(item, "name")
        if isinstance(name, ScalarNode):
            twin = first.setdefault(casefold_nfc(str(name.value)), name)
            if twin is not name:
                message = f"two rules are named `{name.value}`: here and in line {_line_number(twin)}"
                page.wrong(name, message, "give each its own name: every note and log shows it")


def _check_catch_all(page: YamlReader, items: list[Node], title: str) -> None:
    """A hold without `when` may come before the last rule: a released file goes on behind it."""
    for at, item in enumerate(items):
        last = at == len(items) - 1
        conditions = (find_value(item, key) for key in ("when", *_WORDS_FOR_WHEN))
        takes_all = isinstance(item, MappingNode) and all(each is None for each in conditions)
        if last and not takes_all:
            page.wrong(item, f"the last rule under `{title}` has to take everything", _CATCH_ALL)
        elif takes_all and not last and find_value(item, "hold") is None:
            after = f"the rule in line {_line_number(items[at + 1])} and those after it are never reached"
            page.wrong(item, f"without `when` this rule takes everything: {after}", "give it a `when`")


def _check_reachable(page: YamlReader, items: list[Node], rules: list[Rule | None]) -> None:
    """A file that a rule holds can be released, so rules behind a hold are reached."""
    above: list[Rule] = []
    taken = ConditionIndex()
    for item, rule in zip(items, rules, strict=True):
        if rule is None or rule.when is None:
            continue
        if (why := find_contradiction(rule.when)) is not None:
            page.wrong(item, f"`{rule.name}` never takes anything: {why}")
            continue
        inside = boxes_or_none(rule.when)
        if inside and (
            places := find_covering_conditions(taken.boxes, inside, taken.find_candidates(inside))
        ):
            _report_unreachable(page, item, rule, [above[place] for place in places])
        if not isinstance(rule.action, HoldAction):
            above.append(rule)
            taken.add(inside)


def _report_unreachable(page: YamlReader, item: Node, rule: Rule, first: Sequence[Rule]) -> None:
    if len(first) == 1:
        message = f"`{first[0].name}` in line {first[0].line} takes all of it"
        hint = f"move it above `{first[0].name}`, or delete it"
    else:
        named = " and ".join(f"`{each.name}` in line {each.line}" for each in first)
        message, hint = f"{named} take all of it together", "move it above them, or delete it"
    page.wrong(item, f"`{rule.name}` is never reached: {message}", hint)


def _line_number(node: Node) -> int:
    line: int = node.start_mark.line
    return line + 1


def parse_name_patterns(page: YamlReader, node: Node) -> tuple[NamePattern, ...]:
    """Read the patterns under `names`, and let conditions ask for their tags."""
    patterns = [_read_name_pattern(page, item) for item in page.items(node, "`names`")]
    return tuple(pattern for pattern in patterns if pattern is not None)


def _read_name_pattern(page: YamlReader, node: Node) -> NamePattern | None:
    text = page.text(node, "a pattern for names")
    if text is None:
        return None
    try:
        pattern = parse_name_pattern(text)
    except ValueError as error:
        page.wrong(node, str(error), "write it like `{project}_{qty}x`, without .stl")
        return None
    for tag in pattern.tags:
        fact = make_tag_fact(tag.name, tag.kind)
        known = page.tags.setdefault(TAG_PREFIX + tag.name, fact)
        if known.kind is not fact.kind:
            page.wrong(
                node,
                f"`{{{tag.name}}}` is {describe_tag_kind(known)} in a pattern above",
                "make them the same",
            )
    return pattern


def parse_holidays(page: YamlReader, node: Node) -> Holidays:
    """Return the days under `holidays`."""
    found = []
    for item in page.items(node, "`holidays`"):
        try:
            found.append(parse_holiday(str(item.value) if isinstance(item, ScalarNode) else ""))
        except ValueError as error:
            page.wrong(item, str(error))
    return tuple(found)


VERSION = "1"
TOP_LEVEL_KEYS = ("version", "names", "holidays", "intake", "routing", "tests")
REVISION_DIGITS = 12
MAX_RULES_BYTES = 1_000_000


def load_rules(path: Path) -> Rulebook:
    """Read a rules file and the build volumes. Raises RulesError with every mistake, or why not."""
    return with_build_volumes(parse_rules(read_rules_text(path), str(path)), load_build_volumes(path))


def read_rules_text(path: Path) -> str:
    """Return the text of a rules file. Raises RulesError that says why it can't be read."""
    try:
        with _open_plain_file(path) as file:
            raw = file.read(MAX_RULES_BYTES + 1)
        if len(raw) > MAX_RULES_BYTES:  # before it is decoded: it may end within a letter
            raise _unreadable_rules_error(
                path, f"more than {MAX_RULES_BYTES:,} bytes are no rules file", "is the path right?"
            )
        return raw.decode("utf-8-sig")
    except OSError as error:
        reason = f"the rules can't be read: {error_reason(error)}"
        raise _unreadable_rules_error(path, reason, "is the path right, and may stlflow read it?") from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _unreadable_rules_error(path, "this is no UTF-8 text", "save the file as UTF-8", line) from None


def _open_plain_file(path: Path) -> BinaryIO:
    """Open a file without waiting: a pipe in its place would block for ever. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return os.fdopen(fd, "rb")
    os.close(fd)
    raise OSError(errno.EINVAL, "it is no plain file")


def revision_of(text: str) -> str:
    """Return the revision of a text of rules: the first digits of its sha256."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:REVISION_DIGITS]


def parse_rules(text: str, source: str) -> Rulebook:
    """Read rules from text; `source` is how messages call it. Raises RulesError with every mistake."""
    page = YamlReader(source, LINE_BREAK.split(text))
    root = parse_yaml(page, text)
    rulebook = None if root is None else _parse_rulebook(page, root, text)
    if page.mistakes or rulebook is None:
        raise RulesError(tuple(sorted(page.mistakes, key=lambda mistake: (mistake.line, mistake.column))))
    return rulebook


def _parse_rulebook(page: YamlReader, root: Node, text: str) -> Rulebook:
    nodes = page.group(
        root, "a rules file", TOP_LEVEL_KEYS, hint="begin with `version: 1`, `intake:` and `routing:`"
    )
    _check_version(page, root, nodes)
    names = parse_name_patterns(page, nodes["names"]) if "names" in nodes else ()
    return Rulebook(
        source=page.source,
        revision=revision_of(text),
        intake=parse_intake_rules(page, nodes["intake"]) if _require_key(page, root, nodes, "intake") else (),
        routing=parse_routing_rules(page, nodes["routing"])
        if _require_key(page, root, nodes, "routing")
        else (),
        text=text,
        names=names,
        holidays=parse_holidays(page, nodes["holidays"]) if "holidays" in nodes else (),
        tests=parse_rule_tests(page, nodes["tests"]) if "tests" in nodes else (),
        warnings=tuple(page.warnings),
        mentions=tuple(page.mentions),
    )


def _check_version(page: YamlReader, root: Node, nodes: NodesByKey) -> None:
    if _require_key(page, root, nodes, "version"):
        node = nodes["version"]
        if not isinstance(node, ScalarNode) or str(node.value) != VERSION:
            page.wrong(
                node, f"this stlflow reads version {VERSION} of the rules", f"write `version: {VERSION}`"
            )


def _require_key(page: YamlReader, root: Node, nodes: NodesByKey, key: str) -> bool:
    if nodes and key not in nodes:
        page.wrong(root, f"`{key}` is missing", f"add `{key}:` at the left edge")
    return key in nodes


def _unreadable_rules_error(path: Path, reason: str, hint: str, line: int = 1) -> RulesError:
    return RulesError((Mistake(str(path), line, 1, reason, hint),))
