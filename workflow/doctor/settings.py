"""Checks of the settings and of the rules file: sources, unread names, secrecy of keys, mistakes, tests."""

import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from workflow.assembly import make_inspector, rules_file
from workflow.doctor.finding import Check, Finding, checks_of, fail, ok, quote_word, warn
from workflow.errors import EXIT_USAGE, Mistake, RulesError, SettingsError, format_count
from workflow.model import Destination
from workflow.pipeline.check_rules import evaluate_tests_with_files
from workflow.routing import Rulebook, doubt_unknown_names, load_rules
from workflow.routing.rulebook import SendAction
from workflow.settings import (
    ENV_FILE,
    ENV_PREFIX,
    NOTICES,
    Settings,
    Source,
    SourceValue,
    load_settings,
    outdated_settings,
    read_all_sources,
    settings_file,
)
from workflow.settings.secrets import SECRETS_FOLDER_VARIABLE, secrets_folder
from workflow.suggest import VERY_NEAR, nearest_option

KEY_NAMES = ("ACCESS_KEY", "SECRET_KEY")
LOCAL_URLS = ("http://127.0.0.1", "http://localhost", "http://[::1]")


def check_settings_readable() -> Iterator[Finding]:
    """Check that the settings can be read."""
    try:
        load_settings()
    except SettingsError as error:
        for line in str(error).splitlines():
            yield fail(line, "Correct it there; docs/settings.md lists every name.", EXIT_USAGE)
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
        yield warn(f"{name} in {place} is not read.", f"If it is meant for stlflow: write {meant}.")
    if not found:
        yield ok("No name in .env or the environment looks like a setting and is not read.")


def check_key_secrecy() -> Iterator[Finding]:
    """Check who can read the files with keys, and whether keys are sent unencrypted."""
    files = dict.fromkeys(filter(None, map(_file_with_secret, read_all_sources())))
    open_files = [file for file in files if _others_may_read(file)]
    for file in open_files:
        yield warn(f"{file} holds keys, and others may read it.", f"`chmod 600 {quote_word(file)}`")
    url = load_settings().eiger_url
    in_clear = url.startswith("http://") and not url.startswith(LOCAL_URLS)
    if in_clear:
        yield warn("The keys are sent unencrypted: eiger_url begins with http://.", "Write https:// there.")
    if not open_files and not in_clear:
        yield ok("Others can't read the files with keys, and keys are sent encrypted.")


def settings_by_source(given: Sequence[SourceValue]) -> Mapping[Source, tuple[str, ...]]:
    """Return the settings that each source decides; the first source that has one wins."""
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


def _file_with_secret(given: SourceValue) -> Path | None:
    """Return the file in which a secret is; None for other values and sources.

    The rights of secret files that the system hands in are the system's. The table of notices has a check of
    its own.
    """
    is_key = given.setting is not None and given.setting.upper() in KEY_NAMES and bool(given.value)
    is_secret = is_key or given.setting == NOTICES or _holds_password(given)
    if not is_secret:
        return None
    if given.source is Source.SECRET_FILE and SECRETS_FOLDER_VARIABLE not in os.environ:
        folder = secrets_folder()
        return None if folder is None else folder / given.name
    if given.source is Source.TOML and given.setting != NOTICES:
        return settings_file()
    return ENV_FILE if given.source is Source.ENV_FILE else None


def _holds_password(given: SourceValue) -> bool:
    """True for the address of a database or a proxy with a password in it."""
    user, at, _ = str(given.value).partition("://")[2].rpartition("@")
    return given.setting in {"database_url", "proxy"} and bool(at) and ":" in user


def _others_may_read(file: Path) -> bool:
    return os.name == "posix" and bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


SETTINGS_CHECKS = (
    Check(
        "settings",
        "whether the settings can be read: unknown names, wrong values",
        check_settings_readable,
        gate=True,
    ),
    Check("settings.sources", "where each setting comes from", check_setting_sources),
    Check("settings.strays", "names that are not read: `SHARE` in `.env`", check_unread_names),
    Check("settings.secrecy", "who may read the files with keys; keys over plain http", check_key_secrecy),
)


SKIPPED_NO_RULES = "Not checked, because of rules."


def check_rules_readable(settings: Settings) -> Iterator[Finding]:
    """Read the rules file as the service does."""
    try:
        rulebook = load_rules(rules_file(settings))
    except RulesError as error:
        for mistake in error.mistakes:
            yield mistake_finding(mistake)
        return
    intake, routing = len(rulebook.intake), len(rulebook.routing)
    counts = f"{format_count(intake, 'intake rule')}, {format_count(routing, 'routing rule')}"
    shipped = (
        "" if settings.rules is not None else " These are the rules that ship; STLFLOW_RULES is not set."
    )
    yield ok(f"{rulebook.source}: {counts}, no mistakes.{shipped}")


