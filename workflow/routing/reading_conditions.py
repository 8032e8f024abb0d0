"""Reading `when`: YAML nodes in, a condition out, every mistake noted on the page."""

import re
from collections.abc import Callable

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from workflow.routing.conditions import (
    AllOf,
    AnyOf,
    Condition,
    FactIs,
    Flag,
    Not,
    Wanted,
)
from workflow.routing.facts import BUILD_PREFIX, FACTS, NUMERIC, TAG_PREFIX, TEXTUAL, Fact, Kind, Stage
from workflow.routing.globs import ANY_FOLDERS, Glob
from workflow.routing.intervals import COMPARISON, NOT_NEGATIVE, NUMBER, Interval, read_interval
from workflow.routing.page import Page, is_nothing, is_text, nearest, shape, suggestion
from workflow.routing.rulebook import Subject
from workflow.routing.tags import NUMBER_SUFFIX
from workflow.routing.times import DAY_FORMS, TIME_FORMS, Days, Window, read_days, read_window

GROUPS = ("all", "any", "not")
_FORMS = 'write "> 5", "<= 5", "5..10" or 5'


def read_when(page: Page, node: Node, stage: Stage) -> Condition | None:
    """Read the conditions of a rule; None when there are mistakes in them."""
    if not isinstance(node, MappingNode):
        page.wrong(
            node, f"`when` has to be a group of conditions, not {shape(node)}", 'like `path: "rush/**"`'
        )
        return None
    if not node.value:
        page.wrong(node, "`when` is empty", "leave it away in a rule that takes everything")
        return None
    parts = [
        _read_part(page, key, key_node, value, stage)
        for key, (key_node, value) in page.pairs(node, "`when`").items()
    ]
    whole = [part for part in parts if part is not None]
    if len(whole) < len(parts) or not whole:
        return None
    return whole[0] if len(whole) == 1 else AllOf(tuple(whole))


def _read_part(page: Page, key: str, key_node: Node, value: Node, stage: Stage) -> Condition | None:
    if key == "not":
        inner = read_when(page, value, stage)
        return None if inner is None else Not(inner)
    if key in GROUPS:
        items = page.items(value, f"`{key}`")
        inners = [read_when(page, item, stage) for item in items]
        whole = tuple(inner for inner in inners if inner is not None)
        if len(whole) < len(inners) or not whole:
            return None
        return AnyOf(whole) if key == "any" else AllOf(whole)
    fact = _read_fact(page, key, key_node, stage)
    return None if fact is None else _read_fact_is(page, fact, value)


def _read_fact(page: Page, key: str, node: Node, stage: Stage) -> Fact | None:
    fact = FACTS.get(key) or page.tags.get(key)
    if fact is None:
        known = [name for name, each in FACTS.items() if each.stage is Stage.INTAKE or each.stage is stage]
        hint = _how_to_write(page, key) or suggestion(key, [*known, *page.tags, *GROUPS])
        page.wrong(node, f"there is no fact `{key}`", hint)
    elif stage is Stage.INTAKE and fact.stage is Stage.ROUTING:
        page.wrong(node, f"`{key}` is not known before the upload", "ask for it in a rule under `routing`")
        return None
    return fact


def _how_to_write(page: Page, key: str) -> str:
    if key == "build":
        return f"write `{BUILD_PREFIX}…`, with a dot"
    no_tag = f"a tag has to stand in a pattern under `names`, like {{{key.removeprefix(TAG_PREFIX)}}}"
    return (nearest(key, page.tags) or no_tag) if key.startswith(TAG_PREFIX) else ""


def _read_fact_is(page: Page, fact: Fact, node: Node) -> Condition | None:
    read = _READERS[fact.kind]
    items = page.items(node, f"`{fact.name}`") if isinstance(node, SequenceNode) else [node]
    wanted = [_read_wanted(page, fact, item, read) for item in items]
    whole = tuple(each for each in wanted if each is not None)
    if len(whole) < len(wanted) or not whole:
        return None
    return FactIs(fact, whole, " or ".join(str(item.value) for item in items))


def _read_wanted(
    page: Page, fact: Fact, node: Node, read: Callable[[Page, Fact, ScalarNode], Wanted | None]
) -> Wanted | None:
    if not isinstance(node, ScalarNode):
        page.wrong(node, f"`{fact.name}` has to be one value or a list of values, not {shape(node)}")
    elif is_nothing(node):
        page.wrong(node, f"`{fact.name}` is empty")
    else:
        return read(page, fact, node)
    return None


