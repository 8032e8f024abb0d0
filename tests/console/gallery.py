"""A shop with something of everything, for whoever looks at the pages: people, axe, and the screenshots."""

import hashlib
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Unpack

from tests.console.conftest import Site
from tests.console.parts import BUILD
from tests.states import put_in_state
from workflow.mesh.inspection import inspect_mesh
from workflow.mesh.thumbnail import draw_thumbnail
from workflow.model import (
    DecisionRecord,
    Destination,
    DeviceFacts,
    EventKind,
    HoldReason,
    LoadedMaterial,
    PrinterOutage,
    PrinterSnapshot,
    RunningPrint,
    SubmissionChanges,
)  # fmt: skip
from workflow.model import (
    SubmissionState as S,
)
from workflow.pipeline.context import now
from workflow.pipeline.thumbnails import THUMBNAILS_FOLDER, thumbnail_path

SAMPLES = Path(__file__).parents[2] / "samples"
PAGES = {
    "attention": "/", "submissions": "/submissions", "mine": "/mine", "printers": "/printers",
    "rules": "/rules", "health": "/health", "wall": "/wall", "drop": "/drop",
}  # fmt: skip
"""What can be looked at without a single submission."""
PAGES_OF_MANY = {
    "attention": "/", "submissions": "/submissions", "search": "/submissions?q=bracket+-state:sent",
    "mine": "/mine?who=person+7",
}  # fmt: skip
LONG = f"customer with a long name/{'left_bracket_for_the_third_axis_' * 3}revision_C.stl"


@dataclass(frozen=True)
class Shop:
    """The submissions that have a page worth looking at."""

    held: int
    printed: int
    rejected: int
    canceled: int
    on_the_way: int


def fill_shop(site: Site) -> Shop:
    """Fill a console with parts in every state and printers of every kind; return their numbers."""
    _write_printers(site)
    rejected = _add(
        site,
        "bad/truncated.stl",
        "orders/4711/cover.stl",
        "rejected",
        "kim",
        state=S.REJECTED,
        reason="The file ends in the middle of facet 1,204 of 2,048. It was cut off while it was copied.",
    )
    canceled = _add(
        site,
        "knob.stl",
        "knob.stl",
        "rejected",
        "anna",
        state=S.CANCELED,
        reason="Canceled by anna: wrong revision.",
    )
    printed = _send(site, "gear.stl", "orders/4711/gear.stl", "Mark Two - Anvil", S.PRINTED, 2.75)
    _send(site, "flange.stl", "flange.stl", None, S.DISPATCHED, 6.0)
    _send(site, "rush/hinge.stl", "rush/hinge.stl", "Onyx Pro - Dowel", S.PRINTING, 1.5)
    _send(site, "clip.stl", "clip.stl", "Mark Two - Anvil", S.FAILED, 0.4)
    slicing = _add(
        site, "pulley.stl", "orders/4712/pulley.stl", "processing", "kim", state=S.SLICING, preset="Onyx"
    )
    held = _hold(
        site,
        "bad/open.stl",
        "rush/cover plate.stl",
        HoldReason.MESH,
        "anna",
        "The surface has a hole of 60.0 mm near x 30.0 y 20.0 z 20.0 mm. Eiger would close it itself.",
    )
    _hold(
        site,
        "tube.stl",
        LONG,
        HoldReason.RULE,
        "bartholomew.featherstonehaugh@example.com",
        "The rule “by hand” holds it: the lab has to agree first.",
    )
    _hold(site, "bracket.stl", "bracket.stl", HoldReason.RULE, "kim", "The rule “by hand” holds it.")
    _hold(
        site,
        "gasket.stl",
        "orders/4711/gasket.stl",
        HoldReason.SEND,
        "kim",
        f"Eiger shows 1 print(s) of the attached build {BUILD} that may be for this part (j-7). "
        "Submission 11 did not send them, and sends nothing now. `stlflow retry 11` prints it once more; "
        "`stlflow cancel 11` leaves it.",
    )
    _doubt(site, "metal/nozzle.stl")
    site.ledger.mass_arrival.add([f"old jobs/2019/{n:03}_housing cover rev B.stl" for n in range(130)])
    _leave_in_inbox(site)
    return Shop(held, printed, rejected, canceled, slicing)


def _add(
    site: Site, sample: str, path: str, folder: str, who: str | None, /, **changes: Unpack[SubmissionChanges]
) -> int:
    """Put a sample into the share with its report and its thumbnail; return its number."""
    ledger, settings = site.ledger, site.settings
    number = ledger.open(path)
    claimed = f"{folder}/{path}"
    place = settings.share / claimed
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SAMPLES / sample, place)
    ledger.claimed(number, claimed)
    report = inspect_mesh(place, path)
    found: SubmissionChanges = {
        "mesh": report, "sha256": hashlib.sha256(place.read_bytes()).hexdigest(),
        "size": place.stat().st_size, "dropped_by": who, "step": None, "due_at": None,
    }  # fmt: skip
    found.update(changes)
    submission = put_in_state(ledger, ledger.get(number), **found)
    ledger.record_event(submission, EventKind.INSPECTED, f"{report.triangles:,} facets")
    picture = thumbnail_path(settings.state / THUMBNAILS_FOLDER, submission)
    if report.triangles and picture is not None:
        picture.parent.mkdir(exist_ok=True)
        picture.write_bytes(draw_thumbnail(place))
    return number


