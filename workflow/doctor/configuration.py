"""The settings: where they come from, which names nobody reads, and who may read the keys."""

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from workflow.doctor.checkup import Check
from workflow.doctor.finding import Finding, fail, ok, warn
from workflow.errors import EXIT_USAGE, SettingsError
from workflow.settings import (
    ENV_FILE,
    PREFIX,
    SETTINGS_FILE,
    Settings,
    env_file_names,
    load_settings,
    toml_names,
)

KEYS = ("ACCESS_KEY", "SECRET_KEY")
THIS_MACHINE = ("http://127.0.0.1", "http://localhost", "http://[::1]")
_ALIKE = 0.84
"""How much a name has to look like a setting's to be told: AWS_SECRET_ACCESS_KEY does not."""


def readable() -> Iterator[Finding]:
    """Read them as every command does."""
    try:
        load_settings()
    except SettingsError as error:
        for line in str(error).splitlines():
            yield fail(line, "Correct it where it stands; docs/settings.md has every name.", EXIT_USAGE)
    else:
        yield ok("The settings can be read.")


def sources() -> Iterator[Finding]:
    """Name the source of each that is set."""
    decided = where_set(os.environ, env_file_names(), toml_names())
    if decided:
        told = "; ".join(f"in {source}: {', '.join(names)}" for source, names in decided.items())
        yield ok(f"Set {told}. Everything else has its default.")
    else:
        yield warn(
            f"Nothing is set: there is no {SETTINGS_FILE} and no {ENV_FILE} in {Path.cwd()}.",
            "Go to the folder that has them, or begin with `stlflow init`.",
        )


def strays() -> Iterator[Finding]:
    """Find names that look like settings, and that nobody reads."""
    env_file = env_file_names()
    found = [
        *((name, ".env", meant) for name, meant in _strays_in(env_file)),
        *((name, "the environment", meant) for name, meant in misspelt(os.environ)),
    ]
    for name, source, meant in found:
        yield warn(f"{name} in {source} is read by nobody.", f"If it is meant for stlflow: write {meant}.")
    if not found:
        yield ok("No name in .env or the environment looks like a misspelt setting.")


def secrecy() -> Iterator[Finding]:
    """See who may read the files that hold keys, and whether keys travel in the clear."""
    holders = {ENV_FILE: env_file_names(), SETTINGS_FILE: toml_names()}
    open_files = [file for file, names in holders.items() if _holds_keys(names) and _others_may_read(file)]
    for file in open_files:
        yield warn(f"{file} holds keys, and others may read it.", f"`chmod 600 {file}`")
    url = load_settings().eiger_url
    in_clear = url.startswith("http://") and not url.startswith(THIS_MACHINE)
    if in_clear:
        yield warn("The keys go out unencrypted: eiger_url begins with http://.", "Write https:// there.")
    if not open_files and not in_clear:
        yield ok("No file with keys is open to others, and keys leave this machine encrypted only.")


def where_set(
    environment: Collection[str], env_file: Collection[str], toml: Collection[str]
) -> Mapping[str, tuple[str, ...]]:
    """Give the settings that each source decides; the first source that has a name counts."""
    plain = {name.lower() for name in toml}
    places = {
        "the environment": _spelt_out(environment),
        str(ENV_FILE): _spelt_out(env_file),
        str(SETTINGS_FILE): plain,
    }
    found: dict[str, list[str]] = {}
    for name in Settings.model_fields:
        source = next((place for place, names in places.items() if name in names), None)
        if source is not None:
            found.setdefault(source, []).append(name)
    return {source: tuple(found[source]) for source in places if source in found}


def misspelt(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Give names that nearly are those of settings, each with the one meant; what is refused is not here."""
    known = [*(f"{PREFIX}{field.upper()}" for field in Settings.model_fields), *KEYS]
    for name in names:
        upper = name.upper()
        if upper in known or upper.startswith(PREFIX):
            continue
        near = get_close_matches(upper, known, n=1, cutoff=_ALIKE)
        if near:
            yield name, near[0]


def _strays_in(env_file: Collection[str]) -> Iterator[tuple[str, str]]:
    """In our own file a name without its prefix is a slip, too; elsewhere it is another program's."""
    yield from misspelt(env_file)
    for name in env_file:
        if name.lower() in Settings.model_fields and name.upper() not in KEYS:
            yield name, f"{PREFIX}{name.upper()}"


def _spelt_out(names: Collection[str]) -> set[str]:
    """Give the settings that names of variables mean: with the prefix, or the vendor's names of the keys."""
    upper = {name.upper() for name in names}
    return {name.removeprefix(PREFIX).lower() for name in upper if name.startswith(PREFIX) or name in KEYS}


def _holds_keys(names: Collection[str]) -> bool:
    return any(name.upper().removeprefix(PREFIX) in KEYS for name in names)


def _others_may_read(file: Path) -> bool:
    return os.name == "posix" and bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


SETTINGS_CHECKS = (
    Check("settings", "whether the settings can be read: unknown names, wrong values", readable, gate=True),
    Check("settings.sources", "where each comes from", sources),
    Check("settings.strays", "names in `.env` and the environment that nobody reads: ACESS_KEY", strays),
    Check("settings.secrecy", "who may read the files with keys; keys over plain http", secrecy),
)
