"""Read patterns for text from YAML nodes. Absolute paths, regular expressions and names that no file has
are noted as mistakes.
"""

import re

from ruamel.yaml.nodes import Node, ScalarNode

from workflow.routing.facts import TAG_PREFIX, Fact, FactKind
from workflow.routing.filename_tags import NUMBER_SUFFIX
from workflow.routing.globs import ANY_FOLDERS, Glob, name_in_list
from workflow.routing.matchers import COMPARISON_REGEX
from workflow.routing.rulebook import MentionKind
from workflow.routing.yaml_reader import YamlReader, is_text_node

PART_NAMES = Glob("*.stl")
"""Only files with such names become submissions."""
MENTIONS_BY_FACT = {
    "preset": MentionKind.PRESET_TITLE,
    "build.material": MentionKind.MATERIAL,
    "build.fiber": MentionKind.FIBER,
    "build.series": MentionKind.BUILD_SERIES,
    "fits": MentionKind.FITS,
    "fits_series": MentionKind.FITS_SERIES,
}
_REGEX_SIGNS = re.compile(
    r"^\^|^\(\?|\$$|(?:^|/)\.[*+]|\\[.]|\\[dwsDWS][+*]|\\/|\.\+|\(.*\|.*\)|\[\^?(?:a-z|A-Z|0-9)"
)
_REGEX_ESCAPE = re.compile(r"\\[dwsbDWSB]")
"""In a path it may be a folder of Windows: `parts\\drill`."""
_ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]|\\\\|//|~[\\/]|/(?=.*/inbox/)")
_SYSTEM_FOLDERS = frozenset({"home", "media", "mnt", "net", "opt", "srv", "tmp", "users", "var", "volumes"})


def parse_text_pattern(page: YamlReader, fact: Fact, node: ScalarNode) -> Glob | None:
    """Return the pattern for a fact that is text; None after noting what is wrong with it."""
    text = str(node.value)
    if not is_text_node(node) or COMPARISON_REGEX.fullmatch(text.strip()):
        tag = fact.name.removeprefix(TAG_PREFIX)
        as_number = f"write {{{tag}{NUMBER_SUFFIX}}} in the pattern under `names`"
        hint = as_number if fact.name.startswith(TAG_PREFIX) else 'write text in quotes: "…"'
        page.wrong(node, f"`{fact.name}` is text and can't be compared with `{text}`", hint)
        return None
    pattern = page.text(node, f"`{fact.name}`")
    if pattern is None or refuse_regular_expression(page, node, pattern, is_path=fact.kind is FactKind.PATH):
        return None
    if fact.name in MENTIONS_BY_FACT:
        page.add_mention(node, MENTIONS_BY_FACT[fact.name], pattern)
    if fact.kind is FactKind.PATH:
        return _parse_path_pattern(page, fact, node, pattern)
    if fact.name == "name" and _refuse_impossible_name(page, node, pattern):
        return None
    return name_in_list(pattern) if fact.kind is FactKind.NAMES else Glob(pattern)


def refuse_regular_expression(page: YamlReader, node: Node, pattern: str, *, is_path: bool = False) -> bool:
    """Note a regular expression as a mistake, with the pattern that means the same; True if it is one."""
    is_escaped = not is_path and _REGEX_ESCAPE.search(pattern) is not None
    if not is_escaped and _REGEX_SIGNS.search(pattern) is None:
        return False
    plain = re.sub(
        r"\\(.)", r"\1", re.sub(r"(?:\.|\\[dwsDWS])[*+]\??", "*", pattern.removeprefix("^").removesuffix("$"))
    )
    plain = f"{plain}*" if is_path and plain.endswith("/*") else plain
    simple = re.search(r"[\\()\[\]{}|+^$]", plain) is None
    advice = f"write `{plain}`" if simple else "`*` is any text, `?` one character; list several patterns"
    page.wrong(node, f"`{pattern}` is a regular expression, and rules take simple patterns", advice)
    return True


def _refuse_impossible_name(page: YamlReader, node: Node, pattern: str) -> bool:
    if "/" in pattern or "\\" in pattern:
        folders = pattern.replace("\\", "/")
        page.wrong(node, f"`name` has no folders, so `{pattern}` is never met", f'write `path: "{folders}"`')
        return True
    if PART_NAMES.excludes(Glob(pattern)):
        page.wrong(node, f"every name ends in `.stl`, so `{pattern}` is never met", _ending_hint(pattern))
        return True
    return False


def _ending_hint(pattern: str) -> str:
    stem, dot, ending = pattern.rpartition(".")
    if dot and re.fullmatch(r"\w{1,7}", ending) and not ending.isdigit():
        return f"write `{stem}.stl`"
    return f"write `{pattern}*`" if "*" in pattern else f"write `{pattern}.stl`, or `*{pattern}*`"


def _parse_path_pattern(page: YamlReader, fact: Fact, node: ScalarNode, pattern: str) -> Glob | None:
    """Check a pattern for paths: it begins below the inbox, with forward slashes and whole `**`."""
    segments = pattern.split("/")
    if _ABSOLUTE.match(pattern) or (segments[0] == "" and segments[1].lower() in _SYSTEM_FOLDERS):
        page.wrong(node, f"`{fact.name}` begins below the inbox", _below_inbox_hint(pattern))
    elif "\\" in pattern:
        page.wrong(node, "separate folders with `/`, not with a backslash", pattern.replace("\\", "/"))
    elif segments[0] in {"", ".", ".."}:
        page.wrong(node, f"`{fact.name}` begins below the inbox", f"write `{pattern.lstrip('./')}`")
    elif segments[0].lower() == "inbox" and len(segments) > 1:
        page.add_warning(
            node, f"`{fact.name}` begins below the inbox", f"did you mean `{'/'.join(segments[1:])}`?"
        )
        return Glob(pattern, by_folder=True)
    elif segments[-1] == "":
        page.wrong(node, f"`{pattern}` matches no file", f"write `{pattern}**` for all that is in the folder")
    elif any(ANY_FOLDERS in segment and segment != ANY_FOLDERS for segment in segments):
        page.wrong(node, "`**` means whole folders", "write it between slashes, or a single `*`")
    elif fact.name == "path" and segments[-1] != ANY_FOLDERS and PART_NAMES.excludes(Glob(segments[-1])):
        page.wrong(
            node, f"every path ends in `.stl`, so `{pattern}` is never met", _path_ending_hint(pattern)
        )
    else:
        if re.search(r"[\[{].*[\]}]", pattern):
            message = f"brackets in `{pattern}` have no special meaning"
            page.add_warning(node, message, "for several patterns, list them")
        return Glob(pattern, by_folder=True)
    return None


def _path_ending_hint(pattern: str) -> str:
    """Return what was meant: nearly always a folder."""
    last = pattern.rpartition("/")[2]
    has_ending = "." in last and not last.endswith(".")
    return _ending_hint(pattern) if has_ending or "*" in last else f"did you mean `{pattern}/**`?"


def _below_inbox_hint(pattern: str) -> str:
    _, found, below = pattern.replace("\\", "/").rpartition("/inbox/")
    if found and below:
        return f"write `{below}`"
    return "leave out the inbox and the folders above it, like `rush/**`"
