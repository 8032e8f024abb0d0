"""From a name, or the beginning of an id, to the id that Eiger needs.

Each function raises SettingsError, with the candidates, if no item or several have the name; and CloudError.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from workflow.cli.eiger.output import format_value
from workflow.cli.param_types import did_you_mean
from workflow.eiger import Build, BuildFilter, EigerClient
from workflow.errors import SettingsError

FULL_ID = re.compile(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ID_PREFIX = re.compile(r"(?i)(?=.{6})[0-9a-f]{1,8}(-[0-9a-f]{0,4}){0,3}(-[0-9a-f]{0,12})?")
"""Tables show the first eight characters of an id."""
MAX_SEARCHED = 500
"""How many of the newest are searched in lists that only grow."""
MAX_CANDIDATES = 20


class Candidate(NamedTuple):
    """An item with a name; `detail` distinguishes it from others of the same name."""

    id: str
    name: str
    detail: str = ""


def resolve_build_id(client: EigerClient, word: str) -> str:
    """Return the id of a build by its exact title."""
    if FULL_ID.fullmatch(word):
        return word
    titled = [_build_candidate(build) for build in client.list_builds(BuildFilter(title=word))]
    newest = (
        () if titled else [_build_candidate(build) for build in islice(client.list_builds(), MAX_SEARCHED)]
    )
    return _single_match("build", word, titled, newest, lists_all=False)


def resolve_print_job_id(client: EigerClient, word: str) -> str:
    """Return the id of a print job by its beginning; a word that can't be one is left to Eiger."""
    if FULL_ID.fullmatch(word) or not ID_PREFIX.fullmatch(word):
        return word
    newest = [
        Candidate(job.id, job.build.title if job.build else "", format_value(job.created_at))
        for job in islice(client.list_print_jobs(), MAX_SEARCHED)
    ]
    return _single_match("print job", word, (), newest, lists_all=False)


def resolve_device_id(client: EigerClient, word: str) -> str:
    """Return the id of a device by its name, in any case."""
    if FULL_ID.fullmatch(word):
        return word
    candidates = [
        Candidate(device.id, device.name, f"{device.device_type}, {device.state or 'state unknown'}")
        for device in client.list_devices()
    ]
    return _single_match("device", word, _with_name(word, candidates), candidates)


def resolve_preset_id(client: EigerClient, word: str) -> str:
    """Return the id of a settings preset by its title, in any case."""
    if FULL_ID.fullmatch(word):
        return word
    candidates = [Candidate(preset.id, preset.title) for preset in client.get_org_settings_presets()]
    return _single_match("preset", word, _with_name(word, candidates), candidates)


def resolve_user_id(client: EigerClient, word: str) -> str:
    """Return the id of a user by name or email; an error names no other users."""
    if FULL_ID.fullmatch(word):
        return word
    found = [
        Candidate(user.id, user.name or "", user.email or "")
        for user in client.list_users()
        if user.id and word.casefold() in {(user.name or "").casefold(), (user.email or "").casefold()}
    ]
    return _single_match("user", word, found, ())


def resolve_queued_job_id(client: EigerClient, device: str, word: str) -> str:
    """Return the id of an entry in a device's queue by the title of its build."""
    if FULL_ID.fullmatch(word):
        return word
    candidates = [
        Candidate(entry.id, entry.build.title, format_value(entry.queued_at))
        for entry in client.list_device_queue(device).queue
    ]
    return _single_match("entry of the queue", word, _with_name(word, candidates), candidates)


def _build_candidate(build: Build) -> Candidate:
    made = f"made {format_value(build.created_at)}" if build.created_at else ""
    return Candidate(build.id, build.title, ", ".join(filter(None, (made, build.device_series))))


def _with_name(word: str, candidates: Iterable[Candidate]) -> list[Candidate]:
    return [each for each in candidates if each.name.casefold() == word.casefold()]


def _single_match(
    kind: str,
    word: str,
    found: Sequence[Candidate],
    candidates: Sequence[Candidate],
    *,
    lists_all: bool = True,
) -> str:
    begun = [each for each in candidates if ID_PREFIX.fullmatch(word) and each.id.startswith(word.lower())]
    found = found or begun
    if len(found) == 1:
        return found[0].id
    if found:
        same = "ids that begin with" if begun else "the name"
        text, shown = f"{len(found)} have {same} '{format_value(word)}': use the id of the {kind}.", found
    else:
        meant = did_you_mean(format_value(word), [format_value(each.name) for each in candidates])
        text, shown = f"No {kind} is called '{format_value(word)}'.{meant}", candidates if lists_all else ()
        text += " Available:" if shown else ""
    lines = (
        f"  {each.id}  {format_value(each.name)}  {format_value(each.detail)}".rstrip() for each in shown
    )
    more = [f"  and {len(shown) - MAX_CANDIDATES} more"] if len(shown) > MAX_CANDIDATES else []
    raise SettingsError("\n".join((text, *list(lines)[:MAX_CANDIDATES], *more)))
