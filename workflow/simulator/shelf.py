"""Rows in the order they came, found by id or by an indexed field at once."""

from collections.abc import Iterator, Mapping
from typing import Generic, Protocol, TypeVar


class Identified(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Identified)


class Shelf(Generic[Row]):
    """Keeps rows by id. Indexed fields never change once a row stands here."""

    def __init__(self, *indexed: str) -> None:
        self._rows: dict[str, Row] = {}
        self._index: dict[str, dict[object, dict[str, None]]] = {field: {} for field in indexed}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __reversed__(self) -> Iterator[Row]:
        return reversed(self._rows.values())

    def put(self, row: Row) -> Row:
        """Add a row at the end, or replace the one with its id where it stands."""
        self._rows[row.id] = row
        for field, by_value in self._index.items():
            by_value.setdefault(getattr(row, field), {})[row.id] = None
        return row

    def get(self, row_id: str) -> Row | None:
        """Give the row, or None."""
        return self._rows.get(row_id)

    def remove(self, row_id: str) -> None:
        """Take a row away."""
        row = self._rows.pop(row_id)
        for field, by_value in self._index.items():
            del by_value[getattr(row, field)][row_id]

    def __getitem__(self, row_id: str) -> Row:
        return self._rows[row_id]

    def narrowed(self, wanted: Mapping[str, object]) -> "Shelf[Row]":
        """Give a shelf with just the rows that have one of the wanted values, if its field is indexed."""
        for field, value in wanted.items():
            if field in self._index:
                few: Shelf[Row] = Shelf()
                few._rows = {row_id: self._rows[row_id] for row_id in self._index[field].get(value, ())}
                return few
        return self
