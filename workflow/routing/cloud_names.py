"""Checking the names in a rulebook against what the cloud has."""

from collections.abc import Callable, Sequence

from workflow.errors import Mistake
from workflow.routing.globs import Glob, casefold_nfc
from workflow.routing.rulebook import Mention, MentionKind, Rulebook
from workflow.routing.yaml_reader import suggest_nearest, suggest_option

MessageAndHint = tuple[str, str]
"""What is wrong with a name, and a hint."""
UserNames = tuple[str, Sequence[str]]
"""The id of a user, and what else the user can be called by."""
_BY_ID = "name the one you mean by its id"


def check_cloud_names(
    rulebook: Rulebook,
    presets: Sequence[tuple[str, str]],
    device_names: Sequence[str],
    series: Sequence[str],
    users: Sequence[UserNames],
) -> tuple[Mistake, ...]:
    """Find names that the cloud doesn't have, or has twice. `presets` are (title, id)."""
    titles = [title for title, _ in presets]
    checks: dict[MentionKind, Callable[[str], MessageAndHint | None]] = {
        MentionKind.PRESET: lambda text: _check_preset(text, presets),
        MentionKind.PRESET_TITLE: lambda text: _check_pattern(text, "preset", titles),
        MentionKind.USER: lambda text: _check_user(text, users),
        MentionKind.DEVICE: lambda text: _check_device(text, device_names),
        MentionKind.SERIES: lambda text: _check_pattern(text, "device of series", series),
    }
    found = ((mention, checks[mention.subject](mention.text)) for mention in rulebook.mentions)
    return tuple(
        _mistake_at_mention(rulebook.source, mention, *fault) for mention, fault in found if fault is not None
    )


def _check_preset(text: str, presets: Sequence[tuple[str, str]]) -> MessageAndHint | None:
    if any(casefold_nfc(text) == casefold_nfc(preset_id) for _, preset_id in presets):
        return None
    hits = [title for title, _ in presets if casefold_nfc(text) == casefold_nfc(title)]
    if len(hits) > 1:
        return f"{len(hits)} presets in Eiger are titled `{text}`", _BY_ID
    if not hits:
        return f"Eiger has no preset `{text}`", suggest_option(text, [title for title, _ in presets])
    return None


def _check_user(text: str, users: Sequence[UserNames]) -> MessageAndHint | None:
    """People are not listed: what is said may end in a log."""
    if any(casefold_nfc(text) == casefold_nfc(user_id) for user_id, _ in users):
        return None
    hits = [words for _, words in users if casefold_nfc(text) in map(casefold_nfc, words)]
    if len(hits) > 1:
        return f"{len(hits)} users in Eiger are called `{text}`", _BY_ID
    if not hits:
        return f"Eiger has no user `{text}`", suggest_nearest(
            text, [word for _, words in users for word in words]
        )
    return None


def _check_device(text: str, names: Sequence[str]) -> MessageAndHint | None:
    """A pattern may mean several devices; a plain name means one."""
    plain = not any(sign in text for sign in "*?")
    hits = [name for name in names if casefold_nfc(name) == casefold_nfc(text)]
    if plain and len(hits) > 1:
        return f"{len(hits)} devices in Eiger are called `{text}`", "give them different names in Eiger"
    return _check_pattern(text, "device", names)


def _check_pattern(text: str, what: str, names: Sequence[str]) -> MessageAndHint | None:
    known = any(map(Glob(text).matches, names))
    return None if known else (f"Eiger has no {what} `{text}`", suggest_option(text, names))


def _mistake_at_mention(source: str, mention: Mention, message: str, hint: str) -> Mistake:
    return Mistake(source, mention.line, mention.column, message, hint, mention.source_line)
