"""The note of a submission as a file: what the ledger knows, and what Eiger has said before."""

from pathlib import Path

from loguru import logger

from workflow.errors import error_reason
from workflow.model import Submission
from workflow.notes import Answer, make_answer, note_path, submission_note_text, write_note
from workflow.pipeline.context import Context
from workflow.routing import describe_fit

MAX_NOTE_ATTEMPTS = 12
"""Over about three quarters of an hour; then the file stands where it belongs without one."""


def write_submission_note(context: Context, submission: Submission, stl: Path) -> None:
    """Write the note beside a file. Raises OSError while a full or faulty share has chances left."""
    try:
        write_note(
            note_path(stl),
            submission_note_text(
                submission,
                context.ledger.events(submission.id),
                context.zone,
                describe_printers(context, submission),
                find_answer(context, submission),
                context.ways,
                context.ledger.prints.read([submission]).get(submission.id, ()),
            ),
        )
    except OSError as error:
        if submission.tries < MAX_NOTE_ATTEMPTS:
            raise
        logger.warning("No note beside {}: {}", stl.name, error_reason(error))


def find_answer(context: Context, submission: Submission) -> Answer | None:
    """Return what printing the part takes, as of its routing decision; None before that."""
    if submission.build_id is None:
        return None
    decided = context.ledger.decisions.read(submission.id).get("routing")
    if decided is None:
        return None
    shop = (context.prices, context.changeover_seconds, context.eiger_link)
    return make_answer(submission, decided, *shop)


def describe_printers(context: Context, submission: Submission) -> str:
    """Return which printers the part fits: of the shop's, if Eiger has named them already."""
    mesh = submission.mesh
    if mesh is None:
        return ""
    present = {device.device_type for device in context.catalog.known_devices()}
    return describe_fit(mesh.size_mm, context.rulebook.volumes, present or None, mesh.oriented_mm)
