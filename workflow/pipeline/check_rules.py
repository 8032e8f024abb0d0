"""Checks of a rulebook that need more than its text: the names in Eiger, and tests with STL files."""

from functools import partial
from pathlib import Path

from workflow.errors import Mistake, RulesError
from workflow.mesh import Inspector
from workflow.pipeline.cloud_cache import CloudCache
from workflow.pipeline.facts import facts_of_test_file
from workflow.routing import (
    Rulebook,
    RuleTestResult,
    check_cloud_names,
    evaluate_rule_tests,
    refuse_failed_tests,
)


def check_changed_rules(
    rulebook: Rulebook, *, catalog: CloudCache, inspector: Inspector, with_tests: bool
) -> None:
    """Raise RulesError for a name that Eiger lacks or a test that fails; CloudError when Eiger is away."""
    refuse_unknown_names(rulebook, catalog)
    if with_tests:
        refuse_failed_tests(rulebook, evaluate_tests_with_files(rulebook, inspector))


def refuse_unknown_names(rulebook: Rulebook, catalog: CloudCache) -> None:
    """Raise RulesError for each preset, printer and user that the rules name and Eiger lacks; CloudError."""
    mistakes = find_unknown_names(catalog, rulebook)
    if mistakes:
        raise RulesError(mistakes)


def find_unknown_names(catalog: CloudCache, rulebook: Rulebook) -> tuple[Mistake, ...]:
    """Return the presets, printers and users that the rules name and Eiger lacks. Raises CloudError."""
    devices = catalog.devices()
    return check_cloud_names(
        rulebook,
        presets=[(preset.title, preset.id) for preset in catalog.presets()],
        device_names=[device.name for device in devices],
        series=sorted({device.device_series for device in devices}),
        users=[
            (user.id, [word for word in (user.email, user.name) if word])
            for user in catalog.users()
            if user.id
        ],
    )


def evaluate_tests_with_files(rulebook: Rulebook, inspector: Inspector) -> tuple[RuleTestResult, ...]:
    """Return the results of the tests in a rules file, with the STL files measured that they name.

    Each file is searched in the folder of the rules, then in the current folder.
    """
    folders = (Path(rulebook.source).parent, Path())
    measure = partial(facts_of_test_file, folders=folders, inspector=inspector, volumes=rulebook.volumes)
    return evaluate_rule_tests(rulebook, measure)