def check_rule_warnings(settings: Settings) -> Iterator[Finding]:
    """Warn about rules that work but are probably not meant."""
    rulebook = load_rules(rules_file(settings))
    warnings = (*rulebook.warnings, *doubt_unknown_names(rulebook))
    for mistake in warnings:
        yield warn(_mistake_location(mistake), _mistake_fix(mistake))
    with make_inspector(settings) as inspector:
        failed = [trial for trial in evaluate_tests_with_files(rulebook, inspector) if not trial.passed]
    for trial in failed:
        yield warn(
            f"{rulebook.source}:{trial.line}: the test '{trial.name}' fails.",
            "`stlflow rules test` shows the difference: correct the rule or the test.",
        )
    if not warnings and not failed:
        yield ok(f"The rules pass {format_count(len(rulebook.tests), 'test')} of their own.")


def check_print_now(settings: Settings) -> Iterator[Finding]:
    """Check whether rules may start machines, and whether the settings allow it."""
    starting = [name for name, send in send_actions(load_rules(rules_file(settings))) if _prints_now(send)]
    if starting and not settings.print_now_armed:
        yield warn(
            f"Not armed: builds that these rules would print at once are held: {', '.join(starting)}.",
            "Set STLFLOW_PRINT_NOW_ARMED=true where machines may start by themselves, or change the rule.",
        )
    elif starting:
        yield ok(f"Armed: these rules start machines: {', '.join(starting)}.")
    else:
        yield ok("No rule starts a machine.")


def check_time_zone(settings: Settings) -> Iterator[Finding]:
    """Check the time zone of due dates and times of day."""
    here = datetime.now(settings.zone).astimezone(settings.zone)
    shown = f"{here:%Y-%m-%d %H:%M} {here.tzname()}"
    due = [name for name, send in send_actions(load_rules(rules_file(settings))) if send.due is not None]
    if settings.timezone is not None:
        yield ok(f"The shop's time is {shown} ({settings.timezone}).")
    elif here.tzname() == "UTC" and due:
        yield warn(
            f"Due dates are computed in UTC, the time zone of this machine ({shown}).",
            "Set STLFLOW_TIMEZONE to the shop's zone, such as Europe/Vienna.",
        )
    else:
        yield ok(f"The shop's time is this machine's: {shown}.")


def check_outdated(settings: Settings) -> Iterator[Finding]:
    """Check for settings that better ones have replaced."""
    outdated = outdated_settings(settings)
    yield from (warn(f"{name} is outdated.", advice) for name, advice in outdated.items())
    if not outdated:
        yield ok("No outdated setting is used.")


def mistake_finding(mistake: Mistake) -> Finding:
    """Return the finding for a mistake in the rules file."""
    return fail(_mistake_location(mistake), _mistake_fix(mistake), EXIT_USAGE)


def _mistake_location(mistake: Mistake) -> str:
    return f"{mistake.file}:{mistake.line}:{mistake.column}: {mistake.message}."


def _mistake_fix(mistake: Mistake) -> str:
    hint = mistake.hint or "correct it in the rules file"
    return f"{hint[:1].upper()}{hint[1:]}{'' if hint.endswith(('?', '.')) else '.'}"


def load_rules_or_none(settings: Settings) -> Rulebook | None:
    """Return the rules; None where they can't be read."""
    try:
        return load_rules(rules_file(settings))
    except RulesError:
        return None


def send_actions(rulebook: Rulebook) -> Iterator[tuple[str, SendAction]]:
    """Return every routing rule that sends, by its name."""
    return ((rule.name, rule.action) for rule in rulebook.routing if isinstance(rule.action, SendAction))


def _prints_now(send: SendAction) -> bool:
    return Destination.PRINT_NOW in {send.destination, send.otherwise}


def rules_checks(settings: Settings) -> tuple[Check, ...]:
    """Return the checks of the rules file, without the names that only Eiger knows."""
    return (
        Check("settings.outdated", "settings replaced by better ones", lambda: check_outdated(settings)),
        Check("rules", "every mistake in the rules file", lambda: check_rules_readable(settings), gate=True),
        *checks_of(
            settings,
            ("rules.doubts", "rules that can't match; the rules' own tests", check_rule_warnings),
            ("rules.starts", "rules that print at once, and whether that is armed", check_print_now),
            ("rules.timezone", "the time zone of due dates", check_time_zone),
        ),
    )
