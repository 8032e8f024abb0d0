"""The shared queue's connections, and the queue for procrastinate's own commands.

    procrastinate --app workflow.pipeline.queue_app.app shell

They read the same settings as stlflow. That app knows no task: `stlflow run` alone runs steps.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

import procrastinate
import psycopg
from loguru import logger
from procrastinate import exceptions
from psycopg.abc import PQGen

from workflow.errors import SettingsError
from workflow.ledger import IDLE_IN_TRANSACTION, QUEUE_SCHEMA
from workflow.settings import load_settings

T = TypeVar("T")
RETRY_SECONDS = 1.0
SILENT_SECONDS = 15.0
"""So long the queue may be without a connection and say nothing: of most outages the ledger tells at once."""
WAKE_UP_SECONDS = 30.0
CONNECT_SECONDS = 5


class PatientConnection(psycopg.AsyncConnection[Any]):
    """A connection that sleeps until the server says something.

    psycopg wakes up ten times a second while it waits, so that Ctrl-C is heard. Signals never reach the
    thread that the queue runs on.
    """

    async def wait(self, gen: PQGen[T], interval: float = WAKE_UP_SECONDS, timeout: float | None = None) -> T:
        """Return what a conversation with the server yields. Raises psycopg.Error."""
        return await super().wait(gen, interval, timeout)


class PatientConnector(procrastinate.PsycopgConnector):
    """Asks again while the database is away, so that an outage ends no worker."""

    gives_up = False
    _is_told = False

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        """Run a query."""
        await self._patiently(super().execute_query_async, query, arguments)

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        """Return one row."""
        return await self._patiently(super().execute_query_one_async, query, arguments)

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        """Return all rows."""
        return await self._patiently(super().execute_query_all_async, query, arguments)

    async def listen_notify(self, on_notification: Any, channels: Iterable[str]) -> None:
        """Listen for jobs, again after each loss of the connection."""
        while True:
            try:
                await super().listen_notify(on_notification, channels)
            except exceptions.ConnectorException:
                await asyncio.sleep(RETRY_SECONDS)

    async def _patiently(
        self, ask: Callable[..., Awaitable[T]], query: Any, arguments: Mapping[str, Any]
    ) -> T:
        began = time.monotonic()
        while True:
            try:
                answer = await ask(query, **arguments)
            except exceptions.ConnectorException as error:
                if self.gives_up or not isinstance(error.__cause__, psycopg.OperationalError):
                    raise
                if time.monotonic() - began >= SILENT_SECONDS:
                    self._tell_once(str(error.__cause__).partition("\n")[0].rstrip("."))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._is_told = False
                return answer

    def _tell_once(self, why: str) -> None:
        if not self._is_told:
            logger.error("The queue gets no connection to the database: {}. It waits.", why)
        self._is_told = True


def make_connector(url: str) -> PatientConnector:
    """Return connections to the queue's schema of a database."""
    limit = f"-cidle_in_transaction_session_timeout={IDLE_IN_TRANSACTION}"
    settings = {"options": f"-csearch_path={QUEUE_SCHEMA} {limit}", "connect_timeout": CONNECT_SECONDS}
    return PatientConnector(
        conninfo=url.replace("+psycopg", "", 1), min_size=1, max_size=4, timeout=CONNECT_SECONDS,
        kwargs={**settings, "application_name": "stlflow queue"}, connection_class=PatientConnection,
    )  # fmt: skip


def __getattr__(name: str) -> procrastinate.App:
    """Return `app`, the queue in the database of the settings. Raises SettingsError where none is shared."""
    if name != "app":
        raise AttributeError(name)
    settings = load_settings()
    if settings.database.startswith("sqlite"):
        raise SettingsError("There is no shared queue: STLFLOW_DATABASE_URL names no postgresql:// address.")
    return procrastinate.App(connector=make_connector(settings.database))
