"""Reading `names`: patterns that say what a file's name holds, and the facts that they make."""

from ruamel.yaml.nodes import Node

from workflow.routing.facts import TAG_PREFIX, Fact, Kind, tag_fact
from workflow.routing.page import Page
from workflow.routing.tags import NamePattern, read_pattern


def read_names(page: Page, node: Node) -> tuple[NamePattern, ...]:
    """Read the patterns under `names`, and let conditions ask for their tags."""
    patterns = [_read_name(page, item) for item in page.items(node, "`names`")]
    return tuple(pattern for pattern in patterns if pattern is not None)


def _read_name(page: Page, node: Node) -> NamePattern | None:
    text = page.text(node, "a pattern for names")
    if text is None:
        return None
    try:
        pattern = read_pattern(text)
    except ValueError as error:
        page.wrong(node, str(error), "write it like `{project}_{qty}x`, without .stl")
        return None
    for tag in pattern.tags:
        fact = tag_fact(tag.name, tag.kind)
        known = page.tags.setdefault(TAG_PREFIX + tag.name, fact)
        if known.kind is not fact.kind:
            page.wrong(node, f"`{{{tag.name}}}` is {_a(known)} in a pattern above", "make them the same")
    return pattern


def _a(fact: Fact) -> str:
    return "text" if fact.kind is Kind.TEXT else "a number"
