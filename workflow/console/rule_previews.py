"""Trying rules out: what they do with a file, and what others would have done with the last parts."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from shutil import copyfileobj
from threading import BoundedSemaphore

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from workflow.assembly import make_inspector, rules_file
from workflow.console.access import console_of
from workflow.console.console import Console
from workflow.console.forms import Refused
from workflow.console.rules import RulesPage, rules_page
from workflow.errors import RulesError, StateFolderError
from workflow.frozen import frozen
from workflow.model import ConsideredRule, DeviceFacts, FactValue
from workflow.pipeline.decision_text import describe_intake, describe_route
from workflow.pipeline.facts import facts_of_unsubmitted_file
from workflow.pipeline.outages import last_seen_devices
from workflow.pipeline.replay import replay_rules
from workflow.routing import (
    FACT_TABLE,
    DecisionStage,
    Explanation,
    Rulebook,
    explain,
    load_rules,
    parse_fact_value,
    parse_rules,
)  # fmt: skip
from workflow.routing.build_volumes import load_build_volumes
from workflow.routing.cloud_names import with_build_volumes

REPLAYED = 200
LARGEST_FILE = 64 * 2**20
_AT_ONCE = BoundedSemaphore(2)
"""Each explained file takes an inspecting process of its own."""


@frozen
class ExplainedFile:
    """What the rules do with a file; `considered` are all rules in their order."""

    path: str
    verdict: str
    reason: str | None
    decision: str
    route: str
    reasons: tuple[str, ...]
    considered: tuple[ConsideredRule, ...]
    gaps: tuple[str, ...]


@frozen
class ChangedPart:
    """A submission that other rules would treat otherwise."""

    id: int
    path: str
    before: str
    after: str
    why: tuple[str, ...]


@frozen
class Replayed:
    """What other rules would have done with the newest submissions; `mistakes` are why they can't be read."""

    text: str
    mistakes: tuple[str, ...] = ()
    looked_at: int = 0
    changed: tuple[ChangedPart, ...] = ()
    not_comparable: int = 0


@frozen
class RulesPreview:
    """The rules' page with the result of one preview."""

    page: RulesPage
    explained: ExplainedFile | None = None
    replayed: Replayed | None = None


def read_rules_preview(request: Request) -> RulesPreview:
    """Return the page before any preview. Raises StateFolderError."""
    return RulesPreview(rules_page(console_of(request)))


def explain_dropped_file(request: Request, form: FormData) -> RulesPreview:
    """Return what the rules do with the file in a form; nothing is uploaded or kept.

    Raises Refused, RulesError, InspectionFailed, OSError.
    """
    console = console_of(request)
    dropped = form.get("file")
    if not isinstance(dropped, UploadFile) or not dropped.filename:
        raise Refused("Choose an STL file first.", field="file")
    path = str(form.get("path") or "").strip().lstrip("/") or Path(dropped.filename).name
    rulebook = load_rules(rules_file(console.settings))
    given = _build_facts(form)
    if not _AT_ONCE.acquire(blocking=False):
        raise StateFolderError("Other files are being explained. Try again in a moment.")
    try:
        with _written(console, dropped) as file:
            return RulesPreview(rules_page(console), explained=_explain(console, rulebook, file, path, given))
    finally:
        _AT_ONCE.release()


@contextmanager
def _written(console: Console, dropped: UploadFile) -> Iterator[Path]:
    """Write an upload to the state folder's disk until the block ends."""
    number, name = tempfile.mkstemp(suffix=".stl", prefix="explain-", dir=console.settings.state.absolute())
    try:
        with os.fdopen(number, "wb") as file:
            copyfileobj(dropped.file, file)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _explain(
    console: Console, rulebook: Rulebook, file: Path, path: str, given: Mapping[str, FactValue]
) -> ExplainedFile:
    settings, ledger = console.settings, console.ledger
    with make_inspector(settings) as inspector:
        report, known = facts_of_unsubmitted_file(
            file, path, inspector, ledger, settings.zone, rulebook.volumes
        )
    devices: tuple[DeviceFacts, ...] = last_seen_devices(ledger, settings.zone)
    today = datetime.now(settings.zone).date()
    found = explain(rulebook, {**known, **given}, devices or None, today=today)
    return ExplainedFile(
        path,
        report.verdict,
        report.reason,
        f"{describe_intake(found.intake)} (rule '{found.intake.rule}')",
        _route_text(found),
        found.routing.reasons if found.routing else (),
        found.considered,
        found.gaps,
    )


def _route_text(found: Explanation) -> str:
    if found.routing is not None:
        return f"{describe_route(found.routing)} (rule '{found.routing.rule}')"
    still_open = [f"{each.rule}: {each.send_to or 'hold'}" for each in found.open_rules]
    return f"still open: {'; '.join(still_open)}" if still_open else ""


def _build_facts(form: FormData) -> dict[str, FactValue]:
    """Return the facts of the build that the form names. Raises Refused for a wrong value."""
    kinds = {fact.name: fact.kind for fact in FACT_TABLE if fact.stage is DecisionStage.ROUTING}
    given: dict[str, FactValue] = {}
    for name, kind in kinds.items():
        text = str(form.get(name) or "").strip()
        if text:
            value = parse_fact_value(text, kind)
            if value is None:
                raise Refused(f"'{text}' is no {kind} for {name}.", field=name)
            given[name] = value
    return given


def replay_text(request: Request, form: FormData) -> RulesPreview:
    """Return what the rules in a form would have done with the newest parts. Raises StateFolderError."""
    console = console_of(request)
    text = str(form.get("rules") or "").replace("\r\n", "\n")
    dropped = form.get("file")
    if isinstance(dropped, UploadFile) and dropped.filename:
        text = dropped.file.read().decode("utf-8-sig", "replace")
    page = rules_page(console)
    try:
        volumes = load_build_volumes(rules_file(console.settings))
        rulebook = with_build_volumes(parse_rules(text, "the rules"), volumes)
    except RulesError as error:
        return RulesPreview(page, replayed=Replayed(text, tuple(str(each) for each in error.mistakes)))
    result = replay_rules(console.ledger, rulebook, None, console.settings.zone, newest=REPLAYED)
    changed = (
        ChangedPart(each.number, each.path, each.before, each.after, each.why) for each in result.elsewhere
    )
    return RulesPreview(
        page, replayed=Replayed(text, (), result.looked_at, tuple(changed), len(result.not_comparable))
    )
