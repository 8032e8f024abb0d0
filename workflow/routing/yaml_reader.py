"""Read a rules file as YAML nodes, and collect the mistakes found in it.

YAML 1.2, read as a tree: no value is converted, so a device may be called `NO` or `1:30`, and every mistake
has its line and column. Anchors, aliases and tags are refused. Errors of the YAML parser are translated into
words for shop people.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from workflow.errors import Mistake
from workflow.routing.facts import Fact
from workflow.routing.rulebook import Mention, MentionKind
from workflow.suggest import nearest_option

NodesByKey = dict[str, Node]
"""Values by key."""
NO_HINTS: Mapping[str, str] = MappingProxyType({})
LINE_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_YAML_TAG_PREFIX = "tag:yaml.org,2002:"
_A_GROUP = "a group of `key: value`"
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f]")
_MAX_LISTED_OPTIONS = 12


@dataclass(slots=True)
class YamlReader:
    """One rules file while it is being read: its lines, and the mistakes and warnings found so far."""

    source: str
    lines: list[str]
    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    tags: dict[str, Fact] = field(default_factory=dict)
    """The facts that the patterns for names make, by their names."""

    def wrong(self, node: Node, message: str, hint: str = "") -> None:
        """Note a mistake at the beginning of a node."""
        self.mistakes.append(self._mistake_at_node(node, message, hint))

    def add_warning(self, node: Node, message: str, hint: str = "") -> None:
        """Note something that is allowed but probably not meant."""
        self.warnings.append(self._mistake_at_node(node, message, hint))

    def add_mention(self, node: Node, subject: MentionKind, text: str) -> None:
        """Note that a name of the cloud is used here."""
        mark = node.start_mark
        self.mentions.append(
            Mention(subject, text, mark.line + 1, mark.column + 1, self.source_line_at(node))
        )

    def source_line_at(self, node: Node) -> str:
        """Return the text of the line in which a node begins."""
        row: int = node.start_mark.line
        return self.lines[row] if row < len(self.lines) else ""

    def group(
        self,
        node: Node,
        what: str,
        known: Collection[str],
        hints: Mapping[str, str] = NO_HINTS,
        hint: str = "",
    ) -> NodesByKey:
        """Read `key: value` pairs, at least one; unknown keys and keys given twice are mistakes.

        `hints` say by unknown key what to do.
        `hint` says what to write instead of nothing, or of something that is no group.
        """
        if not isinstance(node, MappingNode):
            self.wrong(node, f"{what} has to be {_A_GROUP}, not {describe_node(node)}", hint)
            return {}
        if not node.value:
            self.wrong(node, f"{what} is empty", hint)
        pairs = self.pairs(node, what)
        for key, (key_node, _) in pairs.items():
            if key not in known:
                self.wrong(key_node, f"{what} takes no `{key}`", hints.get(key) or suggest_option(key, known))
        return {key: value for key, (_, value) in pairs.items() if key in known}

    def pairs(self, node: MappingNode, what: str) -> dict[str, tuple[Node, Node]]:
        """Read pairs whatever their keys: by key, the key's node and the value's."""
        pairs: dict[str, tuple[Node, Node]] = {}
        for key_node, value in node.value:
            if not isinstance(key_node, ScalarNode):
                self.wrong(key_node, f"a key in {what} has to be one word, not {describe_node(key_node)}")
                continue
            key = str(key_node.value)
            if key in pairs:
                first: int = pairs[key][0].start_mark.line + 1
                self.wrong(key_node, f"`{key}` is there twice: here and in line {first}", "keep one of them")
            else:
                if is_empty_node(value):
                    value.start_mark = key_node.start_mark  # YAML puts an empty value behind the gap
                pairs[key] = (key_node, value)
        return pairs

    def items(self, node: Node, what: str) -> list[Node]:
        """Read a list with at least one entry."""
        if not isinstance(node, SequenceNode):
            self.wrong(
                node, f"{what} has to be a list, not {describe_node(node)}", "begin each entry with `- `"
            )
            return []
        if not node.value:
            self.wrong(node, f"{what} is an empty list")
        return list(node.value)

    def text(self, node: Node, what: str, *, over_lines: bool = False) -> str | None:
        """Read text that is not blank; text for people may run `over_lines`, which are joined."""
        if not isinstance(node, ScalarNode):
            self.wrong(node, f"{what} has to be text, not {describe_node(node)}")
        elif not is_text_node(node) and not is_empty_node(node):
            self.wrong(node, f"{what} has to be text", f'put it in quotes: "{node.value}"')
        else:
            words = "" if is_empty_node(node) else str(node.value)
            return self._require_visible(node, what, " ".join(words.split()) if over_lines else words.strip())
        return None

    def choice(self, node: Node, what: str, options: Collection[str]) -> str | None:
        """Read one of a few words."""
        word = self.text(node, what)
        if word is None or word in options:
            return word
        self.wrong(node, f"{what} can't be `{word}`", suggest_option(word, options))
        return None

    def _require_visible(self, node: Node, what: str, text: str) -> str | None:
        if text and not _INVISIBLE.search(text):
            return text
        trouble = "contains a line break or an invisible character" if text else "is empty"
        self.wrong(node, f"{what} {trouble}")
        return None

    def _mistake_at_node(self, node: Node, message: str, hint: str) -> Mistake:
        mark = node.start_mark
        return Mistake(self.source, mark.line + 1, mark.column + 1, message, hint, self.source_line_at(node))


def find_value(node: Node | None, key: str) -> Node | None:
    """Return the value of a key, even if the group has other mistakes; None where it has none."""
    if isinstance(node, MappingNode):
        for key_node, value in node.value:
            if isinstance(key_node, ScalarNode) and key_node.value == key:
                return value if isinstance(value, Node) else None
    return None


def is_text_node(node: ScalarNode) -> bool:
    """True if YAML takes a value for text."""
    return str(node.tag) == f"{_YAML_TAG_PREFIX}str"


def is_empty_node(node: Node) -> bool:
    """True if a key has no value."""
    return isinstance(node, ScalarNode) and str(node.tag) == f"{_YAML_TAG_PREFIX}null"


def describe_node(node: Node) -> str:
    """Return in words what a node is."""
    if is_empty_node(node):
        return "empty"
    if isinstance(node, MappingNode):
        return _A_GROUP
    return "a list" if isinstance(node, SequenceNode) else "one value"


def suggest_option(word: str, options: Iterable[str]) -> str:
    """Return a hint with the nearest option, or with all of them when none is near and they are few."""
    known = list(dict.fromkeys(options))
    listed = ", ".join(f"`{option}`" for option in known)
    return suggest_nearest(word, known) or (
        f"it can be {listed}" if 0 < len(known) <= _MAX_LISTED_OPTIONS else ""
    )


def suggest_nearest(word: str, options: Iterable[str]) -> str:
    """Return the question whether the nearest option was meant; "" if none is near."""
    meant = nearest_option(word, options)
    return f"did you mean `{meant}`?" if meant else ""


_QUOTE_HINT = 'put the value in quotes: "…"'
_INDENT_MESSAGE = ("this line does not fit the lines above", "compare how far the lines are indented")
_YAML_ERROR_MESSAGES = (  # (in YAML's complaint, ours, what to do); {line} is where the thing began
    ("found character '\\t'", "there is a tab here, and YAML takes spaces only", "replace it with spaces"),
    ("unknown escape", "a backslash means something else between double quotes", "separate folders with `/`"),
    ("scanning a quoted scalar", "the quote in line {line} is never closed", "add the closing quote"),
    ("scanning a block scalar", "a value can't begin with `>` or `|`", _QUOTE_HINT),
    ("scanning an alias", "a value can't begin with `*`", _QUOTE_HINT),
    ("found undefined alias", "a value can't begin with `*`", _QUOTE_HINT),
    ("scanning an anchor", "a value can't begin with `&`", _QUOTE_HINT),
    ("cannot start any token", "a value can't begin with this character", _QUOTE_HINT),
    ("mapping values are not allowed", "there is a second `: ` in this line", _QUOTE_HINT),
    ("found another document", "`---` begins a second set of rules", "keep one set in one file"),
    (
        "flow sequence",
        "the `[` in line {line} is not closed before this",
        "add `]`, or a comma between entries",
    ),
    (
        "flow mapping",
        "the `{{` in line {line} is not closed before this",
        "add `}}`, or a comma between entries",
    ),
    ("could not find expected ':'", "a `:` is missing in this line", "write `key: value`"),
    ("found '<scalar>'", "there is text behind the closing quote", "write a ' within '…' as ''"),
    ("block", *_INDENT_MESSAGE),
)
_PROBLEM_IS_ENOUGH = re.compile("cannot start any token|mapping values|found another document")
_POINTS_TO_START = re.compile("end of stream|stream end|block scalar|expected ':'")
_START = "begin with `version: 1`, `intake:` and `routing:`"
_PLAIN_TAGS = frozenset(
    f"{_YAML_TAG_PREFIX}{kind}"
    for kind in ("bool", "float", "int", "map", "merge", "null", "seq", "str", "timestamp", "value")
)
"""What YAML finds in plain text by itself. Other tags (`!secret`, `!!python/name:…`) were written by hand."""
_MAX_DEPTH = 50
_MAX_VALUE_LENGTH = 1000
_TOO_DEEP = "the rules are nested too deep to be read"


def parse_yaml(page: YamlReader, text: str) -> Node | None:
    """Return the root of the file; None after noting on the page why there is none."""
    try:
        root: Node | None = YAML(typ="safe", pure=True).compose(text)
        if root is None:
            page.mistakes.append(_mistake_at_position(page, 0, 0, "there are no rules in this file", _START))
        elif _check_plain_yaml(page, root):
            return root
    except MarkedYAMLError as error:
        page.mistakes.append(_describe_yaml_error(page, error))
    except ReaderError as error:
        row, column = _row_and_column(text, error.position)
        page.mistakes.append(
            _mistake_at_position(page, row, column, "there is an invisible character here", "delete it")
        )
    except RecursionError:
        page.mistakes.append(_mistake_at_position(page, 0, 0, _TOO_DEEP, ""))
    except (YAMLError, ValueError) as error:  # what YAML says without a place
        page.mistakes.append(_mistake_at_position(page, 0, 0, f"this is no YAML: {error}", ""))
    return None


def _describe_yaml_error(page: YamlReader, error: MarkedYAMLError) -> Mistake:
    problem, context = str(error.problem or ""), str(error.context or "")
    complaint = problem if _PROBLEM_IS_ENOUGH.search(problem) else f"{context} {problem}"
    began = error.context_mark or error.problem_mark
    mark = began if _POINTS_TO_START.search(complaint) else error.problem_mark or began
    row, column = (mark.line, mark.column) if mark is not None else (0, 0)
    if "flow" in complaint and _source_line(page, row)[:column].endswith("}"):
        return _mistake_at_position(page, row, column, "there is text behind the `}`", _QUOTE_HINT)
    if "mapping values" in problem and ": " not in _source_line(page, row)[:column]:
        return _mistake_at_position(page, row, column, *_INDENT_MESSAGE)
    for theirs, ours, hint in _YAML_ERROR_MESSAGES:
        if theirs in complaint:
            line = 1 + (began.line if began is not None else row)
            return _mistake_at_position(page, row, column, ours.format(line=line), hint.format())
    return _mistake_at_position(page, row, column, f"this is no YAML: {complaint.strip()}", "")


def _check_plain_yaml(page: YamlReader, root: Node) -> bool:
    """Refuse anchors (an alias could make a few lines mean millions), own tags and YAML 1.1."""
    before = len(page.mistakes)
    if any(line.startswith("%") for line in page.lines):
        page.mistakes.append(
            _mistake_at_position(page, 0, 0, "a line with `%` is not allowed here", "delete it")
        )
    for node, depth in _walk_nodes(root):
        if depth > _MAX_DEPTH:
            page.wrong(node, _TOO_DEEP)
            break
        if node.anchor is not None:
            page.wrong(node, f"anchors like `&{node.anchor}` are not allowed here", "write the value out")
        if isinstance(node, ScalarNode) and len(node.value) > _MAX_VALUE_LENGTH:
            page.wrong(
                node, f"a value of {len(node.value):,} characters is too long", f"{_MAX_VALUE_LENGTH} at most"
            )
        if str(node.tag) not in _PLAIN_TAGS:
            page.wrong(node, f"tags like `{node.tag}` are not allowed here", "delete the tag")
    return len(page.mistakes) == before


def _walk_nodes(root: Node) -> Iterator[tuple[Node, int]]:
    """Every node once, aliases too, with its depth."""
    seen: set[int] = set()
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node, depth
        children: list[Node] = []
        if isinstance(node, MappingNode):
            children = [child for pair in node.value for child in pair]
        elif isinstance(node, SequenceNode):
            children = node.value
        waiting.extend((child, depth + 1) for child in children)


def _row_and_column(text: str, position: int) -> tuple[int, int]:
    before = LINE_BREAK.split(text[:position])
    return len(before) - 1, len(before[-1])


def _mistake_at_position(page: YamlReader, row: int, column: int, message: str, hint: str) -> Mistake:
    return Mistake(page.source, row + 1, column + 1, message, hint, _source_line(page, row))


def _source_line(page: YamlReader, row: int) -> str:
    return page.lines[row] if row < len(page.lines) else ""
