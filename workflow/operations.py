"""What commands do once, beside a running service or without one; each takes the settings."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import tzinfo
from functools import partial
from pathlib import Path

from workflow.assembly import (
    MOVED_LEDGER_FILE,
    ledger_exists,
    make_inspector,
    make_ledger,
    notice_link_key,
    open_ledger,
    refuse_moved_ledger,
    rules_file,
    share_from_ledger,
)
from workflow.eiger import make_client
from workflow.errors import (
    InspectionFailed,
    Mistake,
    NotFound,
    RulesError,
    SettingsError,
    ShareError,
    StateFolderError,
    WrongSubmissionState,
)
from workflow.frozen import frozen
from workflow.ledger import (
    SHARE_ID_KEY,
    Ledger,
)
from workflow.ledger.backup import back_up, restore_into, restore_sqlite
from workflow.ledger.copy import copy_ledger
from workflow.mesh import Inspector
from workflow.model import DeviceFacts, Facts, IntakeDecision, MeshReport, Submission, unmeasured_report
from workflow.notes import Answer, DecisionWays, make_answer, parse_prices
from workflow.notices import FileOrigin
from workflow.pipeline.check_rules import evaluate_tests_with_files, refuse_unknown_names
from workflow.pipeline.cloud_cache import CloudCache
from workflow.pipeline.commands import parse_build_id
from workflow.pipeline.compose_notice import Composer
from workflow.pipeline.context import now
from workflow.pipeline.facts import device_facts, facts_of_unsubmitted_file
from workflow.pipeline.orphans import Adoption, adopt_claims, list_orphaned_claims
from workflow.pipeline.outages import with_outages
from workflow.pipeline.thumbnails import THUMBNAILS_FOLDER, read_thumbnail
from workflow.routing import (
    Rulebook,
    RuleTestResult,
    decide_intake,
    doubt_unknown_names,
    load_rules,
    names_by_kind,
)
from workflow.settings import LEDGER_FILE, Settings, stlflow_command
from workflow.state_folder import locked_database, locked_state_folder, prepare_state_folder


def move_ledger_to_database(settings: Settings) -> tuple[int, Path]:
    """Move the ledger to the database of the settings; returns the number of submissions and the old file.

    Raises SettingsError when no other database is set, StateFolderError when there is nothing to move,
    stlflow runs, or the new database is not empty.
    """
    old = settings.state.absolute() / LEDGER_FILE
    if settings.database_url is None:
        raise SettingsError("Set STLFLOW_DATABASE_URL to the new database first: postgresql://...")
    if not old.is_file():
        raise StateFolderError(f"There is no ledger to move at {old}.")
    left = old.with_name(MOVED_LEDGER_FILE)
    if left.exists():
        raise StateFolderError(f"{left} is of an earlier move. Put it elsewhere, then move again.")
    with (
        locked_state_folder(settings.state),
        locked_database(settings.database_url),
        closing(Ledger(f"sqlite:///{old.as_posix()}")) as source,
        closing(Ledger(settings.database)) as target,
    ):
        moved = copy_ledger(source, target)
    old.rename(left)
    return moved, left


def mark_share(settings: Settings) -> bool:
    """Store the marker of the share in the ledger, and make one if there is none.

    False if the marker is a different one: a running service still expects the old one.
    Raises ShareError, StateFolderError.
    """
    refuse_moved_ledger(settings)
    prepare_state_folder(settings.state, settings.share)
    with closing(make_ledger(settings)) as ledger:
        share = share_from_ledger(settings, ledger)
        marker = share.prepare()
        ledger.metadata.write(SHARE_ID_KEY, marker)
        return marker == share.marker


def back_up_ledger(settings: Settings, file: Path) -> int:
    """Write the ledger to a file, and return how many submissions that are. Raises StateFolderError."""
    if not ledger_exists(settings):
        raise StateFolderError(f"There is no database to back up at {settings.state / LEDGER_FILE}.")
    return back_up(settings.database, file.absolute())


def restore_ledger(settings: Settings, file: Path) -> tuple[int, Path | None]:
    """Put a backup in the place of the ledger; return how many submissions, and where the former file is.

    Raises StateFolderError while stlflow runs on the state folder, or if a shared database is not empty.
    """
    prepare_state_folder(settings.state, settings.share)
    with locked_state_folder(settings.state), locked_database(settings.database_url):
        if settings.database_url is None:
            return restore_sqlite(file.absolute(), settings.state.absolute() / LEDGER_FILE)
        return restore_into(file.absolute(), settings.database), None


def adopt_orphans(settings: Settings) -> Iterator[Adoption]:
    """Adopt the files of other ledgers in processing/, one by one. Raises ShareError, CloudError, OSError."""
    refuse_moved_ledger(settings)
    prepare_state_folder(settings.state, settings.share)
    with closing(make_ledger(settings)) as ledger, make_client(settings) as client:
        share = share_from_ledger(settings, ledger)
        if (absence := share.absence_reason()) is not None:
            raise ShareError(f"{absence}.")
        yield from adopt_claims(ledger, share, client, list_orphaned_claims(share))


def collect_file_facts(
    settings: Settings, rulebook: Rulebook, file: Path, path: str
) -> tuple[MeshReport, Facts]:
    """Return what would be known of a file dropped as `path` now. Raises OSError, InspectionFailed."""
    with make_inspector(settings) as inspector, open_ledger_if_any(settings) as ledger:
        return facts_of_unsubmitted_file(file, path, inspector, ledger, settings.zone, rulebook.volumes)


@contextmanager
def open_ledger_if_any(settings: Settings) -> Iterator[Ledger | None]:
    """Return the ledger, or None where there is none or it can't be opened."""
    ledger = None
    if ledger_exists(settings):
        with suppress(StateFolderError):
            ledger = open_ledger(settings)
    if ledger is None:
        yield None
    else:
        with closing(ledger):
            yield ledger