def _read_flag(page: Page, fact: Fact, node: ScalarNode) -> Flag | None:
    word = str(node.value)
    if is_text(node) or word.lower() not in {"true", "false"}:
        page.wrong(node, f"`{fact.name}` is true or false, not `{word}`", "write true or false, unquoted")
        return None
    return Flag(word.lower() == "true")


def _read_glob(page: Page, fact: Fact, node: ScalarNode) -> Glob | None:
    text = str(node.value)
    if not is_text(node) or COMPARISON.fullmatch(text.strip()):
        numbered = (
            f"write {{{fact.name.removeprefix(TAG_PREFIX)}{NUMBER_SUFFIX}}} in the pattern under `names`"
        )
        hint = numbered if fact.name.startswith(TAG_PREFIX) else 'text stands in "…"'
        page.wrong(node, f"`{fact.name}` is text and can't be compared with `{text}`", hint)
        return None
    pattern = page.text(node, f"`{fact.name}`")
    if pattern is None:
        return None
    if fact.name == "preset":
        page.mention(node, Subject.PRESET_TITLE, pattern)
    return _read_path_glob(page, fact, node, pattern) if fact.kind is Kind.PATH else Glob(pattern)


def _read_window(page: Page, fact: Fact, node: ScalarNode) -> Window | None:
    try:
        return read_window(str(node.value))
    except ValueError as error:
        page.wrong(node, f"`{fact.name}` is a time of day, and {error}", TIME_FORMS)
        return None


def _read_days(page: Page, fact: Fact, node: ScalarNode) -> Days | None:
    try:
        return read_days(str(node.value))
    except ValueError as error:
        page.wrong(node, f"`{fact.name}` is a weekday, and {error}", DAY_FORMS)
        return None


def _read_path_glob(page: Page, fact: Fact, node: ScalarNode, pattern: str) -> Glob | None:
    """Check a pattern for paths: it begins below the inbox, with forward slashes and whole `**`."""
    segments = pattern.split("/")
    if "\\" in pattern:
        page.wrong(node, "folders are parted by `/`, not by a backslash", pattern.replace("\\", "/"))
    elif segments[0] in {"", ".", ".."}:
        page.wrong(node, f"`{fact.name}` begins below the inbox", f"write `{pattern.lstrip('./')}`")
    elif segments[-1] == "":
        page.wrong(node, f"`{pattern}` matches no file", f"write `{pattern}**` for all that is in the folder")
    elif any(ANY_FOLDERS in segment and segment != ANY_FOLDERS for segment in segments):
        page.wrong(node, "`**` stands for whole folders", "write it between slashes, or a single `*`")
    else:
        _doubt_path(page, fact, node, pattern)
        return Glob(pattern, by_folder=True)
    return None


def _doubt_path(page: Page, fact: Fact, node: Node, pattern: str) -> None:
    if re.search(r"[\[{].*[\]}]", pattern):
        page.doubtful(
            node, f"brackets in `{pattern}` stand for themselves", "for several patterns, list them"
        )
    elif fact.name == "path" and not re.search(r"[*?]|\.stl$", pattern, re.IGNORECASE):
        page.doubtful(
            node, f"`{pattern}` takes only a file of just this name", f"did you mean `{pattern}/**`?"
        )


def _read_interval(page: Page, fact: Fact, node: ScalarNode) -> Interval | None:
    try:
        interval = read_interval(str(node.value).strip())
    except ValueError as error:
        page.wrong(node, f"`{fact.name}` is a number, and {error}", _number_hint(fact, str(node.value)))
        return None
    if interval.is_empty:
        page.wrong(node, f"no number is in `{node.value}`", "write the smaller one first")
    elif interval.overlap(NOT_NEGATIVE).is_empty:
        page.wrong(node, f"`{fact.name}` is never below 0, so `{node.value}` is never met")
    elif fact.kind is Kind.COUNT and interval.low == interval.high and not interval.low.is_integer():
        page.wrong(node, f"`{fact.name}` is a whole number, so `{node.value}` is never met")
    else:
        return interval
    return None


def _number_hint(fact: Fact, text: str) -> str:
    if re.fullmatch(rf"\D*{NUMBER},\d+\D*", text):
        return "write a dot, not a comma, before the decimals"
    if re.fullmatch(rf"\D*{NUMBER}\s*[^\W\d]+\W*", text) and fact.unit:
        return f"leave the unit away: `{fact.name}` is in {fact.unit}"
    return _FORMS


_READERS: dict[Kind, Callable[[Page, Fact, ScalarNode], Wanted | None]] = {
    Kind.FLAG: _read_flag,
    Kind.TIME: _read_window,
    Kind.WEEKDAY: _read_days,
    **dict.fromkeys(sorted(NUMERIC), _read_interval),
    **dict.fromkeys(sorted(TEXTUAL), _read_glob),
}
