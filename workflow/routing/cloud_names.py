"""Check the names in a rulebook against the names in the cloud, and those of the build volumes."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from workflow.errors import Mistake, RulesError
from workflow.model import DeviceFacts
from workflow.routing.build_volumes import BUILD_VOLUMES_FILE, BuildVolume
from workflow.routing.globs import Glob, casefold_nfc
from workflow.routing.rulebook import Mention, MentionKind, Rulebook
from workflow.routing.yaml_reader import suggest_nearest, suggest_option

MessageAndHint = tuple[str, str]
"""What is wrong with a name, and a hint."""
UserNames = tuple[str, Sequence[str]]
"""The id of a user, and the user's other names."""
NamesByKind = Mapping[MentionKind, Collection[str]]
"""Names that the cloud uses, by what they name."""
_BY_ID = "name the one you mean by its id"
KNOWN_NAMES: NamesByKind = MappingProxyType(
    {
        MentionKind.STATE: (
            "Unknown", "Offline", "Disabled", "Ready", "Printing", "Print Finished", "Canceling",
            "Print Bed Needs Clearing", "Configuration in Progress", "Pausing", "Print Paused",
            "Resuming Print", "Low on Material", "Out of Material", "Purge Strip Removal Needed",
            "Update in Progress", "Dislocation Error", "Bed Needs Leveling", "Incompatible Print File",
            "Fiber Jam", "Material Jam", "Vacuum Not Engaged", "Print Failure Detected",
            "Update Required On Device", "Custom Branch In Use", "Running Utility", "Utility Finished",
            "User Action Required",
        ),
        MentionKind.TYPE: (
            "Mark One", "Mark Two", "Onyx One", "Onyx Pro", "X3", "X5", "X7", "Metal X", "FX20", "FX10",
        ),
        MentionKind.BUILD_SERIES: (
            "Unknown", "Mark One", "Desktop Series", "Industrial Series", "Metal X", "FX20", "FX10",
        ),
        MentionKind.MATERIAL: (
            "Onyx", "Onyx FR", "Onyx FR-A", "Onyx ESD", "Onyx GF", "Nylon White", "Nylon", "Tough Nylon",
            "Precise PLA", "Smooth TPU 95A", "ULTEM™ 9085 Filament", "Vega", "Copper",
            "17-4 PH", "17-4 PH v2", "316L", "H13", "A2", "D2", "Inconel 625", "Ti-6Al-4V",
        ),
        MentionKind.FIBER: (
            "Carbon Fiber", "Carbon Fiber FR", "Carbon Fiber FR-A", "Carbon Fiber HT", "Fiberglass",
            "HSHT Fiberglass", "Kevlar",
        ),
    }
)  # fmt: skip
"""States, types and series by Eiger's contract, FX10 as seen; materials and fibers by the vendor's list.

Eiger may add more: a name that is not among them is doubted, never refused.
"""


def is_material_name(name: str) -> bool:
    """True if the vendor's list has a material of that name: presets are often called like one."""
    return casefold_nfc(name) in map(casefold_nfc, KNOWN_NAMES[MentionKind.MATERIAL])


def find_unlisted_types(types: Iterable[str]) -> tuple[str, ...]:
    """Return the types of printers that are not in the contract, as they came, each once."""
    return tuple(dict.fromkeys(each for each in types if each not in KNOWN_NAMES[MentionKind.TYPE]))


def check_cloud_names(
    rulebook: Rulebook,
    presets: Sequence[tuple[str, str]],
    device_names: Sequence[str],
    series: Sequence[str],
    users: Sequence[UserNames],
) -> tuple[Mistake, ...]:
    """Return a mistake for each name that the cloud lacks, or has twice. `presets` are (title, id)."""
    titles = [title for title, _ in presets]
    checks: dict[MentionKind, Callable[[str], MessageAndHint | None]] = {
        MentionKind.PRESET: lambda text: _check_preset(text, presets),
        MentionKind.PRESET_TITLE: lambda text: _check_pattern(text, "preset", titles),
        MentionKind.USER: lambda text: _check_user(text, users),
        MentionKind.DEVICE: lambda text: _check_device(text, device_names),
        MentionKind.SERIES: lambda text: _check_pattern(text, "device of series", series),
    }
    found = (
        (mention, checks[mention.subject](mention.text))
        for mention in rulebook.mentions
        if mention.subject in checks
    )
    return tuple(
        _mistake_at_mention(rulebook.source, mention, *fault) for mention, fault in found if fault is not None
    )


def doubt_unknown_names(rulebook: Rulebook, seen: NamesByKind = MappingProxyType({})) -> tuple[Mistake, ...]:
    """Return a warning for each state, material or series that is neither in the contract nor `seen`."""
    doubts = []
    for mention in rulebook.mentions:
        known = [*KNOWN_NAMES.get(mention.subject, ()), *seen.get(mention.subject, ())]
        if known and not any(map(Glob(mention.text).matches, known)):
            message = f"Eiger knows no {mention.subject} `{mention.text}`: nothing may ever match"
            hint = suggest_nearest(mention.text, known) or f"Eiger writes for example {_first_few(known)}"
            doubts.append(_mistake_at_mention(rulebook.source, mention, message, hint))
    return tuple(doubts)


def with_build_volumes(rulebook: Rulebook, volumes: Sequence[BuildVolume]) -> Rulebook:
    """Return the rulebook with the build volumes. Raises RulesError for each name that none of them has.

    These are the names in rules on `fits` and `fits_series`: a misspelled one would never match.
    """
    names = {
        MentionKind.FITS: [volume.name for volume in volumes],
        MentionKind.FITS_SERIES: [volume.series for volume in volumes],
    }
    mistakes = tuple(
        _mistake_at_mention(
            rulebook.source,
            mention,
            f"{BUILD_VOLUMES_FILE} has no {mention.subject} `{mention.text}`: it never matches",
            suggest_option(mention.text, names[mention.subject]),
        )
        for mention in rulebook.mentions
        if mention.subject in names and not any(map(Glob(mention.text).matches, names[mention.subject]))
    )
    if volumes and mistakes:
        raise RulesError(mistakes)
    return replace(rulebook, volumes=tuple(volumes))


def names_by_kind(devices: Iterable[DeviceFacts]) -> NamesByKind:
    """Return the states, types, series and materials that the devices show now."""
    listed = tuple(devices)
    shown: dict[MentionKind, list[str | None]] = {
        MentionKind.STATE: [device.state for device in listed],
        MentionKind.TYPE: [device.type for device in listed],
        MentionKind.BUILD_SERIES: [device.series for device in listed],
        MentionKind.MATERIAL: [device.material for device in listed],
        MentionKind.FIBER: [device.fiber for device in listed],
    }
    return {kind: [name for name in names if name is not None] for kind, names in shown.items()}


def _first_few(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in [name for name in names if name != "Unknown"][:4])


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
    """Return the fault of a user's name. Users are not listed: messages may end in a log."""
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
    """Return the fault of a device's name. A pattern may mean several devices, a plain name means one."""
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
