"""The composition root: builds the service from the settings, and is the only place that knows all rooms."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from loguru import logger

from workflow.eiger import EigerClient, make_client, network_of, proxy_for
from workflow.errors import RulesError, SettingsError
from workflow.intake import MassArrivalLimit, Share, StabilityTimes
from workflow.ledger import CLOCK, SHARE_ID_KEY, Ledger, list_workers
from workflow.logs import LogFilter, set_up_logs
from workflow.mesh import InspectionLimits, Inspector, MeshPolicy, parse_warning_kinds
from workflow.model import Worker
from workflow.notes import DecisionWays, parse_prices, write_how_to
from workflow.pipeline.check_rules import check_changed_rules, refuse_unknown_names
from workflow.pipeline.cloud_cache import CloudCache
from workflow.pipeline.context import NO_NOTICES, Context, UploadProgressCallback, ignore_progress
from workflow.pipeline.live_rules import LiveRules
from workflow.pipeline.part_units import read_accepted_units
from workflow.pipeline.printers import record_printers
from workflow.pipeline.retention import RetentionPolicy
from workflow.pipeline.retry import POLL_SHARE, RetrySchedule
from workflow.pipeline.service import Service
from workflow.pipeline.status_page import status_page_place
from workflow.pipeline.thumbnails import THUMBNAILS_FOLDER
from workflow.pipeline.work_queue import QueueLimits
from workflow.resources import resource_folder
from workflow.routing import BuildVolume, fits_all_mm, load_build_volumes, load_rules
from workflow.settings import DEFAULT_STATUS_PAGE, LEDGER_FILE, Settings, outdated_settings, stlflow_command
from workflow.state_folder import (
    is_state_folder_locked,
    locked_database,
    locked_state_folder,
    make_private_file,
    prepare_state_folder,
    read_home_id,
    read_private_key,
    require_local_state_folder,
)

SILENT_WORKER_SECONDS = 30.0
"""A worker sends a heartbeat every two seconds; after so long without one it is dead, or cut off."""
MOVED_LEDGER_FILE = f"{LEDGER_FILE}.moved"
"""What is left in the state folder of a ledger that went into another database."""


def rules_file(settings: Settings) -> Path:
    """Return the rules file that is used: the one set, or the default that ships."""
    return settings.rules or resource_folder("rules") / "default.yaml"


def open_ledger(settings: Settings) -> Ledger:
    """Return the ledger for reading, or for a single command; no lock is needed.

    Without a database, it is an empty one in memory: reading makes no folders.
    """
    require_local_state_folder(settings.state, settings.share)
    refuse_moved_ledger(settings)
    return Ledger(settings.database if ledger_exists(settings) else "sqlite://")


def make_ledger(settings: Settings) -> Ledger:
    """Return the ledger for the service; a new database in the state folder is private."""
    if settings.database_url is None:
        make_private_file(settings.state.absolute() / LEDGER_FILE)
    return Ledger(settings.database)


def ledger_exists(settings: Settings) -> bool:
    """True if there is a ledger already."""
    return settings.database_url is not None or (settings.state / LEDGER_FILE).is_file()


def is_worker_alive(worker: Worker, settings: Settings, now: float) -> bool:
    """True if a worker still works: a heartbeat not long ago and, on SQLite, the state folder's lock.

    Only the one process that holds the lock can work on a database in the state folder.
    """
    if settings.database_url is None and not is_state_folder_locked(settings.state):
        return False
    return now - worker.seen_at.timestamp() <= SILENT_WORKER_SECONDS


def is_at_work(settings: Settings, ledger: Ledger | None) -> bool:
    """True if a stlflow works on the ledger, here or on another machine; a killed one's row is no proof."""
    if is_state_folder_locked(settings.state):
        return True
    now, workers = CLOCK.seconds(), () if ledger is None else list_workers(ledger)
    return any(is_worker_alive(each, settings, now) for each in workers)


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


@contextmanager
def running_service(
    settings: Settings,
    *,
    watch: bool = True,
    on_progress: UploadProgressCallback = ignore_progress,
    shared_inspector: Inspector | None = None,
    shadow: bool = False,
) -> Iterator[Service]:
    """Run the service until the block ends: lock, ledger, rules checked against the cloud, threads.

    `watch` False leaves the share alone: files are submitted in their places. A shared inspector stays open.
    `shadow` only reads Eiger. Raises StlflowError before anything is touched.
    """
    refuse_moved_ledger(settings)
    if settings.decisions is not None and settings.read_only_inbox is None:
        raise SettingsError("Setting decisions: it is for a read_only_inbox. Remove it, or set both.")
    rulebook = load_rules(rules_file(settings))
    with (
        nullcontext(shared_inspector) if shared_inspector else make_inspector(settings) as inspector,
        make_client(settings, reads_only=shadow) as client,
    ):
        catalog = CloudCache(client)
        refuse_unknown_names(rulebook, catalog)
        prepare_state_folder(settings.state, settings.share)
        with (
            locked_state_folder(settings.state),
            locked_database(settings.database_url),
            closing(make_ledger(settings)) as ledger,
        ):
            share = share_from_ledger(settings, ledger)
            share = _prepare_share(share, ledger) if watch else replace(share, left_inbox=None)
            if watch and settings.how_to_file and share.is_reachable():
                write_how_to(
                    share.root,
                    settings.contact,
                    decides_by_moving=share.decides_by_moving,
                    with_status_page=settings.status_page == DEFAULT_STATUS_PAGE,
                )
            with_tests = settings.rules_tests_on_reload
            check = partial(check_changed_rules, catalog=catalog, inspector=inspector, with_tests=with_tests)
            rules = LiveRules(rules_file(settings), rulebook, ledger, check)
            catalog.report_devices(partial(record_printers, ledger))
            context = _make_context(settings, rules, client, catalog, ledger, inspector, share, on_progress)
            told = settings.notices if watch and not shadow else NO_NOTICES
            context = replace(context, sets_duplicates_aside=watch, shadow=shadow, notices=told)
            service = Service(
                context,
                read_home_id(settings.state),
                QueueLimits(settings.uploads_at_once, settings.dispatches_at_once),
                make_stability_times(settings),
                watch=watch,
                arrival_limit=MassArrivalLimit(settings.mass_arrival_files),
                follow_seconds=settings.follow_seconds,
                keep=_make_retention_policy(settings),
            )
            try:
                service.start()
                yield service
            finally:
                service.stop()


