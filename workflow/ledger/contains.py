"""The condition that a text has a word in it, as each kind of database is quickest with it."""

from typing import Any

from sqlalchemy import Boolean
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

ESCAPE = "\\"


class Contains(FunctionElement[bool]):
    """A column's text matches a pattern; capitals do not matter."""

    type = Boolean()
    inherit_cache = True


@compiles(Contains)
def _compile_contains(element: Contains, compiler: SQLCompiler, **options: Any) -> str:
    """Return ILIKE; on SQLite LIKE does the same, and with lower() it would take twice the time."""
    column, pattern = (compiler.process(each, **options) for each in element.clauses)
    like = "LIKE" if compiler.dialect.name == "sqlite" else "ILIKE"
    return f"({column} {like} {pattern} ESCAPE '{ESCAPE}')"
