"""Checking the names in a rulebook against what the cloud has."""

from collections.abc import Callable, Sequence

from workflow.errors import Mistake
from workflow.routing.globs import Glob, fold
from workflow.routing.page import nearest, suggestion
from workflow.routing.rulebook import Mention, Rulebook, Subject

Fault = tuple[str, str]
"""What is wrong with a name, and a hint."""
Person = tuple[str, Sequence[str]]
"""The id of a user, and what else the user can be called by."""
_BY_ID = "name the one you mean by its id"


def check_names(
    rulebook: Rulebook,
    presets: Sequence[tuple[str, str]],
    device_names: Sequence[str],
    series: Sequence[str],
    users: Sequence[Person],
) -> tuple[Mistake, ...]:
    """Find names that the cloud doesn't have, or has twice. `presets` are (title, id)."""
    titles = [title for title, _ in presets]
    checks: dict[Subject, Callable[[str], Fault | None]] = {
        Subject.PRESET: lambda text: _preset_fault(text, presets),
        Subject.PRESET_TITLE: lambda text: _pattern_fault(text, "preset", titles),
        Subject.USER: lambda text: _user_fault(text, users),
        Subject.DEVICE: lambda text: _device_fault(text, device_names),
        Subject.SERIES: lambda text: _pattern_fault(text, "device of series", series),
    }
    found = ((mention, checks[mention.subject](mention.text)) for mention in rulebook.mentions)
    return tuple(_mistake(rulebook.source, mention, *fault) for mention, fault in found if fault is not None)


def _preset_fault(text: str, presets: Sequence[tuple[str, str]]) -> Fault | None:
    if any(fold(text) == fold(preset_id) for _, preset_id in presets):
        return None
    hits = [title for title, _ in presets if fold(text) == fold(title)]
    if len(hits) > 1:
        return f"{len(hits)} presets in Eiger are titled `{text}`", _BY_ID
    if not hits:
        return f"Eiger has no preset `{text}`", suggestion(text, [title for title, _ in presets])
    return None


def _user_fault(text: str, users: Sequence[Person]) -> Fault | None:
    """People are not listed: what is said may end in a log."""
    if any(fold(text) == fold(user_id) for user_id, _ in users):
        return None
    hits = [words for _, words in users if fold(text) in map(fold, words)]
    if len(hits) > 1:
        return f"{len(hits)} users in Eiger are called `{text}`", _BY_ID
    if not hits:
        return f"Eiger has no user `{text}`", nearest(text, [word for _, words in users for word in words])
    return None


def _device_fault(text: str, names: Sequence[str]) -> Fault | None:
    """A pattern may mean several devices; a plain name means one."""
    plain = not any(sign in text for sign in "*?")
    hits = [name for name in names if fold(name) == fold(text)]
    if plain and len(hits) > 1:
        return f"{len(hits)} devices in Eiger are called `{text}`", "give them different names in Eiger"
    return _pattern_fault(text, "device", names)


def _pattern_fault(text: str, what: str, names: Sequence[str]) -> Fault | None:
    known = any(map(Glob(text).takes, names))
    return None if known else (f"Eiger has no {what} `{text}`", suggestion(text, names))


def _mistake(source: str, mention: Mention, message: str, hint: str) -> Mistake:
    return Mistake(source, mention.line, mention.column, message, hint, mention.source_line)
