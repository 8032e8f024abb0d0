"""Checks of notices: whether they can be sent at all, and what was not delivered."""

import importlib.util
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

from workflow.assembly import rules_file
from workflow.doctor.finding import Check, Finding, checks_of, ok, quote_word, warn
from workflow.doctor.ledger import LedgerAccess
from workflow.errors import RulesError
from workflow.pipeline.context import now
from workflow.routing import load_rules
from workflow.settings import (
    CHANNELS,
    NOTICES,
    NoticeSettings,
    Settings,
    Source,
    read_all_sources,
    settings_file,
)
from workflow.suggest import nearest_option

SHOWN = timedelta(days=7)
"""What was not delivered is told for so long."""


def check_notice_targets(settings: Settings) -> Iterator[Finding]:
    """Check that every name leads to a target, and that each target can be used as it is set."""
    notices = settings.notices
    findings = [*_unknown_targets(settings), *_unusable_targets(notices), *_readable_secrets()]
    yield from findings
    if not findings and not notices.targets:
        yield ok("Nobody is told anything: no target for notices is set.")
    elif not findings:
        told = ", ".join(f"{name} by {target.channel}" for name, target in notices.targets.items())
        yield ok(f"Notices go to {told}. `stlflow notify test` sends examples.")


def _unknown_targets(settings: Settings) -> Iterator[Finding]:
    notices = settings.notices
    named = [(f"notices.folders.{key}", name) for key, name in notices.folders.items()]
    named += [(f"notices.owners.{key}", name) for key, name in notices.owners.items()]
    with suppress(RulesError):  # another check tells
        rulebook = load_rules(rules_file(settings))
        named += [(f"Rule '{rule.name}'", name) for rule in rulebook.intake for name in rule.notify]
        named += [(f"Rule '{rule.name}'", name) for rule in rulebook.routing for name in rule.notify]
    for place, name in named:
        if notices.target(name) is None:
            meant = nearest_option(name, notices.targets)
            advice = f"Did you mean {meant}?" if meant else "Add a target of this name, or correct the name."
            yield warn(f"{place} names {name}, and there is no such target.", advice)


def _unusable_targets(notices: NoticeSettings) -> Iterator[Finding]:
    named = {*notices.folders.values(), *notices.owners.values()}
    mails = [name for name, target in notices.targets.items() if target.channel == "mail"]
    mails += [name for name in named if name not in notices.targets and "@" in name]
    if mails and notices.mail_server is None:
        yield warn(f"No mail server is set, and {mails[0]} is told by mail.", "Set notices.mail_server.")
    for name, target in notices.targets.items():
        if target.channel == "apprise" and importlib.util.find_spec("apprise") is None:
            yield warn(f"Target {name} needs Apprise, which is missing.", "pip install 'stlflow[apprise]'")
        in_clear = target.channel in {"webhook", "slack", "teams"} and not target.internal
        if in_clear and target.address.get_secret_value().startswith("http://"):
            yield warn(f"Target {name} gets its notices unencrypted.", "Write https:// in its address.")
    if any(target.channel == "teams" for target in notices.targets.values()):
        host = urlsplit(notices.console_url or "").hostname or ""
        if re.search(r"\d", host.partition(".")[0]):
            yield warn(
                f"Teams opens no link to a machine whose name has digits: {host}.",
                "Give the machine a name without digits in DNS, and use it in notices.console_url.",
            )


def _readable_secrets() -> Iterator[Finding]:
    """Find addresses with secrets in a settings file that others may read."""
    file = settings_file()
    given = [each for each in read_all_sources() if each.setting == NOTICES and each.source is Source.TOML]
    table = given[0].value if given else None
    if os.name != "posix" or not isinstance(table, dict):
        return
    targets = table.get("targets")
    tables = (
        [each for each in targets.values() if isinstance(each, dict)] if isinstance(targets, dict) else []
    )
    is_secret = any({*CHANNELS, "key"} & target.keys() - {"mail"} for target in tables)
    is_secret = is_secret or bool({"mail_password", "link_key"} & table.keys())
    if is_secret and stat.S_IMODE(file.stat().st_mode) & (stat.S_IRGRP | stat.S_IROTH):
        yield warn(
            f"{file} holds secrets of notices, and others may read it.",
            f"`chmod 600 {quote_word(file)}`, or set them as STLFLOW_NOTICES_SHOP_SLACK and the like.",
        )


def check_outbox(book: LedgerAccess) -> Iterator[Finding]:
    """Check what waits in vain, was given up, or may not have arrived."""
    with book.opened() as ledger:
        if ledger is None:
            yield ok("No notice was written yet.")
            return
        outbox = ledger.notices.condition(now() - SHOWN)
    reasons = "; ".join(f"{target}: {why}" for target, why in sorted(outbox.problems.items()))
    told = {
        "waiting for the next try": outbox.failing,
        "not delivered within a day and given up": outbox.given_up,
        "sent without a reply, so that they may not have arrived": outbox.unconfirmed,
    }
    if any(told.values()):
        counts = ", ".join(f"{count:,} {words}" for words, count in told.items() if count)
        yield warn(f"Notices: {counts}. {reasons}.", "Correct the target, then `stlflow notify test`.")
    else:
        yield ok(f"Every notice of the last week was delivered; {outbox.waiting:,} wait.")


def notice_checks(settings: Settings) -> tuple[Check, ...]:
    """Return the checks of the settings of notices."""
    return checks_of(
        settings, ("notices", "targets that do not exist or can't be used", check_notice_targets)
    )


def outbox_checks(book: LedgerAccess) -> tuple[Check, ...]:
    """Return the checks of what was not delivered."""
    return checks_of(book, ("notices.outbox", "notices that were not delivered", check_outbox))
