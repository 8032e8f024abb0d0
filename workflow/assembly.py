"""Putting the rooms together from the settings: the only place that knows them all."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from workflow.eiger import EigerClient, make_client
from workflow.errors import Mistake, NotFound, NotNow, RulesError, SettingsError, ShareError, StateError
from workflow.intake import IN_A_CROWD, ArrivalLimit, Explained, GateTimes, Share, explain_file
from workflow.ledger import (
    SHARE,
    Ledger,
    copy_ledger,
    crew,
    keep_mark,
    own_name,
    read_mark,
    read_waitlist,
    replace_mark,
)
from workflow.mesh import InspectionLimits, Inspector, MeshPolicy, named_oddities
from workflow.model import DeviceFacts, Facts, MeshReport
from workflow.pipeline.catalog import Catalog
from workflow.pipeline.desk import was_left
from workflow.pipeline.engine import EngineLimits
from workflow.pipeline.facts import device_facts, facts_of_file
from workflow.pipeline.orders import as_build_id
from workflow.pipeline.part_units import read_accepted_units
from workflow.pipeline.patience import Patience
from workflow.pipeline.rules_in_force import RulesInForce
from workflow.pipeline.service import Service
from workflow.pipeline.upkeep import Keep
from workflow.pipeline.workshop import Progress, Workshop, nobody_watches
from workflow.routing import Rulebook, check_names, load_rules
from workflow.settings import LEDGER_FILE, Settings
from workflow.shipped import shipped
from workflow.state import home_of, is_locked, locked_state, prepare_state, refuse_wrong_place


def rules_file(settings: Settings) -> Path:
    """Give the rules file that counts: the one set, or the default that ships."""
    return settings.rules or shipped("rules") / "default.yaml"


def open_ledger(settings: Settings) -> Ledger:
    """Open the ledger for reading, or for a single order; no lock is needed.

    Where there is none yet, an empty one is given that is nowhere: looking makes no folders.
    """
    refuse_wrong_place(settings.state, settings.share)
    return Ledger(settings.database if is_begun(settings) else "sqlite://")


def is_begun(settings: Settings) -> bool:
    """Tell whether there is a ledger already."""
    return settings.database_url is not None or (settings.state / LEDGER_FILE).is_file()


def move_up(settings: Settings) -> tuple[int, Path]:
    """Move the ledger from the state folder into the database set; gives how many, and what is left.

    Raises SettingsError when no other database is set, StateError when there is nothing to move, stlflow
    runs, or the new database is not empty.
    """
    old = settings.state.absolute() / LEDGER_FILE
    if settings.database_url is None:
        raise SettingsError("Set STLFLOW_DATABASE_URL to the new database first: postgresql://...")
    if not old.is_file():
        raise StateError(f"There is no ledger to move at {old}.")
    with (
        locked_state(settings.state),
        closing(Ledger(f"sqlite:///{old.as_posix()}")) as source,
        closing(Ledger(settings.database)) as target,
    ):
        moved = copy_ledger(source, target)
    left = old.with_name(f"{LEDGER_FILE}.moved")
    old.rename(left)
    return moved, left


@contextmanager
def running_service(
    settings: Settings, *, watch: bool = True, on_progress: Progress = nobody_watches
) -> Iterator[Service]:
    """Run the service until the block ends: lock, ledger, rules checked against the cloud, threads.

    `watch` False leaves the share alone: files are submitted in their places. Raises SettingsError,
    RulesError, StateError, ShareError, CloudError before anything is touched.
    """
    rulebook = load_rules(rules_file(settings))
    with make_inspector(settings) as inspector, make_client(settings) as client:
        catalog = Catalog(client)
        refuse_unknown_names(rulebook, catalog)
        prepare_state(settings.state, settings.share)
        with locked_state(settings.state), closing(Ledger(settings.database)) as ledger:
            share = known_share(settings, ledger)
            share = _prepared(share, ledger) if watch else replace(share, left_inbox=None)
            check = partial(refuse_unknown_names, catalog=catalog)
            rules = RulesInForce(rules_file(settings), rulebook, ledger, check)
            shop = _workshop(settings, rules, client, catalog, ledger, inspector, share, on_progress)
            shop = replace(shop, sets_duplicates_aside=watch)
            limits = EngineLimits(settings.uploads_at_once, settings.dispatches_at_once)
            limit = ArrivalLimit(settings.mass_arrival_files)
            service = Service(
                shop,
                home_of(settings.state),
                limits,
                _times(settings),
                watch=watch,
                arrival_limit=limit,
                keep=_keep(settings),
            )
            try:
                service.start()
                yield service
            finally:
                service.stop()


def known_share(settings: Settings, ledger: Ledger) -> Share:
    """Give the share as the ledger knows it, whether or not it is there."""
    return Share(
        settings.share.absolute(),
        owner=own_name(ledger),
        marker=read_mark(ledger, SHARE) or "",
        left_inbox=settings.read_only_inbox and settings.read_only_inbox.absolute(),
    )


def _prepared(share: Share, ledger: Ledger) -> Share:
    """Make what a share needs; one that is known and not there is waited for. Raises ShareError."""
    if share.marker and not share.is_there():
        return share
    return replace(share, marker=keep_mark(ledger, SHARE, share.prepare()))


def refuse_unknown_names(rulebook: Rulebook, catalog: Catalog) -> None:
    """Ask the cloud for every preset, device and user that the rules name. Raises RulesError, CloudError."""
    mistakes = names_unknown_to(catalog, rulebook)
    if mistakes:
        raise RulesError(mistakes)


def names_unknown_to(catalog: Catalog, rulebook: Rulebook) -> tuple[Mistake, ...]:
    """Give the presets, devices and users that the rules name and the cloud lacks. Raises CloudError."""
    devices = catalog.devices()
    return check_names(
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


def _workshop(
    settings: Settings,
    rules: RulesInForce,
    client: EigerClient,
    catalog: Catalog,
    ledger: Ledger,
    inspector: Inspector,
    share: Share,
    on_progress: Progress,
) -> Workshop:
    return Workshop(
        ledger=ledger,
        client=client,
        catalog=catalog,
        rules=rules,
        share=share,
        spool=settings.state.absolute() / "spool",
        inspector=inspector,
        patience=_patience(settings),
        send_lease_seconds=client.longest_effect_seconds + settings.late_effect_seconds,
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
    prepare_state(settings.state, settings.share)
    with closing(Ledger(settings.database)) as ledger:
        share = known_share(settings, ledger)
        marker = share.prepare()
        replace_mark(ledger, SHARE, marker)
        return marker == share.marker


def refuse_strange_build(settings: Settings, number: int, build_id: str) -> None:
    """Ask Eiger whether a build holds a submission's part: a wrong build is a wrong print.

    Raises NotNow when it does not, or is not there; UnknownSubmission, CloudError, SettingsError.
    """
    with closing(open_ledger(settings)) as ledger:
        part_version_id = ledger.get(number).part_version_id
    if part_version_id is None:  # the order itself says why that is too early
        return
    with make_client(settings) as client:
        try:
            build = client.read_build(as_build_id(build_id))
        except NotFound:
            raise NotNow(f"Eiger has no build {build_id}: nothing is attached.") from None
    if all(version.id != part_version_id for version in build.part_versions):
        parts = ", ".join(version.title for version in build.part_versions) or "no part"
        raise NotNow(
            f"Build {build_id} ('{build.title}') does not hold the part of submission {number}, but {parts}. "
            f"If it is right all the same, because the part was uploaded anew by hand: "
            f"`stlflow attach {number} {build_id} --anyway`."
        )


def explain_in_inbox(settings: Settings, name: Path) -> Explained:
    """Tell what becomes of a file in the inbox, or of a path below it. Raises ShareError, StateError."""
    inbox = (settings.read_only_inbox or settings.share / "inbox").absolute()
    place = name.absolute()
    if place.is_relative_to(inbox):
        name = place.relative_to(inbox)
    elif name.is_absolute() or (place.exists() and not (inbox / name).exists()):
        raise ShareError(f"{name} does not lie in the inbox, {inbox}.")
    explained = explain_file(inbox, name.as_posix(), _times(settings))
    waits = _why_all_wait(settings, name.as_posix()) if explained.seen is not None else None
    return explained if waits is None else replace(explained, seen=waits)


def _why_all_wait(settings: Settings, path: str) -> str | None:
    """Say what keeps a file in the inbox besides itself; None when nothing does."""
    if not is_begun(settings):
        return "it is taken once stlflow runs: `stlflow run`."
    with closing(open_ledger(settings)) as ledger:
        if read_waitlist(ledger).get(path) is False:
            return IN_A_CROWD
        share = known_share(settings, ledger)
        if (absence := share.absence()) is not None:
            return f"everything waits for the share. {absence}."
        if share.left_inbox is not None and was_left(ledger, share.left_inbox, path):
            return "it was taken before as it is, and is taken again only when its content changes."
        running = is_locked(settings.state) or bool(crew(ledger))
    return None if running else "it is taken once stlflow runs: `stlflow run`."


def device_facts_now(settings: Settings) -> tuple[DeviceFacts, ...]:
    """Ask the cloud for its devices. Raises CloudError, SettingsError."""
    with make_client(settings) as client:
        return tuple(device_facts(device) for device in client.list_devices())


def make_inspector(settings: Settings) -> Inspector:
    """Give what inspects meshes, to be closed after use. Raises SettingsError for an unknown oddity."""
    policy = MeshPolicy(
        open_edges_limit=settings.open_edges_limit,
        refused=named_oddities(settings.refuse_meshes_with),
        max_bytes=settings.largest_file_mb * 2**20,
    )
    return Inspector(
        policy, InspectionLimits(settings.inspection_limit_seconds, settings.inspection_memory_mb)
    )


def facts_now(settings: Settings, file: Path, path: str) -> tuple[MeshReport, Facts]:
    """Give what would be known of a file if it were dropped as `path` now. Raises OSError, NotInspected."""
    with ExitStack() as stack:
        ledger = None
        if settings.database_url is not None or (settings.state / "stlflow.db").is_file():
            with suppress(StateError):
                ledger = stack.enter_context(closing(open_ledger(settings)))
        inspector = stack.enter_context(make_inspector(settings))
        return facts_of_file(file, path, inspector, ledger, settings.zone)


def check_online(settings: Settings, rulebook: Rulebook) -> None:
    """Ask the cloud whether it has what the rules name. Raises RulesError, CloudError, SettingsError."""
    with make_client(settings) as client:
        refuse_unknown_names(rulebook, Catalog(client))


def _patience(settings: Settings) -> Patience:
    return Patience(
        first_poll_seconds=settings.slice_first_poll_seconds,
        slice_limit_seconds=settings.slice_limit_seconds,
        build_wait_seconds=settings.build_wait_seconds,
        print_now_seconds=settings.print_now_seconds,
        polls_per_second=settings.requests_per_second / 2,
    )


def _keep(settings: Settings) -> Keep:
    return Keep(settings.keep_submissions, settings.keep_submissions_days, settings.keep_files_days)


def _times(settings: Settings) -> GateTimes:
    return GateTimes(
        binary_seconds=settings.settle_seconds,
        ascii_seconds=settings.settle_ascii_seconds,
        wrong_seconds=settings.settle_wrong_seconds,
        stall_seconds=settings.stall_seconds,
        sweep_seconds=settings.sweep_seconds,
        network_sweep_seconds=settings.network_sweep_seconds,
        stranger_seconds=settings.stranger_seconds,
    )