@frozen
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
    "largest_hole_mm", "open_edges_limit", "hold_meshes_with", "refuse_meshes_with", "largest_file_mb",
    "inspection_limit_seconds", "inspection_memory_mb",
)  # fmt: skip


def changed_mesh_settings(settings: Settings) -> tuple[tuple[str, object], ...]:
    """Return names and values of the settings of the mesh check that are not the defaults."""
    return tuple(
        (name, getattr(settings, name))
        for name in _MESH_SETTINGS
        if getattr(settings, name) != Settings.model_fields[name].default
    )


def fetch_device_facts(settings: Settings) -> tuple[DeviceFacts, ...]:
    """Return the facts of all printers in Eiger, and which are out of choice.

    Raises CloudError, SettingsError.
    """
    with make_client(settings) as client:
        devices = [device_facts(device) for device in client.list_devices()]
    with open_ledger_if_any(settings) as ledger:
        outages = ledger.outages.list_current(now()) if ledger is not None else ()
    return with_outages(devices, outages, settings.zone)


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


def check_build_holds_part(settings: Settings, number: int, build_id: str) -> None:
    """Raise WrongSubmissionState if a build in Eiger does not hold a submission's part, or does not exist.

    Raises also UnknownSubmission, CloudError, SettingsError.
    """
    with closing(open_ledger(settings)) as ledger:
        part_version_id = ledger.get(number).part_version_id
    if part_version_id is None:  # the order itself says why that is too early
        return
    with make_client(settings) as client:
        try:
            build = client.read_build(parse_build_id(build_id))
        except NotFound:
            raise WrongSubmissionState(
                f"Eiger has no build {build_id}: nothing is attached.", field="build"
            ) from None
    if all(version.id != part_version_id for version in build.part_versions):
        parts = ", ".join(version.title for version in build.part_versions) or "no part"
        raise WrongSubmissionState(
            f"Build {build_id} ('{build.title}') does not hold the part of submission {number}, but {parts}. "
            f"If it is right, because the part was uploaded again by hand: "
            f"`stlflow attach {number} {build_id} --anyway`.",
            field="build",
        )


def read_answers(
    ledger: Ledger, settings: Settings, submissions: Sequence[Submission]
) -> Mapping[int, Answer]:
    """Return what printing each part takes, by number; nothing for those that are not routed yet."""
    ways = (parse_prices(settings.prices), 60 * settings.changeover_minutes, settings.eiger_link)
    sliced = {submission.id: submission for submission in submissions if submission.build_id is not None}
    return {
        number: make_answer(sliced[number], decided, *ways)
        for number, decided in ledger.decisions.read_routing(sliced.keys()).items()
    }


def notice_composer(settings: Settings, ledger: Ledger) -> Composer:
    """Return what writes notices, with the rules if they can be read."""
    rulebook: Rulebook | None = None
    with suppress(RulesError):
        rulebook = load_rules(rules_file(settings))
    thumbnails = settings.state.absolute() / THUMBNAILS_FOLDER
    return Composer(
        ledger,
        settings.notices,
        zone=settings.zone,
        ways=DecisionWays(stlflow_command(), settings.decide_by_moving),
        prices=parse_prices(settings.prices),
        changeover_seconds=60 * settings.changeover_minutes,
        rulebook=lambda: rulebook,
        picture=partial(read_thumbnail, thumbnails),
        link_key=notice_link_key(settings) if settings.state.is_dir() else None,
    )


def file_origin(settings: Settings, composer: Composer, path: str) -> FileOrigin:
    """Return whose a file is that is dropped as `path`: by its place, its owner, its intake rule."""
    place = settings.inbox.absolute() / path
    rulebook = composer.rulebook()
    if rulebook is None or not place.is_file():
        return FileOrigin(path)
    with make_inspector(settings) as inspector:
        _, facts = facts_of_unsubmitted_file(
            place, path, inspector, composer.ledger, settings.zone, rulebook.volumes
        )
    rule = decide_intake(rulebook, facts).rule
    named = [name for each in rulebook.intake if each.name == rule for name in each.notify]
    owner = facts.get("dropped_by")
    return FileOrigin(path, None if owner is None else str(owner), named)
