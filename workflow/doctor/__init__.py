"""The checkup: what would stop the service, one line and one fix each. It changes nothing.

The checks run in the order in which things depend on each other. They are imported when they are asked
for: the service has the doctor at hand for the console, and may never need it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from workflow.doctor.finding import (
    Check,
    Finding,
    Grade,
    fail,
    ok,
    overall_exit_code,
    run_check,
    run_checks,
    skip,
    warn,
)
from workflow.settings import Settings, load_settings

Checks = Sequence[Check]


def run_all_checks() -> Iterator[Finding]:
    """Run all checks, one finding at a time; only probe files are made, and removed again."""
    from workflow.doctor.machine import MACHINE_CHECKS
    from workflow.doctor.settings import SETTINGS_CHECKS

    yield from run_checks(MACHINE_CHECKS)
    wrong = False
    for finding in run_checks(SETTINGS_CHECKS):
        wrong = wrong or (finding.check == SETTINGS_CHECKS[0].name and finding.grade is Grade.FAIL)
        yield finding
    if wrong:
        rest = (check for group in _check_groups(_default_settings()) for check in group)
        yield from (replace(skip("Not checked, because of settings."), check=check.name) for check in rest)
        return
    for group in _check_groups(load_settings()):
        yield from run_checks(group)


def run_checks_of(settings: Settings) -> Iterator[Finding]:
    """Run the checks for settings that are loaded already, one finding at a time."""
    from workflow.doctor.machine import MACHINE_CHECKS

    for group in (MACHINE_CHECKS, *_check_groups(settings)):
        yield from run_checks(group)


def all_checks() -> Iterator[Check]:
    """Return all checks without running them, for the documentation."""
    from workflow.doctor.machine import MACHINE_CHECKS
    from workflow.doctor.settings import SETTINGS_CHECKS

    yield from MACHINE_CHECKS
    yield from SETTINGS_CHECKS
    for group in _check_groups(_default_settings()):
        yield from group


def _check_groups(settings: Settings) -> tuple[Checks, ...]:
    from workflow.doctor.cloud import cloud_checks
    from workflow.doctor.ledger import LedgerAccess, ledger_checks
    from workflow.doctor.machine import state_checks
    from workflow.doctor.notices import notice_checks, outbox_checks
    from workflow.doctor.settings import rules_checks
    from workflow.doctor.share import share_checks
    from workflow.doctor.submissions import waiting_checks

    book = LedgerAccess(settings)
    return (
        (*rules_checks(settings), *notice_checks(settings)),
        state_checks(settings),
        (*ledger_checks(book), *waiting_checks(book), *outbox_checks(book)),
        share_checks(book),
        cloud_checks(settings),
    )


def _default_settings() -> Settings:
    """Settings without any source: names of checks do not depend on them."""
    return Settings.model_construct()
