"""Log lines about one submission, with its number, path and state as fields of a JSON log."""

from typing import Any

from loguru import logger

from workflow.model import Submission, SubmissionState


def log_of(submission: Submission, state: SubmissionState | None = None, reason: str = "") -> Any:
    """Return the logger for a line about a submission; `state` is the new one, if it changes."""
    fields = {"submission": submission.id, "path": submission.path, "state": str(state or submission.state)}
    return logger.bind(**fields, **({"reason": reason} if reason else {}))
