"""Shadow mode beside the shop: what stlflow would have sent, and what the shop printed, file by file.

The shop's own build of a file is found by its name and by when it was made. With it the facts are known that
only slicing tells, and the rules decide on them. Everything is asked by reading.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import islice
from pathlib import PurePosixPath

from workflow.eiger import BuildDetail, BuildFilter, EigerClient, PrintJobDetail, PrintJobFilter
from workflow.frozen import frozen
from workflow.ledger import Ledger
from workflow.model import DecisionRecord, Destination, HoldReason, Submission, SubmissionState
from workflow.pipeline.build_search import search_builds_by
from workflow.pipeline.facts import build_facts
from workflow.pipeline.route import ROUTING
from workflow.pipeline.shadow import describe_forecast
from workflow.routing import (
    Explanation,
    Rulebook,
    casefold_nfc,
    explain_intake,
    explain_routing,
    is_material_name,
)

MADE_BEFORE = timedelta(hours=12)
"""A part may have been sliced in Eiger before its file was dropped."""
MADE_AFTER = timedelta(days=14)
MAX_BUILDS_READ = 5
MAX_PRINT_JOBS = 20
PEOPLE_CHOOSE = frozenset({Destination.BACKLOG, Destination.JOB_REQUEST})


class Agreement(StrEnum):
    """Whether the shop did what stlflow would have done."""

    AGREED = "agreed"
    DIFFERED = "differed"
    NOT_COMPARED = "not compared"


@frozen
class OwnJob:
    """The shop's own build of a file, and the printers of its print jobs ("" where Eiger names none)."""

    build: BuildDetail
    printers: tuple[str, ...]

    @property
    def text(self) -> str:
        """What the shop did, in words."""
        if not self.printers:
            return "sliced it"
        named = sorted({name for name in self.printers if name})
        return f"printed it on {' and '.join(named)}" if named else "sent it; Eiger names no printer"


@frozen
class Forecast:
    """What stlflow would have done: `action` is send, hold, reject, duplicate or waits."""

    action: str
    text: str
    destination: Destination | None = None
    device: str | None = None
    preset: str | None = None
    is_open: bool = False
    """Which destination is only known after slicing."""


@frozen
class ShadowRow:
    """One dropped file: what stlflow would have done, what the shop did, and whether that is the same."""

    number: int
    path: str
    dropped_at: datetime
    forecast: Forecast
    own: OwnJob | None
    agreement: Agreement
    why: str


def compare_with_own_jobs(
    ledger: Ledger,
    client: EigerClient,
    rulebook: Rulebook,
    zone: tzinfo | None,
    *,
    since: datetime | None = None,
    print_now_armed: bool = False,
) -> Iterator[ShadowRow]:
    """Yield each file of shadow mode, the oldest first, by the rules in use now. Raises CloudError."""
    submissions = [each for each in ledger.all() if since is None or each.opened_at >= since]
    submissions.sort(key=lambda each: each.id)
    at_printers = read_printer_queues(client)
    for submission, until in zip(submissions, _next_drops(submissions), strict=True):
        own = find_own_job(client, submission, until, at_printers)
        decided = ledger.decisions.read(submission.id)
        forecast = _forecast(submission, decided, rulebook, own, zone)
        if forecast.destination is Destination.PRINT_NOW and not print_now_armed:
            forecast = Forecast("hold", "hold: the rule says print_now, and print_now_armed is false")
        agreement, why = judge_agreement(forecast, own)
        yield ShadowRow(submission.id, submission.path, submission.opened_at, forecast, own, agreement, why)


def read_printer_queues(client: EigerClient) -> Mapping[str, tuple[str, ...]]:
    """Return the names of the printers that have each build in their queue, by build. Raises CloudError."""
    found: dict[str, tuple[str, ...]] = {}
    for device in tuple(client.list_devices()):
        for entry in client.list_device_queue(device.id).queue:
            found[entry.build.id] = (*found.get(entry.build.id, ()), device.name)
    return found


def find_own_job(
    client: EigerClient, submission: Submission, until: datetime, at_printers: Mapping[str, tuple[str, ...]]
) -> OwnJob | None:
    """Return the shop's build of that name made around the drop and before `until`. Raises CloudError."""
    name, dropped_at = PurePosixPath(submission.path), submission.opened_at
    builds: list[BuildDetail] = []
    for title in dict.fromkeys((name.stem, name.name)):
        wanted = BuildFilter(title=title, created_from=dropped_at - MADE_BEFORE, created_before=until)
        builds += search_builds_by(client, wanted, MAX_BUILDS_READ)
    if not builds:
        return None

    def distance(build: BuildDetail) -> tuple[bool, float]:
        seconds = ((build.created_at or dropped_at) - dropped_at).total_seconds()
        return seconds < 0, abs(seconds)

    nearest = min(builds, key=distance)
    listed = client.list_print_jobs(PrintJobFilter(build=nearest.id), order="desc", page_size=MAX_PRINT_JOBS)
    printers = tuple(map(_printer, islice(listed, MAX_PRINT_JOBS)))
    return OwnJob(nearest, (*printers, *at_printers.get(nearest.id, ())))


