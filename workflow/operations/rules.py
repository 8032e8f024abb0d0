"""What the rules tools ask: facts of a file, printers, and whether Eiger has all names."""

from contextlib import ExitStack, closing, suppress
from pathlib import Path

from workflow.assembly import make_inspector, open_ledger
from workflow.eiger import make_client
from workflow.errors import (
    Mistake,
    StateFolderError,
)
from workflow.model import DeviceFacts, Facts, MeshReport
from workflow.pipeline.check_rules import evaluate_tests_with_files, refuse_unknown_names
from workflow.pipeline.cloud_cache import CloudCache
from workflow.pipeline.facts import device_facts, facts_of_unsubmitted_file
from workflow.routing import Rulebook, RuleTestResult, doubt_unknown_names, names_by_kind
from workflow.settings import Settings


def collect_file_facts(settings: Settings, file: Path, path: str) -> tuple[MeshReport, Facts]:
    """Return what would be known of a file if it were dropped as `path` now. Raises OSError, NotInspected."""
    with ExitStack() as stack:
        ledger = None
        if settings.database_url is not None or (settings.state / "stlflow.db").is_file():
            with suppress(StateFolderError):
                ledger = stack.enter_context(closing(open_ledger(settings)))
        inspector = stack.enter_context(make_inspector(settings))
        return facts_of_unsubmitted_file(file, path, inspector, ledger, settings.zone)


def fetch_device_facts(settings: Settings) -> tuple[DeviceFacts, ...]:
    """Return the facts of all printers in Eiger. Raises CloudError, SettingsError."""
    with make_client(settings) as client:
        return tuple(device_facts(device) for device in client.list_devices())


def run_rule_tests(settings: Settings, rulebook: Rulebook) -> tuple[RuleTestResult, ...]:
    """Return the results of the tests in a rules file, with the STL files measured that they name."""
    with make_inspector(settings) as inspector:
        return evaluate_tests_with_files(rulebook, inspector)


def check_names_online(settings: Settings, rulebook: Rulebook) -> tuple[Mistake, ...]:
    """Return a warning for each state, material or series that no printer shows and no contract names.

    Raises RulesError for presets, printers and users that Eiger lacks; CloudError, SettingsError.
    """
    with make_client(settings) as client:
        catalog = CloudCache(client)
        refuse_unknown_names(rulebook, catalog)
        return doubt_unknown_names(rulebook, names_by_kind(map(device_facts, catalog.devices())))
