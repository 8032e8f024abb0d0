"""From the word that a person gives to the id that Eiger wants: a name, or the beginning of an id.

Every function raises SettingsError with the candidates where none or several have the name, and
CloudError.
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
"""Of lists that grow for ever: the newest."""
MAX_CANDIDATES = 20


class Candidate(NamedTuple):
    """Something with a name; `detail` is what tells it from another of that name."""

    id: str
    name: str
    detail: str = ""


def resolve_build_id(client: EigerClient, word: str) -> str:
    """Find a build by its title, which is compared exactly."""
    if FULL_ID.fullmatch(word):
        return word
    titled = [_build_candidate(build) for build in client.list_builds(BuildFilter(title=word))]
    newest = (
        () if titled else [_build_candidate(build) for build in islice(client.list_builds(), MAX_SEARCHED)]
    )
    return _single_match("build", word, titled, newest, lists_all=False)


def resolve_print_job_id(client: EigerClient, word: str) -> str:
    """Find a print job by the beginning of its id; whatever can be none is left to Eiger."""
    if FULL_ID.fullmatch(word) or not ID_PREFIX.fullmatch(word):
        return word
    newest = [
        Candidate(job.id, job.build.title if job.build else "", format_value(job.created_at))
        for job in islice(client.list_print_jobs(), MAX_SEARCHED)
    ]
    return _single_match("print job", word, (), newest, lists_all=False)


def resolve_device_id(client: EigerClient, word: str) -> str:
    """Find a device by its name, in capitals or not."""
    if FULL_ID.fullmatch(word):
        return word
    everyone = [
        Candidate(device.id, device.name, f"{device.device_type}, {device.state or 'state unknown'}")
        for device in client.list_devices()
    ]
    return _single_match("device", word, _with_name(word, everyone), everyone)


def resolve_preset_id(client: EigerClient, word: str) -> str:
    """Find a settings preset by its title, in capitals or not."""
    if FULL_ID.fullmatch(word):
        return word
    everyone = [Candidate(preset.id, preset.title) for preset in client.get_org_settings_presets()]
    return _single_match("preset", word, _with_name(word, everyone), everyone)


def resolve_user_id(client: EigerClient, word: str) -> str:
    """Find a user by name or email; nobody else is named where there is none."""
    if FULL_ID.fullmatch(word):
        return word
    found = [
        Candidate(user.id, user.name or "", user.email or "")
        for user in client.list_users()
        if user.id and word.casefold() in {(user.name or "").casefold(), (user.email or "").casefold()}
    ]
    return _single_match("user", word, found, ())


def resolve_queued_job_id(client: EigerClient, device: str, word: str) -> str:
    """Find an entry in a device's queue by the title of its build."""
    if FULL_ID.fullmatch(word):
        return word
    everyone = [
        Candidate(entry.id, entry.build.title, format_value(entry.queued_at))
        for entry in client.list_device_queue(device).queue
    ]
    return _single_match("entry of the queue", word, _with_name(word, everyone), everyone)


def _build_candidate(build: Build) -> Candidate:
    made = f"made {format_value(build.created_at)}" if build.created_at else ""
    return Candidate(build.id, build.title, ", ".join(filter(None, (made, build.device_series))))


def _with_name(word: str, everyone: Iterable[Candidate]) -> list[Candidate]:
    return [each for each in everyone if each.name.casefold() == word.casefold()]


def _single_match(
    kind: str, word: str, found: Sequence[Candidate], everyone: Sequence[Candidate], *, lists_all: bool = True
) -> str:
    begun = [each for each in everyone if ID_PREFIX.fullmatch(word) and each.id.startswith(word.lower())]
    found = found or begun
    if len(found) == 1:
        return found[0].id
    if found:
        same = "ids that begin with" if begun else "the name"
        text, shown = f"{len(found)} have {same} '{format_value(word)}': give the id of the {kind}.", found
    else:
        meant = did_you_mean(format_value(word), [format_value(each.name) for each in everyone])
        text, shown = f"No {kind} is called '{format_value(word)}'.{meant}", everyone if lists_all else ()
        text += " There are:" if shown else ""
    lines = (
        f"  {each.id}  {format_value(each.name)}  {format_value(each.detail)}".rstrip() for each in shown
    )
    more = [f"  and {len(shown) - MAX_CANDIDATES} more"] if len(shown) > MAX_CANDIDATES else []
    raise SettingsError("\n".join((text, *list(lines)[:MAX_CANDIDATES], *more)))
