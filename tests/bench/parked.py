"""Rows that wait for slicing, as the service writes them, and their parts in the simulated cloud."""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import requests
from sqlalchemy import insert

from tests.bench.bench_throughput import AUTH, box
from tests.docs.blocks import ROOT
from workflow.intake import CLAIMS_FOLDER_PREFIX
from workflow.ledger import Ledger
from workflow.ledger.tables import decisions, events, submissions
from workflow.mesh.inspection import inspect_mesh
from workflow.model import Submission
from workflow.notes import note_path, progress_note_text, write_note
from workflow.routing import describe_fit
from workflow.routing.build_volumes import load_build_volumes

Uploaded = dict[str, str]
MESH = json.dumps(asdict(inspect_mesh(ROOT / "samples" / "bracket.stl", "bracket.stl")))
NAMES = """path folder name size_mb triangles x_mm y_mm z_mm longest_mm volume_cm3 watertight open_edges
shells cavities unit_guess unit_doubt warnings fits fits_series dropped_weekday weekday time sent_before"""
FACTS = json.dumps(dict.fromkeys(NAMES.split(), "a value"))
EVENTS = ("claimed", "taken", "inspected", "decided", "uploading", "uploaded")


def content(number: int) -> bytes:
    """Return the file of one part."""
    return box(10 + number / 1000, 20, 30)


def sha256(number: int) -> str:
    """Return the hash of one part's content."""
    return hashlib.sha256(content(number)).hexdigest()


def upload(url: str, number: int, *, strange: bool) -> Uploaded:
    """Upload one part as the service would; a `strange` cloud gives it a title that names nobody."""
    signature = "" if strange else f"~{number + 1}-{sha256(number)[:6]}"
    part = {"stlFile": (f"part{number}{signature}.stl", content(number))}
    reply: Uploaded = requests.post(f"{url}/parts/upload_stl", files=part, auth=AUTH, timeout=60).json()
    return reply


@dataclass(frozen=True)
class Parking:
    """Where parts wait, for which cloud, since when, and when each is polled next."""

    folder: Path
    url: str
    ledger_url: str
    since: float
    due_at: Callable[[int], float]

    @cached_property
    def _owner(self) -> str:
        with closing(Ledger(self.ledger_url)) as ledger:
            return ledger.metadata.ensure_name()

    def park(self, uploaded: Sequence[Uploaded]) -> None:
        """Write a row for each part, with its events and decision; its file and its note are on the share."""
        (self.folder / "share" / self._place(0)).parent.mkdir(parents=True, exist_ok=True)
        for number in range(len(uploaded)):
            (self.folder / "share" / self._place(number)).write_bytes(content(number))
        rows = [self._row(number, made) for number, made in enumerate(uploaded)]
        told = [
            {"submission": row["id"], "at": self.since, "event": event, "detail": str(row["claimed_as"])}
            for row in rows
            for event in EVENTS
        ]
        decided = {"stage": "intake", "at": self.since, "revision": "r", "rule": "all", "facts": FACTS}
        with closing(Ledger(self.ledger_url)) as ledger, ledger.write_transaction() as write:
            write.execute(insert(submissions), rows)
            write.execute(insert(events), told)
            write.execute(insert(decisions), [{"submission": row["id"], **decided} for row in rows])
        with closing(Ledger(self.ledger_url)) as ledger:
            self._write_notes(ledger.all())

    def _write_notes(self, parked: Sequence[Submission]) -> None:
        """Write the notes as the service would, to the letter: it leaves such notes alone."""
        devices = requests.get(f"{self.url}/devices", auth=AUTH, timeout=60).json()["items"]
        present, volumes = {each["device_type"] for each in devices}, load_build_volumes(Path("rules.yaml"))
        for submission in parked:
            assert submission.mesh is not None
            fit = describe_fit(submission.mesh.size_mm, volumes, present, submission.mesh.oriented_mm)
            place = note_path(self.folder / "share" / "inbox" / submission.path)
            write_note(place, progress_note_text(submission, None, fit), durable=False)

    def _place(self, number: int) -> str:
        return f"processing/{CLAIMS_FOLDER_PREFIX}{self._owner}/{number + 1}~part{number}.stl"

    def _row(self, number: int, made: Uploaded) -> dict[str, object]:
        return {
            "id": number + 1, "path": f"part{number}.stl", "state": "slicing", "opened_at": self.since,
            "claimed_as": self._place(number), "size": 684, "sha256": sha256(number), "mesh": MESH,
            "preset": "Onyx", "intake_rule": "all", "passed": "[]", "slice_status": "IN_PROGRESS",
            "step": "poll", "turn": 1, "uploaded_at": self.since, "waiting_since": self.since,
            "part_version_id": made["part_version_id"], "slice_job_id": made["slice_job_id"],
            "due_at": self.due_at(number),
        }  # fmt: skip
