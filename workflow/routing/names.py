"""Checking the names in a rulebook against what the cloud has."""

from collections.abc import Callable, Sequence

from workflow.errors import Mistake
from workflow.routing.globs import Glob, fold
from workflow.routing.page import nearest, suggestion
from workflow.routing.rulebook import Mention, Rulebook, Subject

Fault = tuple[str, str]
"""What is wrong with a name, and a hint."""


def check_names(
    rulebook: Rulebook,
    presets: Sequence[tuple[str, str]],
    device_names: Sequence[str],
    series: Sequence[str],
    users: Sequence[str],
) -> tuple[Mistake, ...]:
    """Find names that the cloud doesn't have, or has twice. `presets` are (title, id)."""
    titles = [title for title, _ in presets]
    checks: dict[Subject, Callable[[str], Fault | None]] = {
        Subject.PRESET: lambda text: _preset_fault(text, presets),
        Subject.PRESET_TITLE: lambda text: _pattern_fault(text, "preset", titles),
        Subject.USER: lambda text: _user_fault(text, users),
        Subject.DEVICE: lambda text: _pattern_fault(text, "device", device_names),
        Subject.SERIES: lambda text: _pattern_fault(text, "device of series", series),
    }
    found = ((mention, checks[mention.subject](mention.text)) for mention in rulebook.mentions)
    return tuple(_mistake(rulebook.source, mention, *fault) for mention, fault in found if fault is not None)


def _preset_fault(text: str, presets: Sequence[tuple[str, str]]) -> Fault | None:
    hits = [title for title, preset_id in presets if fold(text) in {fold(title), fold(preset_id)}]
    if len(hits) > 1:
        return f"{len(hits)} presets in Eiger are titled `{text}`", "name the one you mean by its id"
    if not hits:
        return f"Eiger has no preset `{text}`", suggestion(text, [title for title, _ in presets])
    return None


def _user_fault(text: str, users: Sequence[str]) -> Fault | None:
    """People are not listed: what is said may end in a log."""
    known = fold(text) in map(fold, users)
    return None if known else (f"Eiger has no user `{text}`", nearest(text, users))


def _pattern_fault(text: str, what: str, names: Sequence[str]) -> Fault | None:
    known = any(map(Glob(text).takes, names))
    return None if known else (f"Eiger has no {what} `{text}`", suggestion(text, names))


def _mistake(source: str, mention: Mention, message: str, hint: str) -> Mistake:
    return Mistake(source, mention.line, mention.column, message, hint, mention.source_line)
