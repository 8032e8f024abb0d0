"""The settings: where they come from, which names nobody reads, and who may read the keys."""

import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from workflow.doctor.finding import Check, Finding, fail, ok, warn
from workflow.errors import EXIT_USAGE, SettingsError
from workflow.settings import (
    ENV_FILE,
    ENV_PREFIX,
    Settings,
    Source,
    SourceValue,
    load_settings,
    read_all_sources,
    settings_file,
)
from workflow.suggest import VERY_NEAR, nearest_option

KEY_NAMES = ("ACCESS_KEY", "SECRET_KEY")
LOCAL_URLS = ("http://127.0.0.1", "http://localhost", "http://[::1]")


def check_settings_readable() -> Iterator[Finding]:
    """Check that the settings can be read."""
    try:
        load_settings()
    except SettingsError as error:
        for line in str(error).splitlines():
            yield fail(line, "Correct it where it stands; docs/settings.md has every name.", EXIT_USAGE)
    else:
        yield ok("The settings can be read.")


def check_setting_sources() -> Iterator[Finding]:
    """List the settings that are set, by source."""
    decided = settings_by_source(read_all_sources())
    if decided:
        told = "; ".join(f"in {source.value}: {', '.join(names)}" for source, names in decided.items())
        yield ok(f"Set {told}. Everything else has its default.")
    else:
        yield warn(
            f"Nothing is set: there is no {settings_file()} and no {ENV_FILE} in {Path.cwd()}.",
            "Go to the folder that has them, or begin with `stlflow init`.",
        )


def check_unread_names() -> Iterator[Finding]:
    """Find names that look like settings and are not read."""
    in_file = [each for each in read_all_sources() if each.source is Source.ENV_FILE and each.setting is None]
    bare = [each for each in in_file if each.name.lower() in Settings.model_fields]
    found = [
        *((each.name, each.place, f"{ENV_PREFIX}{each.name.upper()}") for each in bare),
        *((name, Source.ENVIRONMENT.value, meant) for name, meant in misspelled_keys(os.environ)),
    ]
    for name, place, meant in found:
        yield warn(f"{name} in {place} is read by nobody.", f"If it is meant for stlflow: write {meant}.")
    if not found:
        yield ok("No name in .env or the environment looks like a setting that nobody reads.")


def check_key_secrecy() -> Iterator[Finding]:
    """Check who can read the files with keys, and whether keys are sent unencrypted."""
    holders = {each.source for each in read_all_sources() if _is_key(each)}
    files = [ENV_FILE] * (Source.ENV_FILE in holders) + [settings_file()] * (Source.TOML in holders)
    open_files = [file for file in files if _others_may_read(file)]
    for file in open_files:
        yield warn(f"{file} holds keys, and others may read it.", f"`chmod 600 {file}`")
    url = load_settings().eiger_url
    in_clear = url.startswith("http://") and not url.startswith(LOCAL_URLS)
    if in_clear:
        yield warn("The keys go out unencrypted: eiger_url begins with http://.", "Write https:// there.")
    if not open_files and not in_clear:
        yield ok("No file with keys is open to others, and keys leave this machine encrypted only.")


def settings_by_source(given: Sequence[SourceValue]) -> Mapping[Source, tuple[str, ...]]:
    """Return the settings that each source decides; the first that has one counts."""
    decided: dict[str, Source] = {}
    for each in given:
        if each.setting is not None:
            decided.setdefault(each.setting, each.source)
    names = {
        source: [name for name in Settings.model_fields if decided.get(name) is source] for source in Source
    }
    return {source: tuple(found) for source, found in names.items() if found}


def misspelled_keys(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Return names that nearly are those of the keys, each with the one meant."""
    for name in names:
        meant = nearest_option(name, KEY_NAMES, VERY_NEAR)
        if meant and name.upper() not in KEY_NAMES:
            yield name, meant


def _is_key(given: SourceValue) -> bool:
    return (given.setting or "").upper() in KEY_NAMES and bool(given.value)


def _others_may_read(file: Path) -> bool:
    return os.name == "posix" and bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


SETTINGS_CHECKS = (
    Check(
        "settings",
        "whether the settings can be read: unknown names, wrong values",
        check_settings_readable,
        gate=True,
    ),
    Check("settings.sources", "where each comes from", check_setting_sources),
    Check("settings.strays", "names that nobody reads: `SHARE` in `.env`", check_unread_names),
    Check("settings.secrecy", "who may read the files with keys; keys over plain http", check_key_secrecy),
)
