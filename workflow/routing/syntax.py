"""From the text of a file to its YAML nodes, with YAML's own complaints in words for shop people."""

import re
from collections.abc import Iterator

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from workflow.errors import Mistake
from workflow.routing.page import LINE_BREAK, Page

_IN_QUOTES = 'put the value in quotes: "…"'
_INDENTED = ("this line does not fit the lines above", "compare how far the lines are indented")
_WORDS = (  # (in YAML's complaint, ours, what to do); {line} is where the thing began
    ("found character '\\t'", "a tab stands here, and YAML takes spaces only", "replace it by spaces"),
    ("unknown escape", "a backslash means something else between double quotes", "folders are parted by `/`"),
    ("scanning a quoted scalar", "the quote in line {line} is never closed", "add the closing quote"),
    ("scanning a block scalar", "a value can't begin with `>` or `|`", _IN_QUOTES),
    ("scanning an alias", "a value can't begin with `*`", _IN_QUOTES),
    ("found undefined alias", "a value can't begin with `*`", _IN_QUOTES),
    ("scanning an anchor", "a value can't begin with `&`", _IN_QUOTES),
    ("cannot start any token", "a value can't begin with this character", _IN_QUOTES),
    ("mapping values are not allowed", "a second `: ` stands in this line", _IN_QUOTES),
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
    ("found '<scalar>'", "something stands behind the closing quote", "write a ' within '…' as ''"),
    ("block", *_INDENTED),
)
_PROBLEM_FIRST = re.compile("cannot start any token|mapping values|found another document")
_BEGINNING_TELLS = re.compile("end of stream|stream end|block scalar|expected ':'")
_START = "begin with `version: 1`, `intake:` and `routing:`"
_DEEPEST = 50
_LONGEST = 1000
_TOO_DEEP = "the rules are nested too deep to be read"


def read_tree(page: Page, text: str) -> Node | None:
    """Give the root of the file; None after noting why there is none, on the page."""
    try:
        root: Node | None = YAML(typ="safe", pure=True).compose(text)
        if root is None:
            page.mistakes.append(_at(page, 0, 0, "there are no rules in this file", _START))
        elif _is_plain(page, root):
            return root
    except MarkedYAMLError as error:
        page.mistakes.append(_in_words(page, error))
    except ReaderError as error:
        row, column = _row_and_column(text, error.position)
        page.mistakes.append(_at(page, row, column, "an invisible character stands here", "delete it"))
    except RecursionError:
        page.mistakes.append(_at(page, 0, 0, _TOO_DEEP, ""))
    except (YAMLError, ValueError) as error:  # what YAML says without a place
        page.mistakes.append(_at(page, 0, 0, f"this is no YAML: {error}", ""))
    return None


def _in_words(page: Page, error: MarkedYAMLError) -> Mistake:
    problem, context = str(error.problem or ""), str(error.context or "")
    complaint = problem if _PROBLEM_FIRST.search(problem) else f"{context} {problem}"
    began = error.context_mark or error.problem_mark
    mark = began if _BEGINNING_TELLS.search(complaint) else error.problem_mark or began
    row, column = (mark.line, mark.column) if mark is not None else (0, 0)
    if "flow" in complaint and _line(page, row)[:column].endswith("}"):
        return _at(page, row, column, "something stands behind the `}`", _IN_QUOTES)
    if "mapping values" in problem and ": " not in _line(page, row)[:column]:
        return _at(page, row, column, *_INDENTED)
    for theirs, ours, hint in _WORDS:
        if theirs in complaint:
            line = 1 + (began.line if began is not None else row)
            return _at(page, row, column, ours.format(line=line), hint.format())
    return _at(page, row, column, f"this is no YAML: {complaint.strip()}", "")


def _is_plain(page: Page, root: Node) -> bool:
    """Refuse anchors (an alias could make a few lines mean millions), own tags and YAML 1.1."""
    before = len(page.mistakes)
    if any(line.startswith("%") for line in page.lines):
        page.mistakes.append(_at(page, 0, 0, "a `%` line is not taken here", "delete it"))
    for node, depth in _nodes(root):
        if depth > _DEEPEST:
            page.wrong(node, _TOO_DEEP)
            break
        if node.anchor is not None:
            page.wrong(node, f"anchors like `&{node.anchor}` are not taken here", "write the value out")
        if isinstance(node, ScalarNode) and len(node.value) > _LONGEST:
            page.wrong(node, f"a value of {len(node.value):,} characters is too long", f"{_LONGEST} at most")
        if str(node.tag).startswith("!"):
            page.wrong(node, f"tags like `{node.tag}` are not taken here", "delete the tag")
    return len(page.mistakes) == before


def _nodes(root: Node) -> Iterator[tuple[Node, int]]:
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


def _at(page: Page, row: int, column: int, message: str, hint: str) -> Mistake:
    return Mistake(page.source, row + 1, column + 1, message, hint, _line(page, row))


def _line(page: Page, row: int) -> str:
    return page.lines[row] if row < len(page.lines) else ""
