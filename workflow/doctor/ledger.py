"""Checks of the database (it opens, is intact and of this release) and of its workers."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from workflow import __version__
from workflow.assembly import is_worker_alive, ledger_exists, moved_ledger_error
from workflow.doctor.finding import Check, Finding, checks_of, fail, ok, warn
from workflow.errors import EXIT_CLOUD, EXIT_SOME_FAILED, EXIT_USAGE, DatabaseUnavailable, StateFolderError
from workflow.intake import file_system_type
from workflow.ledger import CLOCK, Ledger, list_workers
from workflow.ledger.integrity import IntegrityReport, check_integrity, check_writable
from workflow.settings import Settings
from workflow.state_folder import network_file_system

NO_WORKER = "No worker is running: nothing is taken from the inbox, and nothing is sent."
START_WORKER = "Start it: `stlflow run`, or `systemctl start stlflow` where it is a service."
_MOVE_DATABASE_FIX = (
    "Set STLFLOW_DATABASE_URL to a file on a disk of this machine, or to a postgresql:// address."
)


class LedgerAccess:
    """The ledger for one checkup: its condition is read once, and opening it changes nothing."""

    def __init__(self, settings: Settings, *, page_by_page: bool = True) -> None:
        self.settings = settings
        self._page_by_page = page_by_page
        self._asked = False
        self._condition: IntegrityReport | None = None

    @property
    def is_begun(self) -> bool:
        """True if there is one."""
        return ledger_exists(self.settings)

    def condition(self) -> IntegrityReport:
        """Return its condition; after a timeout, later calls fail at once. Raises StateFolderError."""
        if self._condition is None:
            if self._asked:
                raise StateFolderError("The database did not reply.")
            self._asked = True
            self._condition = check_integrity(self.settings.database, page_by_page=self._page_by_page)
        return self._condition

    @property
    def can_be_read(self) -> bool:
        """True if it is as this release reads it; one that is not begun, or empty, holds nothing yet."""
        try:
            return not self.is_begun or self.condition().empty or self.condition().complete
        except StateFolderError:
            return False

    @contextmanager
    def opened(self) -> Iterator[Ledger | None]:
        """Return the ledger; None where there is nothing in it yet, or it can't be read."""
        if not self.is_begun or not self.can_be_read or self.condition().empty:
            yield None
            return
        with closing(Ledger(self.settings.database, as_it_is=True)) as ledger:
            yield ledger


def check_ledger_opens(book: LedgerAccess) -> Iterator[Finding]:
    """Check the ledger as it is: nothing is made, and no table is changed."""
    settings = book.settings
    if (moved := moved_ledger_error(settings)) is not None:
        yield fail(str(moved), "Set STLFLOW_DATABASE_URL again, as it was for `move-ledger`.", EXIT_USAGE)
        return
    if not book.is_begun:
        yield ok("There is no database yet: it is made at the first start.")
        return
    where = database_location(settings)
    if (kind := _network_share_kind(settings)) is not None:
        yield fail(
            f"{where} is on a network share ({kind}): a database there gets corrupted.",
            _MOVE_DATABASE_FIX,
            EXIT_USAGE,
        )
    try:
        condition = book.condition()
        finding = _judge_condition(condition, where, settings)
        if condition.complete:
            check_writable(settings.database)
    except DatabaseUnavailable as error:
        yield fail(
            f"{where}: {error}",
            "Check that the database server runs and can be reached.",
            EXIT_CLOUD,
        )
    except StateFolderError as error:
        yield fail(f"{where}: {error}", _suggested_fix(str(error), settings))
    else:
        yield finding


def _judge_condition(condition: IntegrityReport, where: str, settings: Settings) -> Finding:
    """Decide what a ledger in that condition means."""
    if condition.damage is not None:
        return fail(f"{where} is damaged: {condition.damage}.", _suggested_fix("damaged", settings))
    if condition.strange:
        return fail(f"{where} is not a database of stlflow.", "Set STLFLOW_DATABASE_URL to its own database.")
    if condition.empty:
        return ok(f"{where} is empty: its tables are made at the first start.")
    if condition.lacks:
        lacks = ", ".join(condition.lacks[:3])
        return warn(
            f"{where} is from an older release: it lacks {lacks}.",
            "The next start updates it. Run the doctor again after that.",
        )
    newer = " A newer stlflow has used it, too." if condition.newer else ""
    return ok(f"{where} opens and is of this release.{newer}")


