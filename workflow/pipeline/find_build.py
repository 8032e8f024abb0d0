"""From part version to build: the one step for which Eiger has no operation.

Builds are listed newest first, by title and then by time alone. One is ours only if it holds our part
version: a title or a time never decides, because a wrong build is a wrong print.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from workflow.eiger import BuildDetail, BuildFilter, EigerClient, PartVersion
from workflow.errors import NotFound
from workflow.frozen import frozen
from workflow.ledger import Draft
from workflow.model import EventKind, HoldReason, Step, Submission, SubmissionState
from workflow.pipeline.build_search import holds_part_version, search_builds_by
from workflow.pipeline.cloud_cache import CloudCache
from workflow.pipeline.context import Context, now
from workflow.pipeline.slice_poll import check_slicing
from workflow.pipeline.time_bounds import not_before
from workflow.pipeline.transitions import held
from workflow.pipeline.upload import is_build_there

MAX_CANDIDATES = 50  # a title may repeat, and reading each candidate costs a request


@frozen
class AmbiguousBuilds:
    """Several builds hold the part version, and none is the obvious one."""

    build_ids: tuple[str, ...]


def find_build(context: Context, draft: Draft) -> Draft:
    """Find the build that holds our part version; without one the row waits, then is held."""
    if draft.submission.state is SubmissionState.SLICING:
        draft = check_slicing(context, draft)
        if draft.submission.state is not SubmissionState.SLICED:
            return draft
    submission = draft.submission
    if submission.build_id is not None:
        return _hold_if_deleted(context, draft)
    found = search_builds(context.client, context.catalog, submission)
    if isinstance(found, AmbiguousBuilds):
        if submission.state is SubmissionState.HELD:
            return draft
        several = f"{len(found.build_ids)} builds in Eiger hold this part: {', '.join(found.build_ids)}."
        advice = f"Choose with `stlflow attach {submission.id} BUILD`."
        return held(draft, HoldReason.BUILD, f"{several} {advice}")
    if found is None:
        return _wait_for_build(context, draft)
    context.catalog.cache_build(found)
    return draft.record(
        EventKind.BUILD_FOUND,
        f"{found.title} ({found.id})",
        state=SubmissionState.SLICED,
        build_id=found.id,
        hold=None,
        reason=None,
        tries=0,
    )


def search_builds(
    client: EigerClient, catalog: CloudCache, submission: Submission
) -> BuildDetail | AmbiguousBuilds | None:
    """Ask the cloud for sliced builds with our part version. Raises CloudError."""
    version = client.read_part_version(submission.part_version_id or "")
    hits = _hits(client, catalog, BuildFilter(title=version.title), version.id)
    if not hits:  # it may be called anything
        since = not_before(part_made_at(client, version), submission.uploaded_at, submission.opened_at)
        hits = _hits(client, catalog, BuildFilter(created_from=since), version.id)
    if hits:
        catalog.cache_version(version)
    return choose_build(hits) if hits else None


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


def choose_build(hits: list[BuildDetail]) -> BuildDetail | AmbiguousBuilds:
    """Prefer the only one, then the only one with a single part."""
    for preferred in (hits, [build for build in hits if build.part_count == 1]):
        if len(preferred) == 1:
            return preferred[0]
    return AmbiguousBuilds(tuple(build.id for build in hits))


def _hits(
    client: EigerClient, catalog: CloudCache, filters: BuildFilter, part_version_id: str
) -> list[BuildDetail]:
    hits = []
    for build in search_builds_by(
        client,
        filters,
        MAX_CANDIDATES,
        is_worth_reading=lambda listed: catalog.may_contain(listed, part_version_id),
    ):
        catalog.cache_contents(build)
        if build.sliced and holds_part_version(build, part_version_id):
            hits.append(build)
    return hits


def _build_of_other_version(client: EigerClient, submission: Submission) -> str | None:
    """Return a sentence on the newest build of our title that holds another version of the part.

    Raises CloudError.
    """
    ours = client.read_part_version(submission.part_version_id or "")
    return other_version_text(search_builds_by(client, BuildFilter(title=ours.title), MAX_CANDIDATES), ours)


def other_version_text(builds: Iterable[BuildDetail], ours: PartVersion) -> str | None:
    """Return a sentence on the first build that holds another version of the part; None without one."""
    if ours.part_id is None:
        return None
    for build in builds:
        for version in build.part_versions:
            if version.part_id == ours.part_id and version.id != ours.id:
                return (
                    f"Build {build.title} ({build.id}) holds version {_number(version)} of the part; "
                    f"this file is version {_number(ours)}."
                )
    return None


def _number(version: PartVersion) -> str:
    return "unknown" if version.version_number is None else f"{version.version_number:g}"


def _wait_for_build(context: Context, draft: Draft) -> Draft:
    submission = draft.submission
    waited = (now() - (submission.waiting_since or now())).total_seconds()
    if submission.state is SubmissionState.HELD:
        return draft
    if waited >= context.retry_schedule.build_wait_seconds:
        older = _build_of_other_version(context.client, submission)
        seen = f" {older}" if older else ""
        advice = (
            f"No sliced build in Eiger holds this part after {waited:.0f} s.{seen} Make one there (it is "
            f"found by itself), or name one with `stlflow attach {submission.id} BUILD`."
        )
        return held(draft, HoldReason.BUILD, advice)
    due_at = now() + timedelta(seconds=context.retry_schedule.build_search_delay(waited))
    noted = draft.record(EventKind.LOOKING_FOR_BUILD) if submission.tries == 0 else draft
    return noted.end_turn(Step.DELIVER, due_at, tries=submission.tries + 1)


def _hold_if_deleted(context: Context, draft: Draft) -> Draft:
    """Return the draft held if it is an order, and Eiger no longer has its build."""
    submission = draft.submission
    if submission.reused is None or submission.state is not SubmissionState.SLICED:
        return draft
    if is_build_there(context, submission):
        return draft
    reason = (
        f"Eiger no longer has the build of submission {submission.reused}. "
        "To have the part sliced again, drop the file itself into the inbox."
    )
    return held(draft, HoldReason.FILE, reason)
