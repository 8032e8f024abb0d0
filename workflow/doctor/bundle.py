"""The support bundle: one zip with what a maintainer needs, and without what is nobody's business."""

import json
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from workflow import __version__
from workflow.assembly import rules_file
from workflow.doctor.finding import Finding, overall_exit_code
from workflow.doctor.readiness import read_readiness
from workflow.doctor.scrub import BY_PEOPLE, WRITTEN, make_scrubber, without_comments
from workflow.errors import StateFolderError
from workflow.ledger import Ledger, list_workers
from workflow.model import Submission
from workflow.settings import Settings

LOG_FILE = "logs/stlflow.log"
LOG_LINES, SUBMISSIONS, EVENTS_EACH = 3000, 200, 30
README = """\
A support bundle of stlflow {release}, made {made:%Y-%m-%d %H:%M} UTC. It is for a maintainer of stlflow.

Cut out: keys, passwords and tokens (***), people (<person>, <e-mail>), what people wrote, comments in the
rules included, and names of machines, files and folders: <part 17> is the file of submission 17, <share> the
folder that this setting names, <host of proxy> the machine in that setting. Left in: all other settings,
rules, names of printers and presets, what the doctor found, counts, the latest submissions with their
history, and the end of the log. Look through it before you send it.
"""


def make_bundle(settings: Settings, ledger: Ledger | None, findings: Iterable[Finding]) -> bytes:
    """Return the zip. A database that can't be read is left out, and the doctor says why."""
    scrub = make_scrubber(settings, ledger)
    found = list(findings)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("README.txt", README.format(release=__version__, made=datetime.now(UTC)))
        for name, document in _documents(settings, ledger, found).items():
            bundle.writestr(name, json.dumps(scrub.values(document), indent=1, ensure_ascii=False))
        with suppress(OSError, UnicodeError):
            bundle.writestr("rules.yaml", scrub(without_comments(rules_file(settings).read_text("utf-8"))))
        bundle.writestr("log.txt", "\n".join(read_log_tail(settings, LOG_LINES, scrub)))
    return packed.getvalue()


def read_log_tail(settings: Settings, lines: int, scrub: Callable[[str], str]) -> list[str]:
    """Return the last lines of the log, scrubbed; none if there is no log."""
    try:
        with (settings.state / LOG_FILE).open(encoding="utf-8", errors="replace") as log:
            tail = deque(log, maxlen=lines)
    except OSError:
        return []
    return scrub("".join(tail)).splitlines()


def _documents(settings: Settings, ledger: Ledger | None, found: list[Finding]) -> dict[str, object]:
    documents: dict[str, object] = {
        "doctor.json": {"exit_code": overall_exit_code(found), "checks": [asdict(each) for each in found]},
        "settings.json": shown_settings(settings),
    }
    if ledger is not None:
        with suppress(StateFolderError):
            documents["state.json"] = {
                "release": __version__,
                "readiness": asdict(read_readiness(ledger, settings)),
                "counts": asdict(ledger.vital_counts.read()),
                "workers": [_worker(asdict(each)) for each in list_workers(ledger)],
            }
            documents["submissions.json"] = list(_submissions(ledger))
    return documents


def _worker(worker: dict[str, Any]) -> dict[str, Any]:
    return {**worker, "since": worker["since"].isoformat(), "seen_at": worker["seen_at"].isoformat()}


def _submissions(ledger: Ledger) -> Iterator[dict[str, object]]:
    """Yield the newest submissions with the end of their history; no name of a file is among it."""
    for submission in ledger.all(limit=SUBMISSIONS):
        history = ledger.events(submission.id)[-EVENTS_EACH:]
        yield {
            **_facts_of(submission),
            "history": [
                {
                    "at": each.at.isoformat(),
                    "event": each.event,
                    "detail": WRITTEN if each.event in BY_PEOPLE else each.detail,
                }
                for each in history
            ],
        }


_KEPT = (
    "id", "state", "opened_at", "size", "reason", "preset", "intake_rule", "routing_rule", "destination",
    "device", "hold", "step", "due_at", "turn", "tries", "waiting_since", "slice_status", "copies",
    "left_in_place",
)  # fmt: skip


def _facts_of(submission: Submission) -> dict[str, object]:
    kept = {name: getattr(submission, name) for name in _KEPT}
    mesh = submission.mesh
    return {
        **{name: value.isoformat() if isinstance(value, datetime) else value for name, value in kept.items()},
        "mesh": None if mesh is None else {**asdict(mesh), "path": "", "sha256": ""},
    }


def shown_settings(settings: Settings) -> dict[str, object]:
    """Return all settings as JSON values; of a key it only says that it is set."""
    given = {**settings.model_dump(), "notices": settings.notices.model_dump()}
    return {name: _shown(value) for name, value in given.items()}


def _shown(value: Any) -> object:
    match value:
        case SecretStr():
            return "(set)" if value.get_secret_value() else None
        case dict():
            return {str(name): _shown(each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_shown(each) for each in value]
        case None | bool() | int() | float():
            return value
    return str(value.absolute()) if isinstance(value, Path) else str(value)
