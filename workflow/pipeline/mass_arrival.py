"""Accepting a mass arrival: who did it, and why, is in the history of each file that is let in by it."""

import hashlib
from collections.abc import Collection

from loguru import logger

from workflow.errors import format_count
from workflow.ledger import Ledger
from workflow.pipeline.decider import PERSON, Decider


def mass_arrival_digest(paths: Collection[str]) -> str:
    """Return what identifies a set of waiting paths: another set of the same size has another one."""
    return hashlib.sha256("\0".join(sorted(paths)).encode("utf-8", "replace")).hexdigest()


def accept_mass_arrival(ledger: Ledger, paths: Collection[str], decider: Decider = PERSON) -> int:
    """Accept those of the paths that wait, and return how many. Raises StateFolderError."""
    count = ledger.mass_arrival.accept(paths, f"{format_count(len(paths), 'file')} at once, {decider.by}")
    if count:
        logger.info("{} of a bulk arrival accepted {}", format_count(count, "file"), decider.by)
    return count
