"""Sending a build once more that was sliced for the same bytes with the same settings, if that is allowed."""

from loguru import logger

from workflow.errors import NotFound
from workflow.ledger import reuse_build, sent_build
from workflow.model import State, Step, Submission
from workflow.pipeline.clock import now
from workflow.pipeline.workshop import Workshop


def reuse(shop: Workshop, submission: Submission) -> Submission:
    """Skip upload and slicing if the cloud still has the build; else the part is uploaded as usual."""
    if not shop.reuses_builds or submission.part_version_id is not None:
        return submission
    if submission.taken_as is not None:  # retried because of its units: another upload may have others
        return submission
    earlier = sent_build(shop.ledger, submission)
    if earlier is None or not _is_still_there(shop, earlier):
        return submission
    taken = reuse_build(
        shop.ledger, submission, earlier,
        state=State.SLICED, part_version_id=earlier.part_version_id, slice_job_id=earlier.slice_job_id,
        uploaded_at=earlier.uploaded_at, waiting_since=now(), reused=earlier.id, tries=0,
        step=Step.DELIVER, due_at=now(), turn=submission.turn + 1, worker=None,
    )  # fmt: skip
    submission = shop.ledger.get(submission.id)
    if not taken:
        return submission
    logger.info("Submission {}: the build of submission {} is sent once more", submission.id, earlier.id)
    shop.spool_file(submission).unlink(missing_ok=True)
    return submission


def _is_still_there(shop: Workshop, earlier: Submission) -> bool:
    """A build that a person attached may hold anything: only one with the very part counts."""
    try:
        build = shop.catalog.build(earlier.build_id or "")
    except NotFound:
        return False
    return build.sliced and any(version.id == earlier.part_version_id for version in build.part_versions)
