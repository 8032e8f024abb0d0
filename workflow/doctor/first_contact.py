"""The first look at a real account: what Eiger has, and whether it behaves as stlflow assumes. Only reads.

What was learnt becomes a document, and the settings that follow from it.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from workflow import __version__
from workflow.eiger import (
    Build,
    BuildFilter,
    Device,
    EigerClient,
    PrintJobDetail,
    PrintJobFilter,
)
from workflow.errors import CloudError, format_count
from workflow.frozen import frozen
from workflow.pipeline.part_units import PartUnits, units_of
from workflow.routing import find_unlisted_types
from workflow.settings import Settings

READ_AT_MOST = 100
ROUNDING = timedelta(seconds=1)
"""Filters compare whole seconds, and the client rounds so that nothing is left out."""
STALE_AFTER = timedelta(days=2)


@frozen
class Observation:
    """One thing that was learnt: its name in observed.json, its value there, and a line for people."""

    name: str
    value: object
    says: str


def observe_account(client: EigerClient) -> Iterator[Observation]:
    """Yield what reading tells of an account, one observation at a time. Raises CloudError for the keys."""
    ping = client.ping()
    yield Observation("presets", [each.title for each in ping.presets], _presets_text(ping.presets))
    ahead = ping.ahead_seconds
    yield Observation(
        "server_ahead_seconds",
        None if ahead is None else round(ahead),
        "Eiger does not say its time."
        if ahead is None
        else f"Eiger's clock is {round(ahead):+d} s from this machine's.",
    )
    for observe in (
        _observe_devices,
        _observe_users,
        _observe_approvals,
        _observe_builds,
        _observe_print_jobs,
    ):
        try:
            yield from observe(client)
        except CloudError as error:
            name = observe.__name__.removeprefix("_observe_")
            yield Observation(name, None, f"{name.replace('_', ' ')}: could not be read. {error}")


def _presets_text(presets: Iterable[object]) -> str:
    titles = [str(getattr(each, "title", "")) for each in presets]
    return f"The keys work. {format_count(len(titles), 'preset')}: {', '.join(titles) or 'none'}."


def _observe_devices(client: EigerClient) -> Iterator[Observation]:
    devices = tuple(client.list_devices())
    rows = [
        {"name": each.name, "type": each.device_type, "series": each.device_series, "state": each.state}
        for each in devices
    ]
    unlisted = find_unlisted_types(each.device_type for each in devices)
    more = f" Not in the contract: {', '.join(unlisted)}." if unlisted else ""
    yield Observation("devices", rows, f"{format_count(len(rows), 'printer')}: {_names(devices)}.{more}")
    yield Observation("unlisted_types", list(unlisted), "Printer types are open words: stlflow reads any.")


def _names(devices: Iterable[Device]) -> str:
    return ", ".join(f"{each.name} ({each.state or 'state unknown'})" for each in devices) or "none"


def _observe_users(client: EigerClient) -> Iterator[Observation]:
    count = sum(1 for _ in client.list_users())
    yield Observation("users", count, f"{format_count(count, 'user')}. Their names are not written down.")


def _observe_approvals(client: EigerClient) -> Iterator[Observation]:
    used = client.list_approved_builds() is not None
    says = "Only approved builds may be printed." if used else "Approvals are not in use."
    yield Observation("approvals", used, says)


def _observe_builds(client: EigerClient) -> Iterator[Observation]:
    newest = list(islice(client.list_builds(order="desc", page_size=READ_AT_MOST), READ_AT_MOST))
    yield Observation(
        "builds_read", len(newest), f"{format_count(len(newest), 'build')} read, the newest first."
    )
    if not newest:
        return
    filters = check_filters(client, newest)
    ignored = [name for name, works in filters.items() if not works]
    says = f"These filters are ignored: {', '.join(ignored)}." if ignored else "The filters on builds work."
    yield Observation("filters", dict(filters), says)
    parts = client.read_build(newest[0].id).part_versions
    units = next((units_of(part.settings) for part in parts), PartUnits(None, None))
    yield Observation(
        "newest_units",
        str(units) or None,
        f"The newest build was made of parts in {units_text(units)}.",
    )


def check_filters(client: EigerClient, newest: list[Build]) -> Mapping[str, bool]:
    """Return for each filter and for the order whether the list obeys it. Raises CloudError."""
    one = newest[0]
    made_at = one.created_at or datetime.now(UTC)

    def listed(filters: BuildFilter) -> list[Build]:
        return list(islice(client.list_builds(filters, order="desc", page_size=READ_AT_MOST), READ_AT_MOST))

    titled = listed(BuildFilter(title=one.title))
    later, earlier = listed(BuildFilter(created_from=made_at)), listed(BuildFilter(created_before=made_at))
    times = [each.created_at for each in newest if each.created_at is not None]
    return {
        "title": any(each.id == one.id for each in titled)
        and all(each.title == one.title for each in titled),
        "created_from": any(each.id == one.id for each in later)
        and all(_made(each, made_at) for each in later),
        "created_before": all(not _made(each, made_at + ROUNDING) for each in earlier),
        "order": all(above >= below for above, below in pairwise(times)),
    }


def units_text(units: PartUnits) -> str:
    """Return unit and scale in words; Eiger may name none."""
    return str(units) or "a unit that Eiger does not name"


def _made(build: Build, since: datetime) -> bool:
    """True if a build was made in that second or later."""
    return build.created_at is None or build.created_at >= since.replace(microsecond=0)


def _observe_print_jobs(client: EigerClient) -> Iterator[Observation]:
    jobs = list(islice(client.list_print_jobs(order="desc", page_size=READ_AT_MOST), READ_AT_MOST))
    wanted = PrintJobFilter(state="Printing")
    printing = list(
        islice(client.list_print_jobs(wanted, order="desc", page_size=READ_AT_MOST), READ_AT_MOST)
    )
    stale = [each for each in printing if _is_older(each, STALE_AFTER)]
    nowhere = [each for each in printing if each.device is None]
    counts = {
        "read": len(jobs),
        "printing": len(printing),
        "stale": len(stale),
        "without_device": len(nowhere),
    }
    says = (
        f"{len(jobs)} print jobs: {len(printing)} say Printing, {len(stale)} of them for more than two days."
    )
    yield Observation("print_jobs", counts, says)
    build = next((each.build for each in jobs if each.build is not None), None)
    if build is not None:
        of_build = list(islice(client.list_print_jobs(PrintJobFilter(build=build.id)), READ_AT_MOST))
        works = bool(of_build) and all(
            each.build is not None and each.build.id == build.id for each in of_build
        )
        says = "Print jobs can be listed by build." if works else "Print jobs can't be listed by build."
        yield Observation("print_jobs_by_build", works, says)


def _is_older(job: PrintJobDetail, age: timedelta) -> bool:
    began = job.started_at or job.created_at
    return began is not None and datetime.now(UTC) - began > age


BUILD_WAIT_FACTOR = 5
"""A build may take this many times longer than the first one before its file is held."""


def observed_document(observations: Iterable[Observation], when: str) -> dict[str, object]:
    """Return what is written to observed.json; it has no key, no id and no name of a person."""
    learnt = {each.name: each.value for each in observations}
    return {"stlflow": __version__, "observed_at": when, **learnt, "settings": follow_up_settings(learnt)}


def follow_up_settings(learnt: Mapping[str, object]) -> dict[str, object]:
    """Return the settings, other than the defaults, that fit what was learnt."""
    wanted: dict[str, object] = {}
    units, scale, delay = learnt.get("units"), learnt.get("scale"), learnt.get("build_delay_seconds")
    if isinstance(units, str) and isinstance(scale, int | float | None):
        entry = PartUnits(units, scale).as_setting()
        if entry is not None and entry != Settings.model_fields["accepted_units"].default:
            wanted["accepted_units"] = entry
    if isinstance(delay, int | float) and delay * BUILD_WAIT_FACTOR > _default("build_wait_seconds"):
        wanted["build_wait_seconds"] = round(delay * BUILD_WAIT_FACTOR)
    if learnt.get("builds") == "manual":
        wanted["build_wait_seconds"] = 0  # held at once: a person has to make the build
    return wanted


def _default(name: str) -> float:
    return float(Settings.model_fields[name].default)
