"""What a page of the console is: a path, a function that reads its values, and a template.

The same values are the page's JSON under /api, and their types make its OpenAPI schema.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request

from workflow.frozen import frozen

Form = Mapping[str, Sequence[str]]
"""What a form sent: every field with its values."""


class Role(IntEnum):
    """What a visitor may do; each role may do what those before it may."""

    WALL = 0
    """Only the wall: for the address of a screen that nobody watches over."""
    VIEW = 1
    WORK = 2
    ADMIN = 3


@frozen
class Parameter:
    """One parameter of a page's query: its kind for OpenAPI, and what it does."""

    name: str
    description: str
    kind: str = "string"


@frozen
class View:
    """One page: `read` returns a dataclass, which `template` shows and /api gives as JSON.

    `title` is the entry in the navigation, if it has one; `shortcut` the letter after `g`.
    """

    path: str
    read: Callable[[Request], object]
    template: str
    title: str = ""
    shortcut: str = ""
    role: Role = Role.VIEW
    parameters: tuple[Parameter, ...] = ()
    in_api: bool = True


@frozen
class ItemResult:
    """What became of one of several items: done, or why not."""

    id: int
    done: bool
    said: str


@frozen
class Done:
    """What a change did, in words; `results` where it was asked for several items."""

    said: str
    results: tuple[ItemResult, ...] = ()


@frozen
class Change:
    """One change: a POST of a form, or of JSON under /api. `act` returns what was done, in words.

    A refusal is raised as a StlflowError, and shown. `goes_to` is the page that is shown next, unless
    the form names one in `next`.
    """

    path: str
    act: Callable[[Request, Form], str | Done]
    role: Role = Role.WORK
    goes_to: str = "/"
    fields: tuple[Parameter, ...] = ()


@frozen
class Preview:
    """A POST that changes nothing: `try_out` returns a dataclass, which `template` shows. It takes a file.

    `page` is the path of the page that has the form.
    """

    path: str
    try_out: Callable[[Request, FormData], object]
    page: str
    template: str
    max_bytes: int
    role: Role = Role.VIEW


@frozen
class Document:
    """Anything else: a picture, a file, a stream, plain text. `respond` may be async.

    `role` None is for paths that need no visitor, see security.PUBLIC. What takes a POST checks who sent it.
    """

    path: str
    respond: Callable[[Request], Any]
    role: Role | None = Role.VIEW
    methods: tuple[str, ...] = ("GET",)


Entry = View | Change | Preview | Document
