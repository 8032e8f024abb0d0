"""Reading the `[notices]` part from its table, from variables and secret files; messages repeat no value."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from workflow.errors import SettingsError
from workflow.model import NoticeEvent
from workflow.settings.notices import CHANNELS, NOTICES, VARIABLE_PREFIX, NoticeSettings, NoticeTarget
from workflow.settings.sources import Source, SourceValue
from workflow.suggest import nearest_option

SECRET_FIELDS = (*CHANNELS, "key")
_PLAIN_FIELDS = tuple(
    name for name in NoticeSettings.model_fields if name not in {"targets", "folders", "owners", "urgent"}
)
_EVENTS = ", ".join(NoticeEvent)
_ALLOWED = {
    "webhook": "an address that begins with https:// and holds no user name",
    "slack": "the address of an incoming webhook: https://hooks.slack.com/services/…",
    "teams": "the address of a Teams workflow that begins with https://",
    "mail": "e-mail addresses, separated by commas",
    "apprise": "a URL of Apprise",
    "key": "text",
    "events": f"a list of some of: {_EVENTS}",
    "urgent": f"a list of some of: {_EVENTS}",
    "every_file": "true or false",
    "internal": "true or false",
    "decide_links": "true or false",
    "link_key": "text",
    "console_url": "an address that begins with http:// or https://",
    "quiet_hours": 'hours of the day: "19:00-06:30"',
    "gather_seconds": "a number from 0 to 600",
    "mail_server": "an address like smtp://user@mail.example.com, or smtps://… or smtp+plain://…",
    "mail_password": "text",
    "mail_from": "an e-mail address",
    "folders": 'a table of subfolders: anna = "anna@example.com"',
    "owners": 'a table of file owners: anna = "anna@example.com"',
    "targets": "a table of targets with names in small letters: [notices.targets.shop]",
}


def load_notices(given: Sequence[SourceValue]) -> NoticeSettings:
    """Return the `[notices]` part of all sources. Raises SettingsError with one line per mistake."""
    parts = [each for each in reversed(given) if each.setting == NOTICES]
    table = next((each for each in parts if each.source is Source.TOML), None)
    variables = [(each.name, str(each.value), each.place) for each in parts if each.source is not Source.TOML]
    place = table.file if table is not None else "notices"
    return parse_notices(table.value if table is not None else {}, variables, place)


def parse_notices(table: object, variables: Iterable[tuple[str, str, str]], place: str) -> NoticeSettings:
    """Return the notices of a table of TOML, with variables (name, value, place) over it, weakest first.

    Raises SettingsError with one sentence a mistake.
    """
    if not isinstance(table, Mapping):
        raise SettingsError(f"{place}: notices must be a table: write [notices] on a line of its own.")
    given, mistakes = _overlaid(table, variables)
    mistakes += [f"{place}: {text}" for text in _unknown_names(given)]
    if not mistakes:
        try:
            return NoticeSettings(**given)
        except ValidationError as error:
            places = dict.fromkeys(_loc(detail["loc"]) for detail in error.errors(include_input=False))
            mistakes = [f"{place}: {_wrong_value(loc)}" for loc in places]
    raise SettingsError("\n".join(mistakes))


def _overlaid(
    table: Mapping[str, Any], variables: Iterable[tuple[str, str, str]]
) -> tuple[dict[str, Any], list[str]]:
    """Return the table with each variable in its place, and what is wrong with names of variables."""
    given: dict[str, Any] = dict(table)
    targets = given.get("targets", {})
    targets = (
        {name: dict(each) if isinstance(each, Mapping) else each for name, each in targets.items()}
        if (isinstance(targets, Mapping))
        else targets
    )
    mistakes = []
    for name, value, source in variables:
        words = name.upper().removeprefix(VARIABLE_PREFIX).lower()
        target, _, field = words.rpartition("_")
        if words in _PLAIN_FIELDS:
            given[words] = value
        elif target and field in SECRET_FIELDS and isinstance(targets, dict):
            known = next((each for each in targets if each.replace("-", "_") == target), target)
            targets.setdefault(known, {})
            targets[known][field] = value
        else:
            mistakes.append(f"Unknown setting {name} in {source}: {_meant_variable(words, targets)}")
    if targets:
        given["targets"] = targets
    return given, mistakes


def _meant_variable(words: str, targets: object) -> str:
    names = targets if isinstance(targets, Mapping) else {}
    known = [*_PLAIN_FIELDS, *(f"{name}_{field}" for name in names for field in SECRET_FIELDS)]
    meant = nearest_option(words, known)
    if not meant:
        return f"write {VARIABLE_PREFIX}SHOP_SLACK, for the channel `slack` of the target `shop`."
    return f"did you mean {VARIABLE_PREFIX}{meant.upper().replace('-', '_')}?"


def _unknown_names(given: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence about each name that is none, with the one that was probably meant."""
    for name in given:
        if name not in NoticeSettings.model_fields:
            yield _unknown(f"{NOTICES}.{name}", name, NoticeSettings.model_fields)
    targets = given.get("targets", {})
    for target, table in targets.items() if isinstance(targets, Mapping) else ():
        if isinstance(table, Mapping):
            for name in table:
                if name not in NoticeTarget.model_fields:
                    yield _unknown(f"{NOTICES}.targets.{target}.{name}", name, NoticeTarget.model_fields)
            events = table.get("events", ())
            yield from _unknown_events(f"{NOTICES}.targets.{target}.events", events)
    yield from _unknown_events(f"{NOTICES}.urgent", given.get("urgent", ()))


def _unknown(place: str, name: str, known: Iterable[str]) -> str:
    meant = nearest_option(name, known)
    return f"Unknown setting {place}: {f'did you mean {meant}?' if meant else 'remove it.'}"


def _unknown_events(place: str, events: object) -> Iterator[str]:
    for each in events if isinstance(events, list) else ():
        if isinstance(each, str) and each not in set(NoticeEvent):
            meant = nearest_option(each, list(NoticeEvent))
            advice = f"did you mean {meant}?" if meant else f"events are {_EVENTS}."
            yield f"{place}: there is no such event: {advice}"


def _loc(loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """Return where a value is, without places inside of lists and tables of names."""
    words = [str(each) for each in loc]
    if words[:1] == ["targets"]:
        return tuple(words[:3])
    return tuple(words[:1])


def _wrong_value(loc: tuple[str, ...]) -> str:
    name = ".".join((NOTICES, *loc))
    if len(loc) == 2:
        channels = ", ".join(CHANNELS)
        return f"{name} needs exactly one channel: set one of {channels}, and remove the others."
    field = re.sub(r"\W", "", loc[-1]) if loc else "targets"
    return f"{name} must be {_ALLOWED.get(field, 'another value')}."
