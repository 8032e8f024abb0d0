"""What all stores of the ledger have in common: connections, and submissions as values."""

from collections.abc import Mapping
from typing import Any

from workflow.ledger.connections import Connections
from workflow.ledger.rows import submission_from
from workflow.ledger.statements import PreparedStatement
from workflow.model import Submission

NO_VALUES: Mapping[str, object] = {}


class Store:
    """Some tables of one ledger. Each method raises StateFolderError when the database refuses."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.write_transaction = connections.write_transaction
        self.read_connection = connections.read_connection

    def select_submissions(
        self, query: Any, values: Mapping[str, object] = NO_VALUES
    ) -> tuple[Submission, ...]:
        """Return the submissions that a query over their table finds; `values` are for its parameters."""
        with self.read_connection() as connection:
            rows = connection.execute(query, values).mappings()
            return tuple(submission_from(row) for row in rows)

    def find_submissions(self, statement: PreparedStatement, **values: object) -> tuple[Submission, ...]:
        """Return the submissions that a prepared statement finds with these values."""
        with self.read_connection() as connection:
            return tuple(map(submission_from, statement.execute(connection, **values).mappings().all()))

    def exists(self, query: Any) -> bool:
        """True if a query finds anything."""
        with self.read_connection() as connection:
            return connection.execute(query).first() is not None
