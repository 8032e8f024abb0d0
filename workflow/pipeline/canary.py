"""The canary: a tiny part that is dropped on a schedule and ends after its inspection.

It takes the way of every part: inbox, gate, claim, spool, inspection. If the process lives and the path is
broken, only this shows it. It is never uploaded or sent, and leaves neither file nor row.
"""

import hashlib
import re
import secrets
import struct
import threading
from collections.abc import Iterator
from itertools import product

from loguru import logger

from workflow.errors import StateFolderError, error_reason
from workflow.ledger import Superseded, draft_of
from workflow.model import HoldReason, Submission, SubmissionState
from workflow.pipeline.context import Context
from workflow.pipeline.ingest import ingest_file
from workflow.pipeline.inspect import inspect_mesh
from workflow.pipeline.transitions import held

_NAME = re.compile(r"stlflow-canary-[0-9a-f]{8}\.stl")
_PATTERN = "stlflow-canary-*.stl"
NOT_OURS = "Only stlflow's own test parts have such a name. Rename it, and drop it again."
SIDE_MM = 10.0
_FACES = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
"""Corners of each side of a box, seen from outside; a corner's number has its x, y and z as bits."""


def is_canary(path: str) -> bool:
    """True for the path of a canary: no other file gets such a name by accident."""
    return _NAME.fullmatch(path) is not None


def canary_content(nonce: str) -> bytes:
    """Return a binary STL of a closed box; the nonce makes each one another file."""
    facets = b"".join(struct.pack("<12fH", 0, 0, 0, *corners, 0) for corners in _facets())
    header = f"stlflow canary {nonce}".encode().ljust(80)
    return header + struct.pack("<I", len(facets) // 50) + facets


def _facets() -> Iterator[tuple[float, ...]]:
    corners = [tuple(SIDE_MM * bit for bit in bits) for bits in product((0, 1), repeat=3)]
    for a, b, c, d in _FACES:
        for facet in ((a, b, c), (a, c, d)):
            yield tuple(at for corner in facet for at in corners[corner])


def _sha256_of(path: str) -> str:
    nonce = path.removesuffix(".stl").rpartition("-")[2]
    return hashlib.sha256(canary_content(nonce)).hexdigest()


def fly_canaries(context: Context, stop: threading.Event) -> None:
    """Drop a canary at once and then on schedule, until told to stop."""
    while True:
        try:
            drop_canary(context)
        except (OSError, StateFolderError) as error:
            logger.debug("No canary: {}", error_reason(error))
        if stop.wait(context.canary_seconds):
            return


def drop_canary(context: Context) -> bool:
    """Drop a canary into the inbox; False if the last one is still there, or the share is away.

    The attempt is recorded before the file is written: one that can't be written never passes.
    Raises OSError, StateFolderError.
    """
    inbox = context.share.inbox
    if context.share.is_reachable() and any(inbox.glob(_PATTERN)):
        return False
    context.ledger.canary.begin()
    if not context.share.is_reachable():
        return False
    nonce = secrets.token_hex(4)
    (inbox / f"stlflow-canary-{nonce}.stl").write_bytes(canary_content(nonce))
    return True


def examine_canary(context: Context, submission: Submission) -> Submission:
    """Copy and inspect a canary like any part, then remove it. Raises Superseded once it is done.

    A person's file of such a name is held, and never removed.
    """
    draft = ingest_file(context, draft_of(submission))
    if draft.submission.sha256 not in {None, _sha256_of(submission.path)}:
        return context.ledger.write(held(draft, HoldReason.FILE, NOT_OURS))
    if draft.submission.turn == submission.turn and draft.submission.state is SubmissionState.CLAIMED:
        draft = inspect_mesh(context, draft)
    if draft.submission.turn != submission.turn:  # it is still being written: later
        return context.ledger.write(draft, durable=False)
    passed = draft.submission.state is SubmissionState.INSPECTED
    if not passed:
        logger.warning("The canary did not pass: {}", draft.submission.reason)
    if draft.submission.sha256 is not None:
        context.source(draft.submission).unlink(missing_ok=True)
    context.spool_path(submission).unlink(missing_ok=True)
    context.ledger.canary.end(submission.id, passed=passed)
    raise Superseded("the canary is done, and its row is gone")
