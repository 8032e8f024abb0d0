"""Whether a run kept the promises: told from outside, by folders, commands, and the cloud's own books.

It knows what was dropped and which orders were given, nothing of how stlflow works.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tests.cloud import DISPATCHES
from tests.crash.world import World

FOLDERS = {"dispatched": "done", "rejected": "rejected", "canceled": "rejected", "held": "held"}
ENDS = {"good": {"dispatched", "canceled"}, "bad": {"rejected", "canceled"}}
SMALL = {"held", "canceled"}


@dataclass
class Books:
    """What the cloud has, by the sha256 of the bytes that were uploaded."""

    uploads: Counter[str] = field(default_factory=Counter)
    sends: Counter[str] = field(default_factory=Counter)
    receipts: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


def audit(world: World, released: set[int]) -> list[str]:
    """Return every broken promise in words; `released` are the submissions that a person let go."""
    books, shown = _books(world), _shown(world)
    return [
        *_files(world, shown),
        *(wrong for each in shown for wrong in _one(each, books, each["id"] in released)),
        *_faults_of_ours(world),
    ]


def _books(world: World) -> Books:
    books = Books()
    seen = world.cloud.world()
    books.versions = {version["id"]: version["sha256"] for version in seen["part_versions"]}
    of_build = {build["id"]: books.versions.get(build["part_version_ids"][0], "") for build in seen["builds"]}
    for entry in world.cloud.journal():
        effect = entry["effect"]
        if not effect:
            continue
        if entry["operation"] == "uploadStl":
            books.uploads[effect["sha256"]] += 1
        elif entry["operation"] in DISPATCHES:
            content = of_build.get(str(effect["build"]), "")
            books.sends[content] += 1
            books.receipts[effect["id"]] = content
    return books


def _shown(world: World) -> list[Mapping[str, Any]]:
    shown = []
    for submission in world.submissions():
        code, said = world.command("show", str(submission["id"]), "--json")
        assert code == 0, said
        shown.append(json.loads(said))
    return shown


def _files(world: World, shown: list[Mapping[str, Any]]) -> Iterator[str]:
    """Every dropped file stands in exactly one place, whole, and that place fits its end."""
    places: dict[str, list[str]] = {}
    for found in world.share.rglob("*"):
        if found.is_file() and ".stl" in found.suffixes and found.suffix == ".stl":
            place = found.relative_to(world.share).as_posix()
            places.setdefault(sha256(found.read_bytes()).hexdigest(), []).append(place)
    ends = {submission["path"]: submission for submission in shown}
    for path, content in world.dropped.items():
        digest = sha256(content).hexdigest()
        where = places.pop(digest, [])
        if len(where) != 1:
            yield f"{path} stands in {len(where)} places: {where}"
            continue
        end = ends.get(path)
        if end is None:
            yield f"{path} stands in {where[0]} and has no submission"
        elif not where[0].startswith(f"{FOLDERS.get(end['state'], '?')}/"):
            yield f"{path} is {end['state']} and stands in {where[0]}"
    yield from (f"bytes that nobody dropped: {where}" for where in places.values())
    twice = [path for path, count in Counter(each["path"] for each in shown).items() if count > 1]
    yield from (f"{path} has several submissions" for path in twice)


def _one(submission: Mapping[str, Any], books: Books, released: bool) -> Iterator[str]:
    """Its end is one that its kind may have, and the cloud's books say the same as the ledger."""
    name, state, content = f"submission {submission['id']}", submission["state"], submission["sha256"] or ""
    kind = str(re.sub(r"\d+\.stl$", "", submission["path"].rpartition("/")[2]))
    allowed = ENDS.get(kind) or (ENDS["good"] if released else SMALL)
    if state not in allowed:
        yield f"{name} ({submission['path']}) ends as {state}: {submission['reason']}"
    told = Counter(event["event"] for event in submission["events"])
    sends, doubtful = books.sends[content], "not known" in (submission["reason"] or "")
    if state == "dispatched" and sends != 1:
        yield f"{name} ({submission['path']}) was sent {sends} times"
    elif state != "dispatched" and sends > (1 if doubtful else 0):
        yield f"{name} is {state} and was sent {sends} times"
    if state == "dispatched" and books.receipts.get(submission["receipt_id"]) != content:
        yield f"{name} has receipt {submission['receipt_id']}, which the cloud gave for something else"
    if sends > told["sending"]:
        yield f"{name}: {sends} sends in the cloud, {told['sending']} announced"
    if books.uploads[content] > told["uploading"]:
        yield f"{name}: {books.uploads[content]} uploads in the cloud, {told['uploading']} announced"
    yield from _uploads_justified(name, submission, books)


def _uploads_justified(name: str, submission: Mapping[str, Any], books: Books) -> Iterator[str]:
    for event in submission["events"]:
        version = re.match(r"part version (\S+?),", event["detail"])
        told = event["event"] == "uploaded" and version is not None
        if told and version and books.versions.get(version[1]) != submission["sha256"]:
            yield f"{name}: {event['detail']}, which is other bytes"


def _faults_of_ours(world: World) -> Iterator[str]:
    for line in world.log.read_text("utf-8", errors="replace").splitlines():
        if "A fault of stlflow" in line or line.startswith("Traceback") or "The queue failed" in line:
            yield f"in the log: {line}"
