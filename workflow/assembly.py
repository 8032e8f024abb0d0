"""Putting the rooms together from the settings: the only place that knows them all."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from workflow.eiger import EigerClient, make_client
from workflow.errors import (
    Mistake,
    NotFound,
    RulesError,
    SettingsError,
    ShareError,
    StateFolderError,
    WrongSubmissionState,
)
from workflow.intake import (
    MASS_ARRIVAL_REASON,
    FileExplanation,
    MassArrivalLimit,
    Share,
    StabilityTimes,
    explain_file,
)
from workflow.ledger import (
    SHARE_ID_KEY,
    Ledger,
    copy_ledger,
    ensure_ledger_name,
    list_workers,
    read_mass_arrival_paths,
    read_metadata,
    set_metadata_default,
    write_metadata,
)
from workflow.mesh import InspectionLimits, Inspector, MeshPolicy, parse_warning_kinds
from workflow.model import DeviceFacts, Facts, MeshReport
from workflow.pipeline.cloud_cache import CloudCache
from workflow.pipeline.commands import parse_build_id
from workflow.pipeline.context import Context, UploadProgressCallback, ignore_progress
from workflow.pipeline.executor import ExecutorLimits
from workflow.pipeline.facts import device_facts, facts_of_unsubmitted_file
from workflow.pipeline.inbox_events import is_known_in_place
from workflow.pipeline.live_rules import LiveRules
from workflow.pipeline.part_units import read_accepted_units
from workflow.pipeline.retention import RetentionPolicy
from workflow.pipeline.retry import RetrySchedule
from workflow.pipeline.service import Service
from workflow.resources import resource_folder
from workflow.routing import Rulebook, check_cloud_names, doubt_unknown_names, load_rules, names_by_kind
from workflow.settings import LEDGER_FILE, Settings
from workflow.state_folder import (
    is_state_folder_locked,
    locked_state_folder,
    prepare_state_folder,
    read_home_id,
    require_local_state_folder,
)

MOVED_LEDGER_FILE = f"{LEDGER_FILE}.moved"
"""What is left in the state folder of a ledger that went into another database."""


def rules_file(settings: Settings) -> Path:
    """Give the rules file that counts: the one set, or the default that ships."""
    return settings.rules or resource_folder("rules") / "default.yaml"


def open_ledger(settings: Settings) -> Ledger:
    """Open the ledger for reading, or for a single order; no lock is needed.

    Where there is none yet, an empty one is given that is nowhere: looking makes no folders.
    """
    require_local_state_folder(settings.state, settings.share)
    refuse_moved_ledger(settings)
    return Ledger(settings.database if ledger_exists(settings) else "sqlite://")


def ledger_exists(settings: Settings) -> bool:
    """Tell whether there is a ledger already."""
    return settings.database_url is not None or (settings.state / LEDGER_FILE).is_file()


def moved_ledger_error(settings: Settings) -> SettingsError | None:
    """Return why no ledger may be begun here: it was moved into a database that is not set any more."""
    moved = settings.state.absolute() / MOVED_LEDGER_FILE
    if settings.database_url is not None or not moved.is_file():
        return None
    return SettingsError(
        f"The database was moved into the one that STLFLOW_DATABASE_URL named, as {moved} shows, and "
        f"STLFLOW_DATABASE_URL is not set now. Set it again. To go back to the old database and lose what "
        f"came since, rename {MOVED_LEDGER_FILE} to {LEDGER_FILE}."
    )


def refuse_moved_ledger(settings: Settings) -> None:
    """Raise SettingsError where a second, empty ledger would be begun beside one that was moved."""
    if (error := moved_ledger_error(settings)) is not None:
        raise error


def move_ledger_to_database(settings: Settings) -> tuple[int, Path]:
    """Move the ledger from the state folder into the database set; gives how many, and what is left.

    Raises SettingsError when no other database is set, StateError when there is nothing to move, stlflow
    runs, or the new database is not empty.
    """
    old = settings.state.absolute() / LEDGER_FILE
    if settings.database_url is None:
        raise SettingsError("Set STLFLOW_DATABASE_URL to the new database first: postgresql://...")
    if not old.is_file():
        raise StateFolderError(f"There is no ledger to move at {old}.")
    with (
        locked_state_folder(settings.state),
        closing(Ledger(f"sqlite:///{old.as_posix()}")) as source,
        closing(Ledger(settings.database)) as target,
    ):
        moved = copy_ledger(source, target)
    left = old.with_name(MOVED_LEDGER_FILE)
    old.rename(left)
    return moved, left


@contextmanager
def running_service(
    settings: Settings, *, watch: bool = True, on_progress: UploadProgressCallback = ignore_progress
) -> Iterator[Service]:
    """Run the service until the block ends: lock, ledger, rules checked against the cloud, threads.

    `watch` False leaves the share alone: files are submitted in their places. Raises SettingsError,
    RulesError, StateError, ShareError, CloudError before anything is touched.
    """
    refuse_moved_ledger(settings)
    rulebook = load_rules(rules_file(settings))
    with make_inspector(settings) as inspector, make_client(settings) as client:
        catalog = CloudCache(client)
        refuse_unknown_names(rulebook, catalog)
        prepare_state_folder(settings.state, settings.share)
        with locked_state_folder(settings.state), closing(Ledger(settings.database)) as ledger:
            share = share_from_ledger(settings, ledger)
            share = _prepare_share(share, ledger) if watch else replace(share, left_inbox=None)
            check = partial(refuse_unknown_names, catalog=catalog)
            rules = LiveRules(rules_file(settings), rulebook, ledger, check)
            context = _make_context(settings, rules, client, catalog, ledger, inspector, share, on_progress)
            context = replace(context, sets_duplicates_aside=watch)
            limits = ExecutorLimits(settings.uploads_at_once, settings.dispatches_at_once)
            limit = MassArrivalLimit(settings.mass_arrival_files)
            service = Service(
                context,
                read_home_id(settings.state),
                limits,
                _stability_times(settings),
                watch=watch,
                arrival_limit=limit,
                keep=_make_retention_policy(settings),
            )
            try:
                service.start()
                yield service
            finally:
                service.stop()


def share_from_ledger(settings: Settings, ledger: Ledger) -> Share:
    """Give the share as the ledger knows it, whether or not it is there."""
    return Share(
        settings.share.absolute(),
        owner=ensure_ledger_name(ledger),
        marker=read_metadata(ledger, SHARE_ID_KEY) or "",
        left_inbox=settings.read_only_inbox and settings.read_only_inbox.absolute(),
    )


def _prepare_share(share: Share, ledger: Ledger) -> Share:
    """Make what a share needs; one that is known and not there is waited for. Raises ShareError."""
    if share.marker and not share.is_reachable():
        return share
    return replace(share, marker=set_metadata_default(ledger, SHARE_ID_KEY, share.prepare()))


def refuse_unknown_names(rulebook: Rulebook, catalog: CloudCache) -> None:
    """Ask the cloud for every preset, device and user that the rules name. Raises RulesError, CloudError."""
    mistakes = find_unknown_names(catalog, rulebook)
    if mistakes:
        raise RulesError(mistakes)


def find_unknown_names(catalog: CloudCache, rulebook: Rulebook) -> tuple[Mistake, ...]:
    """Give the presets, devices and users that the rules name and the cloud lacks. Raises CloudError."""
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


def _make_context(
    settings: Settings,
    rules: LiveRules,
    client: EigerClient,
    catalog: CloudCache,
    ledger: Ledger,
    inspector: Inspector,
    share: Share,
    on_progress: UploadProgressCallback,
) -> Context:
    return Context(
        ledger=ledger,
        client=client,
        catalog=catalog,
        rules=rules,
        share=share,
        spool=settings.state.absolute() / "spool",
        inspector=inspector,
        patience=_make_retry_schedule(settings),
        send_lease_seconds=client.max_effect_seconds + settings.late_effect_seconds,
        late_effect_seconds=settings.late_effect_seconds,
        print_now_armed=settings.print_now_armed,
        zone=settings.zone,
        date_folders=settings.date_folders,
        reuses_builds=settings.reuse_builds,
        accepted_units=read_accepted_units(settings.accepted_units),
        on_progress=on_progress,
    )


def mark_share(settings: Settings) -> bool:
    """Make the share at its place the one that the ledger knows, by its marker or with a new one.

    False: its marker is another than before, and a service that runs still looks for the old one.
    Raises ShareError, StateError.
    """
    refuse_moved_ledger(settings)
    prepare_state_folder(settings.state, settings.share)
    with closing(Ledger(settings.database)) as ledger:
        share = share_from_ledger(settings, ledger)
        marker = share.prepare()
        write_metadata(ledger, SHARE_ID_KEY, marker)
        return marker == share.marker


def check_build_holds_part(settings: Settings, number: int, build_id: str) -> None:
    """Ask Eiger whether a build holds a submission's part: a wrong build is a wrong print.

    Raises NotNow when it does not, or is not there; UnknownSubmission, CloudError, SettingsError.
    """
    with closing(open_ledger(settings)) as ledger:
        part_version_id = ledger.get(number).part_version_id
    if part_version_id is None:  # the order itself says why that is too early
        return
    with make_client(settings) as client:
        try:
            build = client.read_build(parse_build_id(build_id))
        except NotFound:
            raise WrongSubmissionState(f"Eiger has no build {build_id}: nothing is attached.") from None
    if all(version.id != part_version_id for version in build.part_versions):
        parts = ", ".join(version.title for version in build.part_versions) or "no part"
        raise WrongSubmissionState(
            f"Build {build_id} ('{build.title}') does not hold the part of submission {number}, but {parts}. "
            f"If it is right all the same, because the part was uploaded anew by hand: "
            f"`stlflow attach {number} {build_id} --anyway`."
        )


def explain_inbox_file(settings: Settings, name: Path) -> FileExplanation:
    """Tell what becomes of a file in the inbox, or of a path below it. Raises ShareError, StateError."""
    inbox = (settings.read_only_inbox or settings.share / "inbox").absolute()
    place = name.absolute()
    if place.is_relative_to(inbox):
        name = place.relative_to(inbox)
    elif name.is_absolute() or (place.exists() and not (inbox / name).exists()):
        raise ShareError(f"{name} does not lie in the inbox, {inbox}.")
    explained = explain_file(
        inbox, name.as_posix(), _stability_times(settings), moves=settings.read_only_inbox is None
    )
    if explained.blocked:
        return explained
    waits = _inbox_wait_reason(settings, name.as_posix()) if explained.seen is not None else None
    return explained if waits is None else replace(explained, seen=waits)


def _inbox_wait_reason(settings: Settings, path: str) -> str | None:
    """Say what keeps a file in the inbox besides itself; None when nothing does."""
    if not ledger_exists(settings):
        return "it is taken once stlflow runs: `stlflow run`."
    with closing(open_ledger(settings)) as ledger:
        if read_mass_arrival_paths(ledger).get(path) is False:
            return MASS_ARRIVAL_REASON
        share = share_from_ledger(settings, ledger)
        if (absence := share.absence_reason()) is not None:
            return f"everything waits for the share. {absence}."
        if share.left_inbox is not None and is_known_in_place(ledger, share.left_inbox, path):
            return "it was taken before as it is, and is taken again only when its content changes."
        running = is_state_folder_locked(settings.state) or bool(list_workers(ledger))
    return None if running else "it is taken once stlflow runs: `stlflow run`."


def fetch_device_facts(settings: Settings) -> tuple[DeviceFacts, ...]:
    """Ask the cloud for its devices. Raises CloudError, SettingsError."""
    with make_client(settings) as client:
        return tuple(device_facts(device) for device in client.list_devices())


def make_inspector(settings: Settings) -> Inspector:
    """Give what inspects meshes, to be closed after use. Raises SettingsError for an unknown oddity."""
    policy = MeshPolicy(
        open_edges_limit=settings.open_edges_limit,
        refused=parse_warning_kinds(settings.refuse_meshes_with),
        max_bytes=settings.largest_file_mb * 2**20,
    )
    return Inspector(
        policy, InspectionLimits(settings.inspection_limit_seconds, settings.inspection_memory_mb)
    )


def collect_file_facts(settings: Settings, file: Path, path: str) -> tuple[MeshReport, Facts]:
    """Give what would be known of a file if it were dropped as `path` now. Raises OSError, NotInspected."""
    with ExitStack() as stack:
        ledger = None
        if settings.database_url is not None or (settings.state / "stlflow.db").is_file():
            with suppress(StateFolderError):
                ledger = stack.enter_context(closing(open_ledger(settings)))
        inspector = stack.enter_context(make_inspector(settings))
        return facts_of_unsubmitted_file(file, path, inspector, ledger, settings.zone)


def check_names_online(settings: Settings, rulebook: Rulebook) -> tuple[Mistake, ...]:
    """Return a warning for each state, material or series that no printer shows and no contract names.

    Raises RulesError for presets, printers and users that Eiger lacks; CloudError, SettingsError.
    """
    with make_client(settings) as client:
        catalog = CloudCache(client)
        refuse_unknown_names(rulebook, catalog)
        return doubt_unknown_names(rulebook, names_by_kind(map(device_facts, catalog.devices())))


def _make_retry_schedule(settings: Settings) -> RetrySchedule:
    return RetrySchedule(
        first_poll_seconds=settings.slice_first_poll_seconds,
        slice_limit_seconds=settings.slice_limit_seconds,
        build_wait_seconds=settings.build_wait_seconds,
        print_now_seconds=settings.print_now_seconds,
        polls_per_second=settings.requests_per_second / 2,
    )


def _make_retention_policy(settings: Settings) -> RetentionPolicy:
    return RetentionPolicy(
        settings.keep_submissions, settings.keep_submissions_days, settings.keep_files_days
    )


def _stability_times(settings: Settings) -> StabilityTimes:
    return StabilityTimes(
        binary_seconds=settings.settle_seconds,
        ascii_seconds=settings.settle_ascii_seconds,
        wrong_seconds=settings.settle_wrong_seconds,
        stall_seconds=settings.stall_seconds,
        sweep_seconds=settings.sweep_seconds,
        network_sweep_seconds=settings.network_sweep_seconds,
        stranger_seconds=settings.stranger_seconds,
    )