def _hold(site: Site, sample: str, path: str, hold: HoldReason, who: str | None, reason: str) -> int:
    number = _add(site, sample, path, "held", who, state=S.HELD, hold=hold, reason=reason)
    site.ledger.record_event(site.ledger.get(number), EventKind.HELD, reason)
    return number


def _leave_in_inbox(site: Site) -> None:
    """Drop what is not taken: a file that was cut off, one of another kind, and a link."""
    inbox = site.settings.inbox
    (inbox / "rush").mkdir(exist_ok=True)
    (inbox / "rush" / "truncated.stl").write_bytes((SAMPLES / "bracket.stl").read_bytes()[:-1000])
    (inbox / "drawings.zip").write_bytes(b"PK")
    (inbox / f"{'left_bracket_for_the_third_axis_' * 3}.stl").symlink_to(SAMPLES / "bracket.stl")


def _doubt(site: Site, sample: str) -> None:
    """Begin a send that is never confirmed."""
    number = _add(site, sample, sample, "held", None, state=S.ROUTED, build_id=BUILD)
    site.ledger.sends.begin(site.ledger.get(number), 1, 0)
    reason = "The connection broke while it was sent to Mark Two - Anvil. It may be in its queue."
    site.ledger.record_event(
        site.ledger.get(number), EventKind.HELD, reason, state=S.HELD, hold=HoldReason.SEND, reason=reason
    )


def _send(site: Site, sample: str, path: str, device: str | None, state: S, hours: float) -> int:
    """Put a part into the state of one that was sent, with what its routing was decided on."""
    where = Destination.DEVICE_QUEUE if device else Destination.JOB_REQUEST
    number = _add(site, sample, path, "done", "kim", state=S.SLICED, build_id=BUILD, preset="Onyx")
    facts: dict[str, str | float] = {
        "path": path, "build.print_hours": hours, "build.material": "Onyx", "build.primary_cm3": 12.4,
        "build.fiber": "Carbon Fiber", "build.fiber_cm3": 3.1, "build.cost_usd": 6.8,
    }  # fmt: skip
    devices = (
        DeviceFacts(
            "d-1", "Mark Two - Anvil", "Mark Two", "Desktop Series", "Printing", "Onyx",
            queue_length=2, queue_seconds=7200.0, is_busy=True, active_seconds=3600.0,
        ),
    )  # fmt: skip
    decided = DecisionRecord(
        "routing", now(), "3f2a9c", "everything else", facts, (), devices, "d-1" if device else None
    )
    submission = site.ledger.record_decision(
        site.ledger.get(number), decided, EventKind.ROUTED, "", state=S.ROUTED,
        routing_rule="everything else", destination=where, device=device,
        device_id="d-1" if device else None,
        receipt_id="receipt",
    )  # fmt: skip
    submission = put_in_state(site.ledger, submission, state=state, ended_at=datetime.now(UTC))
    site.ledger.record_event(submission, EventKind.DISPATCHED, f"to {device or 'the job requests'}")
    return number


def _write_printers(site: Site) -> None:
    moment = now()
    desktop, industrial = "Desktop Series", "Industrial Series"
    onyx, carbon = LoadedMaterial("material", "Onyx", 612.5), LoadedMaterial("fiber", "Carbon Fiber", 48.0)
    site.ledger.printers.write([
        PrinterSnapshot(
            "d-1", "Mark Two - Anvil", "Mark Two", desktop, moment, "Printing",
            RunningPrint("j-1", "bracket", "b-1", 55.0, 3600.0), 2, 7200.0, loaded=(onyx, carbon),
        ),
        PrinterSnapshot("d-2", "Onyx Pro - Dowel", "Onyx Pro", desktop, moment, "Ready", None, 0, 0.0),
        PrinterSnapshot(
            "d-3", "X7 in the basement, behind the compressor", "X7", industrial,
            moment - timedelta(hours=2), "Print Bed Needs Clearing", None, 1, 36000.0, loaded=(onyx, carbon),
        ),
        PrinterSnapshot("d-4", "FX20", "FX20", industrial, moment, "Offline"),
        PrinterSnapshot(
            "d-5", "Mark Two - Chisel", "Mark Two", desktop, moment, "Printing",
            RunningPrint("j-5", "gripper", "b-5", 82.0, 4000.0), 0, 0.0,
        ),
    ])  # fmt: skip
    until = moment + timedelta(hours=9)
    site.ledger.outages.begin(PrinterOutage("d-5", "new nozzle comes on Monday", "anna", moment, until))


def pages_of(shop: Shop) -> dict[str, str]:
    """Return the pages of a small shop by name."""
    return {
        **PAGES,
        "held": f"/s/{shop.held}", "printed": f"/s/{shop.printed}", "rejected": f"/s/{shop.rejected}",
        "canceled": f"/s/{shop.canceled}", "slicing": f"/s/{shop.on_the_way}", "3d": f"/s/{shop.held}/3d",
        "question": f"/act?action=reject&id={shop.held}",
        "questions": f"/act?action=reject&id={shop.held}&id={shop.held + 1}&id={shop.printed}",
        "bulk": "/bulk-arrival", "week": "/printers?hours=168", "search": "/submissions?q=state:held",
        "nothing": "/submissions?q=nosuch", "mine": "/mine?who=kim", "login": "/login", "404": "/nowhere",
        "refused": "/submissions?q=since:soon",
    }  # fmt: skip
