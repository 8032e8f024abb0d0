"""The one error tree.

    StlflowError
    ├── SettingsError          the settings or the command line are wrong          (exit 2)
    ├── RulesError             the rules file is wrong; carries every mistake      (exit 2)
    ├── StateFolderError       the state folder can't be used                      (exit 2)
    │   └── DatabaseUnavailable the database can't be reached just now              (exit 3)
    ├── ShareError             the share can't be used                             (exit 2)
    ├── UnknownSubmission      no submission has that number                       (exit 2)
    ├── WriteRefused           a client that only reads was asked to write
    ├── WrongSubmissionState   the submission is not in a state that allows it     (exit 1)
    ├── StillChanging          a claimed file is still being written: wait
    ├── NotAPlainFile          a link, a folder, a pipe or a device where a file should be
    ├── InspectionFailed       a mesh can't be inspected within the limits         (exit 1)
    └── CloudError             one call to the cloud went wrong              (exit 3, or 1)
        ├── Unauthorized       401: the keys are refused
        ├── BadRequest         400 and other 4xx: the cloud refuses what was sent        (1)
        ├── NotFound           404, or 500 where the contract maps it so                 (1)
        ├── Conflict           409: the device is not ready                              (1)
        ├── RateLimited        429: slow down
        ├── ServerError        5xx
        ├── Unreachable        nothing was sent: no connection
        ├── OutcomeUnknown     sent, but no response came: the effect may or may not exist
        └── ContractBroken     a response that the contract does not allow

Messages are for machinists: the number first, then what to do. None may hold a secret.
"""

from collections.abc import Callable
from typing import TypeVar

from workflow.frozen import frozen

T = TypeVar("T")

EXIT_OK = 0
EXIT_SOME_FAILED = 1
EXIT_USAGE = 2
EXIT_CLOUD = 3
EXIT_INTERRUPTED = 130


def catch_faults(
    work: Callable[[], T], on_fault: Callable[[Exception], T], *, but: tuple[type[Exception], ...] = ()
) -> T:
    """Return what `work` returns; if it raises anything but `but`, return what `on_fault` returns.

    The one place of the service that catches every exception, for the edges of its threads, steps, rules and
    checks: a fault of stlflow costs one file or one round, and all others go on.
    """
    try:
        return work()
    except but:
        raise
    except Exception as fault:  # noqa: BLE001  # all edges lead here
        return on_fault(fault)


def error_reason(error: Exception) -> str:
    """Return what an error says, without a full stop; for an OSError: "No space left on device"."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return text.rstrip(".")


def format_count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: "1 facet", "1,200 facets"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


class StlflowError(Exception):
    """Anything that stlflow itself raises on purpose. `field` names the value that is wrong, in a form."""

    exit_code = EXIT_USAGE

    def __init__(self, *words: object, field: str = "") -> None:
        super().__init__(*words)
        self.field = field


class SettingsError(StlflowError):
    """The settings or the command line are wrong."""


MAX_LINE_SHOWN, MAX_LINE_BEFORE = 200, 60
"""Characters of a line with a mistake, and those of them before its place."""
MAX_MISTAKES_SHOWN = 50


@frozen
class Mistake:
    """One mistake in a rules file: where it is (1-based), what is wrong, what may have been meant."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    source_line: str = ""

    def __str__(self) -> str:
        """Return `file:line:column: message`, then the line with a caret under the place."""
        text = f"{self.file}:{self.line}:{self.column}: {self.message}"
        if self.source_line:
            gutter, (before, after) = f"{self.line:>5} | ", self._shown_line()
            text += f"\n{gutter}{before}{after}\n{' ' * (len(gutter) + len(before))}^ {self.hint}"
            return text.rstrip()
        return f"{text} ({self.hint})" if self.hint else text

    def _shown_line(self) -> tuple[str, str]:
        """Return the line before the place and from there on; rules written by a program may be one line."""
        place = self.column - 1
        begin = max(place - MAX_LINE_BEFORE, 0) if len(self.source_line) > MAX_LINE_SHOWN else 0
        end = begin + MAX_LINE_SHOWN
        before = ("…" if begin else "") + self.source_line[begin:place]
        return before, self.source_line[place:end] + ("…" if end < len(self.source_line) else "")


class RulesError(StlflowError):
    """The rules file is wrong; all mistakes of one reading are in `mistakes`."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        shown, more = mistakes[:MAX_MISTAKES_SHOWN], len(mistakes) - MAX_MISTAKES_SHOWN
        rest = [f"And {format_count(more, 'more mistake')}: correct these first."] if more > 0 else []
        super().__init__("\n".join([*map(str, shown), *rest]))
        self.mistakes = mistakes


class StateFolderError(StlflowError):
    """The state folder can't be used: locked by another stlflow, on a share, or not writable."""


class DatabaseUnavailable(StateFolderError):
    """The database is on another machine and can't be reached now: a later start may work."""

    exit_code = EXIT_CLOUD


class ShareError(StlflowError):
    """The share can't be used: missing, not writable, or spread over file systems."""


class WriteRefused(StlflowError):
    """A client that only reads was asked for an operation that changes something: nothing was sent."""


class UnknownSubmission(StlflowError):
    """No submission has that number."""


class WrongSubmissionState(StlflowError):
    """The submission is not in a state that allows what was asked."""

    exit_code = EXIT_SOME_FAILED


class StillChanging(StlflowError):
    """A claimed file is still being written; it has to wait."""


class NotAPlainFile(StlflowError):
    """A link, folder, pipe or device is where a file should be; it is never opened."""


class InspectionFailed(StlflowError):
    """A mesh can't be inspected within the limits of time and memory, or the inspection failed."""

    exit_code = EXIT_SOME_FAILED


class CloudError(StlflowError):
    """One call to the cloud went wrong.

    `operation` is the contract's operationId, `status` the HTTP status (None when no response came),
    `reference_id` the value of X-Reference-ID for the vendor's support, `can_retry` whether a
    retry may help, `retry_after_seconds` what the service asked for.
    """

    exit_code = EXIT_CLOUD
    can_retry = False

    def __init__(
        self,
        message: str,
        *,
        operation: str,
        status: int | None = None,
        reference_id: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.status = status
        self.reference_id = reference_id
        self.retry_after_seconds = retry_after_seconds


class Unauthorized(CloudError):
    """401: the cloud refuses the keys."""


class BadRequest(CloudError):
    """400 or another 4xx: the cloud refuses what was sent."""

    exit_code = EXIT_SOME_FAILED


class NotFound(CloudError):
    """The cloud does not know the id."""

    exit_code = EXIT_SOME_FAILED


class Conflict(CloudError):
    """409: the device is not ready."""

    exit_code = EXIT_SOME_FAILED


class RateLimited(CloudError):
    """429: too many requests."""

    can_retry = True


class ServerError(CloudError):
    """5xx: the cloud has a fault of its own."""

    can_retry = True


class Unreachable(CloudError):
    """No connection: nothing was sent."""

    can_retry = True


class OutcomeUnknown(CloudError):
    """The request was sent and no whole response came: its effect may or may not exist.

    `timed_out` separates a missing response from a connection that was cut.
    """

    can_retry = True
    timed_out = False


class ContractBroken(CloudError):
    """A response that the contract does not allow: not JSON, or required fields missing."""

    can_retry = True
