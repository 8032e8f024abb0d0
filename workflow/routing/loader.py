"""From a rules file to a rulebook, or to all of its mistakes at once."""

import hashlib
from pathlib import Path

from ruamel.yaml.nodes import Node, ScalarNode

from workflow.errors import Mistake, RulesError
from workflow.routing.page import LINE_BREAK, Nodes, Page
from workflow.routing.reading_names import read_names
from workflow.routing.reading_rules import read_intake, read_routing
from workflow.routing.reading_tests import read_tests
from workflow.routing.rulebook import Rulebook
from workflow.routing.syntax import read_tree

VERSION = "1"
KEYS = ("version", "names", "intake", "routing", "tests")
REVISION_DIGITS = 12
MOST_BYTES = 1_000_000


def load_rules(path: Path) -> Rulebook:
    """Read a rules file. Raises RulesError with every mistake in it, or why it can't be read."""
    return parse_rules(read_rules(path), str(path))


def read_rules(path: Path) -> str:
    """Give the text of a rules file. Raises RulesError that says why it can't be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        reason = f"the rules can't be read: {error.strerror or error}"
        raise _unreadable(path, reason, "is the path right, and may stlflow read it?") from None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, "this is no UTF-8 text", "save the file as UTF-8", line) from None
    if len(raw) > MOST_BYTES:
        raise _unreadable(path, f"more than {MOST_BYTES:,} bytes are no rules file", "is the path right?")
    return text


def revision_of(text: str) -> str:
    """Give the name of a text of rules: the first digits of its sha256."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:REVISION_DIGITS]


def parse_rules(text: str, source: str) -> Rulebook:
    """Read rules from text; `source` is how messages call it. Raises RulesError with every mistake."""
    page = Page(source, LINE_BREAK.split(text))
    root = read_tree(page, text)
    rulebook = None if root is None else _read_rulebook(page, root, text)
    if page.mistakes or rulebook is None:
        raise RulesError(tuple(sorted(page.mistakes, key=lambda mistake: (mistake.line, mistake.column))))
    return rulebook


def _read_rulebook(page: Page, root: Node, text: str) -> Rulebook:
    nodes = page.group(root, "a rules file", KEYS, hint="begin with `version: 1`, `intake:` and `routing:`")
    _check_version(page, root, nodes)
    names = read_names(page, nodes["names"]) if "names" in nodes else ()
    return Rulebook(
        source=page.source,
        revision=revision_of(text),
        intake=read_intake(page, nodes["intake"]) if _has(page, root, nodes, "intake") else (),
        routing=read_routing(page, nodes["routing"]) if _has(page, root, nodes, "routing") else (),
        text=text,
        names=names,
        tests=read_tests(page, nodes["tests"]) if "tests" in nodes else (),
        warnings=tuple(page.warnings),
        mentions=tuple(page.mentions),
    )


def _check_version(page: Page, root: Node, nodes: Nodes) -> None:
    if _has(page, root, nodes, "version"):
        node = nodes["version"]
        if not isinstance(node, ScalarNode) or str(node.value) != VERSION:
            page.wrong(
                node, f"this stlflow reads version {VERSION} of the rules", f"write `version: {VERSION}`"
            )


def _has(page: Page, root: Node, nodes: Nodes, key: str) -> bool:
    if nodes and key not in nodes:
        page.wrong(root, f"`{key}` is missing", f"add `{key}:` at the left edge")
    return key in nodes


def _unreadable(path: Path, reason: str, hint: str, line: int = 1) -> RulesError:
    return RulesError((Mistake(str(path), line, 1, reason, hint),))
