"""The whole checkup, in the order in which things depend on each other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from workflow.doctor.checkup import Check, examined
from workflow.doctor.cloud import cloud_checks
from workflow.doctor.configuration import SETTINGS_CHECKS
from workflow.doctor.finding import Finding, Grade, skip
from workflow.doctor.ledger import Book, ledger_checks
from workflow.doctor.machine import MACHINE_CHECKS
from workflow.doctor.rules import rules_checks
from workflow.doctor.share import share_checks
from workflow.doctor.state import state_checks
from workflow.doctor.waiting import waiting_checks
from workflow.settings import Settings, load_settings

Checks = Sequence[Check]


def examine() -> Iterator[Finding]:
    """Look at everything, as each answer comes; nothing is changed but for probe files that go again."""
    yield from examined(MACHINE_CHECKS)
    wrong = False
    for finding in examined(SETTINGS_CHECKS):
        wrong = wrong or (finding.check == SETTINGS_CHECKS[0].name and finding.grade is Grade.FAIL)
        yield finding
    if wrong:
        rest = (check for group in _groups(_defaults()) for check in group)
        yield from (replace(skip("Not looked at, because of settings."), check=check.name) for check in rest)
        return
    for group in _groups(load_settings()):
        yield from examined(group)


def every_check() -> Iterator[Check]:
    """Give all checks, for those who read about them; none is looked at."""
    yield from MACHINE_CHECKS
    yield from SETTINGS_CHECKS
    for group in _groups(_defaults()):
        yield from group


def _groups(settings: Settings) -> tuple[Checks, ...]:
    book = Book(settings)
    return (
        rules_checks(settings),
        state_checks(settings),
        (*ledger_checks(book), *waiting_checks(book)),
        share_checks(book),
        cloud_checks(settings),
    )


def _defaults() -> Settings:
    """Settings without any source: names of checks do not depend on them."""
    return Settings.model_construct()