def share_from_ledger(settings: Settings, ledger: Ledger) -> Share:
    """Return the share as the ledger knows it, whether or not it is there; names a new ledger."""
    return replace(known_share(settings, ledger), owner=ledger.metadata.ensure_name())


def known_share(settings: Settings, ledger: Ledger | None) -> Share:
    """Return the share with the marker that the ledger knows; writes nothing, so that it has no owner."""
    return Share(
        settings.share.absolute(),
        marker=(ledger.metadata.read(SHARE_ID_KEY) if ledger is not None else None) or "",
        left_inbox=settings.read_only_inbox and settings.read_only_inbox.absolute(),
        decides_by_moving=settings.decide_by_moving,
        decisions_folder=settings.decisions and settings.decisions.absolute(),
    )


def _prepare_share(share: Share, ledger: Ledger) -> Share:
    """Return the share with its folders made; a known share that is away is waited for. Raises ShareError."""
    if share.marker and not share.is_reachable():
        return share
    return replace(share, marker=ledger.metadata.set_default(SHARE_ID_KEY, share.prepare()))


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
        retry_schedule=_make_retry_schedule(settings),
        send_lease_seconds=client.max_effect_seconds + settings.late_effect_seconds,
        late_effect_seconds=settings.late_effect_seconds,
        print_now_armed=settings.print_now_armed,
        zone=settings.zone,
        progress_notes=settings.progress_notes,
        pictures=settings.pictures,
        status_page=status_page_place(settings.status_page, share),
        thumbnails=settings.state.absolute() / THUMBNAILS_FOLDER if settings.thumbnails else None,
        prices=parse_prices(settings.prices),
        eiger_link=settings.eiger_link,
        changeover_seconds=60 * settings.changeover_minutes,
        follows_prints=settings.follow_prints,
        canary_seconds=60 * settings.canary_minutes,
        date_folders=settings.date_folders,
        reuses_builds=settings.reuse_builds,
        accepted_units=read_accepted_units(settings.accepted_units),
        ways=DecisionWays(stlflow_command(), share.decides_by_moving),
        ca_bundle=network_of(settings).ca_bundle,
        proxy_for=partial(proxy_for, network_of(settings)),
        link_key=notice_link_key(settings),
        on_progress=on_progress,
    )


def notice_link_key(settings: Settings) -> bytes | None:
    """Return what signs the links in notices; None if the settings want none. Raises StateFolderError."""
    if not settings.notices.decide_links:
        return None
    if settings.notices.link_key is not None:
        return settings.notices.link_key.get_secret_value().encode()
    return read_private_key(settings.state.absolute() / "notices.key")


def make_inspector(settings: Settings) -> Inspector:
    """Return what inspects meshes, to be closed after use. Raises SettingsError for an unknown oddity."""
    for name, advice in outdated_settings(settings).items():
        logger.warning("{} is outdated. {}", name, advice)
    volumes: tuple[BuildVolume, ...] = ()
    with suppress(RulesError):  # who loads the rules says so
        volumes = load_build_volumes(rules_file(settings))
    policy = MeshPolicy(
        open_edges_limit=settings.open_edges_limit,
        largest_hole_mm=settings.largest_hole_mm,
        held=parse_warning_kinds(f"{settings.hold_meshes_with},{settings.refuse_meshes_with}"),
        max_bytes=settings.largest_file_mb * 2**20,
        fits_all_mm=fits_all_mm(volumes),
    )
    return Inspector(
        policy, InspectionLimits(settings.inspection_limit_seconds, settings.inspection_memory_mb)
    )


def _make_retry_schedule(settings: Settings) -> RetrySchedule:
    return RetrySchedule(
        first_poll_seconds=settings.slice_first_poll_seconds,
        slice_limit_seconds=settings.slice_limit_seconds,
        build_wait_seconds=settings.build_wait_seconds,
        print_now_seconds=settings.print_now_seconds,
        polls_per_second=settings.requests_per_second * POLL_SHARE,
    )


def _make_retention_policy(settings: Settings) -> RetentionPolicy:
    return RetentionPolicy(
        settings.keep_submissions, settings.keep_submissions_days, settings.keep_files_days
    )


def make_stability_times(settings: Settings) -> StabilityTimes:
    """Return how long a file has to be unchanged before it is taken, by its kind."""
    return StabilityTimes(
        binary_seconds=settings.settle_seconds,
        ascii_seconds=settings.settle_ascii_seconds,
        wrong_seconds=settings.settle_wrong_seconds,
        stall_seconds=settings.stall_seconds,
        sweep_seconds=settings.sweep_seconds,
        network_sweep_seconds=settings.network_sweep_seconds,
        stranger_seconds=settings.stranger_seconds,
    )


def start_logging(settings: Settings, level: str, filter_by: LogFilter | None = None) -> None:
    """Start logging, after a check that the state folder can be used. Raises StateFolderError."""
    prepare_state_folder(settings.state, settings.share)
    folder = settings.state / "logs"
    set_up_logs(level, as_json=settings.log_json, folder=folder, zone=settings.zone, filter_by=filter_by)
