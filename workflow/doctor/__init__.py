"""The checkup: what would stop the service, each as one line with one fix. Nothing is changed by it."""

from workflow.doctor.checkup import Check, examined, observed
from workflow.doctor.examine import every_check, examine
from workflow.doctor.finding import Finding, Grade, fail, ok, outcome, skip, warn

__all__ = [
    "Check",
    "Finding",
    "Grade",
    "every_check",
    "examine",
    "examined",
    "fail",
    "observed",
    "ok",
    "outcome",
    "skip",
    "warn",
]
