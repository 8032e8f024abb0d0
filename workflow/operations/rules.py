"""What the rules tools ask: facts of a file, what the service would do with it, and names in Eiger."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path

from workflow.assembly import make_inspector, open_ledger
from workflow.eiger import make_client
from workflow.errors import InspectionFailed, Mistake, StateFolderError
from workflow.ledger import Ledger
from workflow.mesh import Inspector
from workflow.model import DeviceFacts, Facts, IntakeDecision, MeshReport, unmeasured_report
from workflow.pipeline.check_rules import evaluate_tests_with_files, refuse_unknown_names
from workflow.pipeline.cloud_cache import CloudCache
from workflow.pipeline.facts import device_facts, facts_of_unsubmitted_file
from workflow.routing import (
    Rulebook,
    RuleTestResult,
    decide_intake,
    doubt_unknown_names,
    names_by_kind,
)
from workflow.settings import Settings


def collect_file_facts(
    settings: Settings, rulebook: Rulebook, file: Path, path: str
) -> tuple[MeshReport, Facts]:
    """Return what would be known of a file if it were dropped as `path` now. Raises OSError, NotInspected."""
    with make_inspector(settings) as inspector, open_ledger_if_any(settings) as ledger:
        return facts_of_unsubmitted_file(file, path, inspector, ledger, settings.zone, rulebook.volumes)


@contextmanager
def open_ledger_if_any(settings: Settings) -> Iterator[Ledger | None]:
    """Return the ledger, or None where there is none or it can't be opened."""
    ledger = None
    if settings.database_url is not None or (settings.state / "stlflow.db").is_file():
        with suppress(StateFolderError):
            ledger = open_ledger(settings)
    if ledger is None:
        yield None
        return
    with closing(ledger):
        yield ledger


@dataclass(frozen=True, slots=True)
class IntakeForecast:
    """What the service would do with a file before any upload, if it were dropped as `path` now.

    `outcome` is "accept", "hold" or "reject". `intake` is the decision of the rules, also for a held mesh:
    it applies once that is released. It is None for a mesh that no rule sees.
    """

    report: MeshReport
    path: str
    outcome: str
    reason: str | None
    intake: IntakeDecision | None = None


def forecast_intake(
    file: Path,
    path: str,
    rulebook: Rulebook | None,
    inspector: Inspector,
    ledger: Ledger | None,
    zone: tzinfo | None,
) -> IntakeForecast:
    """Return what the mesh check and the intake rules would do with a file; without rules the mesh alone.

    Raises OSError.
    """
    volumes = () if rulebook is None else rulebook.volumes
    try:
        report, facts = facts_of_unsubmitted_file(file, path, inspector, ledger, zone, volumes)
    except InspectionFailed as error:
        return IntakeForecast(unmeasured_report(str(file), str(error)), path, "hold", str(error))
    report = replace(report, path=str(file))
    if report.verdict == "reject" or rulebook is None:
        return IntakeForecast(report, path, report.verdict, report.reason)
    decision = decide_intake(rulebook, facts)
    if report.verdict == "hold":
        return IntakeForecast(report, path, report.verdict, report.reason, decision)
    outcome = "accept" if decision.action == "upload" else decision.action
    return IntakeForecast(report, path, outcome, decision.reason, decision)


_MESH_SETTINGS = (
    "largest_hole_mm",
    "open_edges_limit",
    "hold_meshes_with",
    "refuse_meshes_with",
    "largest_file_mb",
    "inspection_limit_seconds",
    "inspection_memory_mb",
)


def changed_mesh_settings(settings: Settings) -> tuple[tuple[str, object], ...]:
    """Return names and values of the settings of the mesh check that are not the defaults."""
    return tuple(
        (name, getattr(settings, name))
        for name in _MESH_SETTINGS
        if getattr(settings, name) != Settings.model_fields[name].default
    )


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
