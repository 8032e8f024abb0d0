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
from tests.crash.world import World, as_sent

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
    let_go = {each["sha256"] for each in shown if each["id"] in released}  # its bytes, ordered again perhaps
    return [
        *_files(world, shown),
        *(wrong for each in shown for wrong in _one(each, books, each["sha256"] in let_go)),
        *(wrong for content in {each["sha256"] for each in shown} for wrong in _sums(content, shown, books)),
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
    shown: list[Mapping[str, Any]] = []
    for submission in world.submissions():
        code, said = world.command("show", str(submission["id"]), "--json")
        assert code == 0, said
        shown.append(as_sent(json.loads(said)))
    return shown


def _files(world: World, shown: list[Mapping[str, Any]]) -> Iterator[str]:
    """Every dropped file stands in exactly one place, whole, and that place fits its end."""
    places: dict[str, list[str]] = {}
    for found in world.share.rglob("*"):
        if found.is_file() and ".stl" in found.suffixes and found.suffix == ".stl":
            place = found.relative_to(world.share).as_posix()
            places.setdefault(sha256(found.read_bytes()).hexdigest(), []).append(place)
    ends = {each["path"]: each for each in sorted(shown, key=lambda each: int(each["id"]))}  # the latest
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
    counts = Counter(each["path"] for each in shown)
    for path, count in counts.items():
        if count != 1 + world.ordered[path]:
            yield f"{path} has {count} submissions and was ordered {world.ordered[path]} times"


def _one(submission: Mapping[str, Any], books: Books, released: bool) -> Iterator[str]:
    """Its end is one that its kind may have, and the cloud's books say the same as the ledger."""
    name, state, content = f"submission {submission['id']}", submission["state"], submission["sha256"] or ""
    kind = str(re.sub(r"\d+\.stl$", "", submission["path"].rpartition("/")[2]))
    allowed = ENDS.get(kind) or (ENDS["good"] | SMALL if released else SMALL)  # a retry asks the rules again
    if state not in allowed:
        yield f"{name} ({submission['path']}) ends as {state}: {submission['reason']}"
    if state == "dispatched" and books.receipts.get(submission["receipt_id"]) != content:
        yield f"{name} has receipt {submission['receipt_id']}, which the cloud gave for something else"
    yield from _uploads_justified(name, submission, books)


def _sums(content: str | None, shown: list[Mapping[str, Any]], books: Books) -> Iterator[str]:
    """Bytes that were ordered again belong to several submissions: each was sent once, and all announced."""
    alike = [each for each in shown if each["sha256"] == content]
    name = f"submissions {[each['id'] for each in alike]} ({alike[0]['path']})"
    told = Counter(event["event"] for each in alike for event in each["events"])
    sends, uploads = books.sends[content or ""], books.uploads[content or ""]
    sent = sum(each["state"] == "dispatched" for each in alike)
    doubtful = sum("not known" in (each["reason"] or "") for each in alike)
    if not sent <= sends <= sent + doubtful:
        yield f"{name}: {sent} are dispatched, and {sends} were sent"
    if len({each["receipt_id"] for each in alike if each["receipt_id"]}) < sent:
        yield f"{name}: {sent} are dispatched, and two have the same receipt"
    if sends > told["sending"]:
        yield f"{name}: {sends} sends in the cloud, {told['sending']} announced"
    if uploads > told["uploading"]:
        yield f"{name}: {uploads} uploads in the cloud, {told['uploading']} announced"


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
