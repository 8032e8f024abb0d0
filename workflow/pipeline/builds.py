"""From part version to build: the one step for which the cloud has no operation.

Builds are listed newest first, by title and then by time alone; one is ours only if it holds our
part version. A title or a time never decides: a wrong build is a wrong print. No clock hides a build
that bears the title; one of another title is looked for since the earliest of all clocks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from workflow.eiger import BuildDetail, BuildFilter, EigerClient, PartVersion
from workflow.errors import NotFound
from workflow.model import Hold, State, Step, Submission
from workflow.pipeline.catalog import Catalog
from workflow.pipeline.clock import now
from workflow.pipeline.outcome import hold
from workflow.pipeline.slicing import not_sliced
from workflow.pipeline.time_bounds import not_before
from workflow.pipeline.workshop import Workshop

CANDIDATES_LOOKED_INTO = 50
"""A title may repeat; reading each candidate costs a request."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several builds hold the part version, and none is the obvious one."""

    build_ids: tuple[str, ...]


def find_build(shop: Workshop, submission: Submission) -> Submission:
    """Find the build that holds our part version; without one the row waits, then is held."""
    if submission.state is State.SLICING:
        return not_sliced(shop, submission)
    if submission.build_id is not None:
        return submission
    found = search(shop.client, shop.catalog, submission)
    if isinstance(found, Ambiguous):
        if submission.state is State.HELD:
            return submission
        several = f"{len(found.build_ids)} builds in Eiger hold this part: {', '.join(found.build_ids)}."
        return hold(
            shop, submission, Hold.BUILD, f"{several} Choose with `stlflow attach {submission.id} BUILD`."
        )
    if found is None:
        return _keep_looking(shop, submission)
    back_on_track = {"state": State.SLICED, "hold": None, "reason": None, "tries": 0}
    shop.catalog.remember_build(found)
    return shop.ledger.record(
        submission, "build found", f"{found.title} ({found.id})", build_id=found.id, **back_on_track
    )


def search(client: EigerClient, catalog: Catalog, submission: Submission) -> BuildDetail | Ambiguous | None:
    """Ask the cloud for sliced builds with our part version. Raises CloudError."""
    version = client.read_part_version(submission.part_version_id or "")
    hits = _hits(client, catalog, BuildFilter(title=version.title), version.id)
    if not hits:  # it may be called anything
        since = not_before(part_made_at(client, version), submission.uploaded_at, submission.opened_at)
        hits = _hits(client, catalog, BuildFilter(created_from=since), version.id)
    return choose(hits) if hits else None


def part_made_at(client: EigerClient, version: PartVersion) -> datetime | None:
    """Return when the part was made, by the clock that stamps builds and print jobs, too; None if unsaid.

    Raises CloudError.
    """
    if version.part_id is None:
        return None
    try:
        return client.read_part(version.part_id).created_at
    except NotFound:
        return None


def choose(hits: list[BuildDetail]) -> BuildDetail | Ambiguous:
    """Prefer the only one, then the only one with a single part."""
    alone = [build for build in hits if build.part_count == 1]
    for preferred in (hits, alone):
        if len(preferred) == 1:
            return preferred[0]
    return Ambiguous(tuple(build.id for build in hits))


def _hits(
    client: EigerClient, catalog: Catalog, filters: BuildFilter, part_version_id: str
) -> list[BuildDetail]:
    candidates = _candidates(client, catalog, filters, part_version_id)
    return [build for build in candidates if build.sliced and holds(build, part_version_id)]


def _candidates(
    client: EigerClient, catalog: Catalog, filters: BuildFilter, part_version_id: str
) -> Iterator[BuildDetail]:
    newest_first = client.list_builds(filters, order="desc", page_size=CANDIDATES_LOOKED_INTO)
    for listed in islice(newest_first, CANDIDATES_LOOKED_INTO):
        if not catalog.may_hold(listed, part_version_id):
            continue
        try:
            build = client.read_build(listed.id)
        except NotFound:  # deleted between the list and the look
            continue
        catalog.remember_contents(build)
        yield build


def holds(build: BuildDetail, part_version_id: str) -> bool:
    """Tell whether a part version is in a build."""
    return any(version.id == part_version_id for version in build.part_versions)


def _keep_looking(shop: Workshop, submission: Submission) -> Submission:
    waited = (now() - (submission.waiting_since or now())).total_seconds()
    if submission.state is State.HELD:
        return submission
    if waited >= shop.patience.build_wait_seconds:
        advice = (
            f"No sliced build in Eiger holds this part after {waited:.0f} s. Make one there (it is found by "
            f"itself), or name one with `stlflow attach {submission.id} BUILD`."
        )
        return hold(shop, submission, Hold.BUILD, advice)
    due_at = now() + timedelta(seconds=shop.patience.next_look(waited))
    event = "looking for the build" if submission.tries == 0 else ""
    return shop.ledger.next_turn(submission, Step.DELIVER, due_at, event, tries=submission.tries + 1)
