"""The checkup: what would stop the service, one line and one fix each. It changes nothing."""

from workflow.doctor.checks import all_checks, run_all_checks
from workflow.doctor.finding import (
    Check,
    Finding,
    Grade,
    fail,
    ok,
    overall_exit_code,
    run_check,
    run_checks,
    skip,
    warn,
)
from workflow.doctor.status import ServiceStatus, read_status

__all__ = [
    "Check",
    "Finding",
    "Grade",
    "ServiceStatus",
    "all_checks",
    "fail",
    "ok",
    "overall_exit_code",
    "read_status",
    "run_all_checks",
    "run_check",
    "run_checks",
    "skip",
    "warn",
]