def judge_agreement(forecast: Forecast, own: OwnJob | None) -> tuple[Agreement, str]:
    """Return whether the shop did what stlflow would have done, and why."""
    if own is None or not own.printers or forecast.action in {"duplicate", "waits"}:
        return Agreement.NOT_COMPARED, _why_unmatched(forecast, own)
    if (difference := _difference(forecast, own)) is not None:
        return Agreement.DIFFERED, difference
    if forecast.destination in PEOPLE_CHOOSE:
        return Agreement.AGREED, f"{forecast.destination}: an operator picks the printer; the shop {own.text}"
    if forecast.device in own.printers:
        return Agreement.AGREED, f"both {forecast.device}"
    return Agreement.NOT_COMPARED, f"no printer to compare: {forecast.text}; the shop {own.text}"


def _why_unmatched(forecast: Forecast, own: OwnJob | None) -> str:
    if forecast.action in {"duplicate", "waits"}:
        return forecast.text
    if own is None:
        return "no build of this name and time in Eiger"
    return "the shop sliced it, and Eiger shows no print job of it"


def _difference(forecast: Forecast, own: OwnJob) -> str | None:
    """Return what the shop did otherwise; None if nothing shows."""
    if forecast.action != "send":
        return f"{forecast.text}; the shop {own.text}"
    material, named = own.build.primary_material, [name for name in own.printers if name]
    if material and _is_other_material(forecast.preset or "", material):
        return f"preset {forecast.preset}; the shop's build is of {material}"
    if forecast.device is not None and named and forecast.device not in named:
        return f"{forecast.text}; the shop {own.text}"
    return None


def _is_other_material(preset: str, material: str) -> bool:
    """True if the preset is called like a material, and that is another one."""
    return is_material_name(preset) and casefold_nfc(preset) != casefold_nfc(material)


def _printer(job: PrintJobDetail) -> str:
    return "" if job.device is None else job.device.name


def _next_drops(submissions: Sequence[Submission]) -> list[datetime]:
    """Return for each submission when a build of its name is no longer its own."""
    later: dict[str, datetime] = {}
    ends: list[datetime] = []
    for submission in reversed(submissions):
        name = PurePosixPath(submission.path).name
        ends.append(
            min(later.get(name, submission.opened_at + MADE_AFTER), submission.opened_at + MADE_AFTER)
        )
        later[name] = submission.opened_at
    return ends[::-1]


def _forecast(
    submission: Submission,
    decided: Mapping[str, DecisionRecord],
    rulebook: Rulebook,
    own: OwnJob | None,
    zone: tzinfo | None,
) -> Forecast:
    """Return what stlflow would do with a file: by the rules, or as inspection decided it."""
    intake, routing = decided.get("intake"), decided.get(ROUTING)
    by_rule = submission.hold is HoldReason.RULE or submission.state is SubmissionState.REJECTED
    if intake is None or (routing is None and not by_rule):
        return _forecast_without_rules(submission)
    latest = routing or intake
    explained = explain_intake(rulebook, intake.facts)
    if explained.intake.action != "upload":
        return Forecast(explained.intake.action, f"{explained.intake.action}: {explained.intake.reason}")
    facts = dict(latest.facts) if own is None else {**latest.facts, **build_facts(own.build, latest.at)}
    facts["preset"] = explained.intake.preset or ""
    day = latest.at.astimezone(zone).date()
    devices = None if own is None else latest.devices
    explained = explain_routing(explained, rulebook, facts, devices, today=day, is_sliced=own is not None)
    return _routed_forecast(explained)


def _forecast_without_rules(submission: Submission) -> Forecast:
    reason = submission.reason or "not decided yet"
    actions = {SubmissionState.HELD: "hold", SubmissionState.REJECTED: "reject"}
    action = actions.get(submission.state)
    if action is not None:
        return Forecast(action, f"{action}: {reason}")
    return Forecast("duplicate" if submission.state is SubmissionState.CANCELED else "waits", reason)


def _routed_forecast(explained: Explanation) -> Forecast:
    route, preset = explained.routing, explained.intake.preset
    text = describe_forecast(explained)
    if route is None:
        return Forecast("send", text, preset=preset, is_open=True)
    if route.destination is None and not route.waits_for_device:
        return Forecast("hold", text)
    return Forecast("send", text, route.destination, route.device, preset)
