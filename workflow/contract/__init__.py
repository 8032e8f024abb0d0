"""The published contract of Eiger's API v3 as data: 28 operations, 58 schemas, 46 query parameters."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def contract() -> dict[str, Any]:
    """Return the OpenAPI 3.0.1 document: one object for all callers, not to be changed."""
    text = files(__package__).joinpath("eiger-v3.openapi.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
