"""Opening the database: SQLite in the state folder, or Postgres."""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

BUSY_SECONDS = 30
READING = "reading"
"""Execution option of connections that only read: they take no lock and wait for nobody."""
CONNECTIONS = 10
"""At most, of one service; the engine has about as many again, and Postgres takes 100 by default."""
NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "stlflow",
}
"""For libpq: a server that vanished without a word is noticed within seconds, not after a quarter of an hour.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""


def open_database(url: str) -> Engine:
    """Give an engine for the URL; SQLite gets write-ahead logging and writes that queue up.

    `BEGIN IMMEDIATE` takes the write lock at once, so that a transaction which reads and then
    writes waits in line instead of failing half way (https://www.sqlite.org/lang_transaction.html).
    """
    if not url.startswith("sqlite"):
        return create_engine(
            with_driver(url),
            pool_pre_ping=True,
            pool_size=CONNECTIONS // 2,
            max_overflow=CONNECTIONS - CONNECTIONS // 2,
            connect_args=NETWORK,
        )
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def with_driver(url: str) -> str:
    """Name the driver of a Postgres URL."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma foreign_keys=on")


def _begin_immediate(connection: Connection) -> None:
    if not connection.get_execution_options().get(READING):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
