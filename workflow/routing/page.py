"""The text of a rules file as YAML nodes, and the notes that a reader makes on it.

YAML 1.2, read as a tree: nothing is converted in silence, a device may be called `NO` or `1:30`,
and every note knows its line and column. Anchors, aliases and own tags are not taken.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from workflow.errors import Mistake
from workflow.routing.facts import Fact
from workflow.routing.rulebook import Mention, Subject

Nodes = dict[str, Node]
"""Values by key."""
NO_HINTS: Mapping[str, str] = MappingProxyType({})
LINE_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_TAGS = "tag:yaml.org,2002:"
_A_GROUP = "a group of `key: value`"
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f]")
_LIST_AT_MOST = 12


@dataclass(slots=True)
class Page:
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
        self.mistakes.append(self._note(node, message, hint))

    def doubtful(self, node: Node, message: str, hint: str = "") -> None:
        """Note something that can be meant but hardly is."""
        self.warnings.append(self._note(node, message, hint))

    def mention(self, node: Node, subject: Subject, text: str) -> None:
        """Note that something of the cloud's is named here."""
        mark = node.start_mark
        self.mentions.append(Mention(subject, text, mark.line + 1, mark.column + 1, self.line_of(node)))

    def line_of(self, node: Node) -> str:
        """Give the text of the line in which a node begins."""
        row: int = node.start_mark.line
        return self.lines[row] if row < len(self.lines) else ""

    def group(
        self,
        node: Node,
        what: str,
        known: Collection[str],
        hints: Mapping[str, str] = NO_HINTS,
        hint: str = "",
    ) -> Nodes:
        """Read `key: value` pairs, at least one; unknown keys and keys given twice are mistakes.

        `hints` say by unknown key what to do.
        `hint` says what to write instead of nothing, or of something that is no group.
        """
        if not isinstance(node, MappingNode):
            self.wrong(node, f"{what} has to be {_A_GROUP}, not {shape(node)}", hint)
            return {}
        if not node.value:
            self.wrong(node, f"{what} is empty", hint)
        pairs = self.pairs(node, what)
        for key, (key_node, _) in pairs.items():
            if key not in known:
                self.wrong(key_node, f"{what} takes no `{key}`", hints.get(key) or suggestion(key, known))
        return {key: value for key, (_, value) in pairs.items() if key in known}

    def pairs(self, node: MappingNode, what: str) -> dict[str, tuple[Node, Node]]:
        """Read pairs whatever their keys: by key, the key's node and the value's."""
        pairs: dict[str, tuple[Node, Node]] = {}
        for key_node, value in node.value:
            if not isinstance(key_node, ScalarNode):
                self.wrong(key_node, f"a key in {what} has to be one word, not {shape(key_node)}")
                continue
            key = str(key_node.value)
            if key in pairs:
                first: int = pairs[key][0].start_mark.line + 1
                self.wrong(key_node, f"`{key}` stands twice: here and in line {first}", "keep one of them")
            else:
                if is_nothing(value):
                    value.start_mark = key_node.start_mark  # YAML puts what is left empty behind the gap
                pairs[key] = (key_node, value)
        return pairs

    def items(self, node: Node, what: str) -> list[Node]:
        """Read a list with at least one entry."""
        if not isinstance(node, SequenceNode):
            self.wrong(node, f"{what} has to be a list, not {shape(node)}", "begin each entry with `- `")
            return []
        if not node.value:
            self.wrong(node, f"{what} is an empty list")
        return list(node.value)

    def text(self, node: Node, what: str, *, over_lines: bool = False) -> str | None:
        """Read text that is not blank; text for people may run `over_lines`, which are joined."""
        if not isinstance(node, ScalarNode):
            self.wrong(node, f"{what} has to be text, not {shape(node)}")
        elif not is_text(node) and not is_nothing(node):
            self.wrong(node, f"{what} has to be text", f'put it in quotes: "{node.value}"')
        else:
            words = "" if is_nothing(node) else str(node.value)
            return self._visible(node, what, " ".join(words.split()) if over_lines else words.strip())
        return None

    def choice(self, node: Node, what: str, options: Collection[str]) -> str | None:
        """Read one of a few words."""
        word = self.text(node, what)
        if word is None or word in options:
            return word
        self.wrong(node, f"{what} can't be `{word}`", suggestion(word, options))
        return None

    def _visible(self, node: Node, what: str, text: str) -> str | None:
        if text and not _INVISIBLE.search(text):
            return text
        trouble = "holds a line break or an invisible character" if text else "is empty"
        self.wrong(node, f"{what} {trouble}")
        return None

    def _note(self, node: Node, message: str, hint: str) -> Mistake:
        mark = node.start_mark
        return Mistake(self.source, mark.line + 1, mark.column + 1, message, hint, self.line_of(node))


def is_text(node: ScalarNode) -> bool:
    """Tell whether YAML takes a value for text."""
    return str(node.tag) == f"{_TAGS}str"


def is_nothing(node: Node) -> bool:
    """Tell whether a key was left without a value."""
    return isinstance(node, ScalarNode) and str(node.tag) == f"{_TAGS}null"


def shape(node: Node) -> str:
    """Give in words what a node is."""
    if is_nothing(node):
        return "empty"
    if isinstance(node, MappingNode):
        return _A_GROUP
    return "a list" if isinstance(node, SequenceNode) else "one value"


def suggestion(word: str, options: Iterable[str]) -> str:
    """Give the nearest of the options, or all of them when none is near and they are few."""
    known = list(dict.fromkeys(options))
    listed = ", ".join(f"`{option}`" for option in known)
    return nearest(word, known) or (f"it can be {listed}" if 0 < len(known) <= _LIST_AT_MOST else "")


def nearest(word: str, options: Iterable[str]) -> str:
    """Give the nearest of the options, if one is near."""
    plain = {_plain(option): option for option in options}
    near = get_close_matches(_plain(word), plain, n=1, cutoff=0.6)
    return f"did you mean `{plain[near[0]]}`?" if near else ""


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.casefold())