def check_workers(book: LedgerAccess) -> Iterator[Finding]:
    """Find out which workers run, whether all are of one release, and which sent no heartbeat."""
    with book.opened() as ledger:
        present = list_workers(ledger) if ledger is not None else ()
    now = CLOCK.seconds()
    silent = [each for each in present if not is_worker_alive(each, book.settings, now)]
    for each in silent:
        yield warn(
            f"{each.name} (process {each.pid}) sent no heartbeat for {now - each.seen_at.timestamp():.0f} s.",
            "Restart it. Another worker takes over its work.",
        )
    for each in (each for each in present if each not in silent and each.release != __version__):
        yield warn(
            f"{each.name} runs release {each.release}, and {__version__} is installed here.",
            "Restart the older one with the same release when convenient.",
        )
    if not book.is_begun:
        yield ok("No worker has run yet: `stlflow run` starts one.")
    elif len(silent) == len(present):
        yield warn(NO_WORKER, START_WORKER)
    elif not silent:
        names = ", ".join(f"{each.name} (process {each.pid})" for each in present)
        yield ok(f"{len(present)} running: {names}.")


def check_unused_tables(book: LedgerAccess) -> Iterator[Finding]:
    """Report tables that an older release left, with the commands that drop them."""
    drop = book.condition().drop_unused if book.is_begun else ()
    if drop:
        yield warn(
            "DBOS, the engine of an older release, left its tables behind. They are no longer used.",
            f"Once no older stlflow uses this database, drop them: {' '.join(drop)}",
        )
    else:
        yield ok("No tables of an older engine are left.")


def check_queue(book: LedgerAccess) -> Iterator[Finding]:
    """Find out whether the tables of the shared queue are those of the procrastinate that is installed."""
    mismatch = book.condition().queue if book.is_begun else None
    if mismatch is not None:
        yield warn(
            mismatch, "Start stlflow: it brings older tables up to date. For newer ones, upgrade stlflow."
        )
    else:
        yield ok("The queue's tables are as this release needs them.")


def database_location(settings: Settings) -> str:
    """Name the database without user and password."""
    try:
        url = make_url(settings.database)
    except (ArgumentError, ValueError):
        return "The database in STLFLOW_DATABASE_URL"
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return f"The database {url.database} at {url.host or 'this machine'}"


def _network_share_kind(settings: Settings) -> str | None:
    """Name the network file system that a database file of one's own lies on."""
    prefix = "sqlite:///"
    if settings.database_url is None or not settings.database.startswith(prefix):
        return None
    file = Path(settings.database.removeprefix(prefix)).absolute()
    return network_file_system(file) if file_system_type(file) else None


def _suggested_fix(trouble: str, settings: Settings) -> str:
    if "locked" in trouble:
        return "Close the program that has it open for writing: a database browser, a backup, a hung stlflow."
    if "readonly" in trouble:
        return "Give the service's user the right to write that file and its folder."
    if settings.database_url is None:
        return "Stop stlflow, and put the state folder's stlflow.db back from a backup, or move it away."
    return "Is STLFLOW_DATABASE_URL right: user, password, database?"


def ledger_checks(book: LedgerAccess) -> tuple[Check, ...]:
    """Return the checks of the ledger; the first is the gate to its contents."""
    return (
        Check(
            "ledger",
            "the database: reachable, intact, writable, of which release",
            lambda: check_ledger_opens(book),
            gate=True,
            silent_code=EXIT_CLOUD if book.settings.database_url else EXIT_SOME_FAILED,
        ),
        *checks_of(
            book,
            ("ledger.unused", "tables that an older engine left", check_unused_tables),
            ("ledger.queue", "the tables of the queue that machines share", check_queue),
            ("ledger.workers", "which workers run; other releases, missing heartbeats", check_workers),
        ),
    )
