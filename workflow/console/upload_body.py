"""The body of an upload: fields and files as a stream, so that memory does not grow with the file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from workflow.console.forms import Refused

LONGEST_FIELD, MOST_PARTS = 4096, 200


class FileReceiver(Protocol):
    """Takes the files of an upload, one after the other."""

    def begin(self, name: str, fields: dict[str, str]) -> None:
        """Begin a file; `fields` are those that came before it. Raises to refuse it."""

    def write(self, piece: bytes) -> None:
        """Take the next bytes of the file."""

    def end(self) -> None:
        """Take the end of the file: it is whole."""


@dataclass(slots=True)
class UploadReader:
    """The parser's callbacks."""

    receiver: FileReceiver
    fields: dict[str, str] = field(default_factory=dict)
    ended: bool = False
    _header: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _name: str = ""
    _file: str | None = None
    _text: bytearray = field(default_factory=bytearray)
    _parts: int = 0

    def begin_part(self) -> None:
        self._name, self._file, self._text = "", None, bytearray()
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise Refused(f"The form has more than {MOST_PARTS} fields and files.")

    def add_header(self, chunk: bytes, start: int, end: int) -> None:
        self._header += chunk[start:end]

    def add_value(self, chunk: bytes, start: int, end: int) -> None:
        self._value += chunk[start:end]

    def end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
            named = options.get(b"filename")
            self._file = None if named is None else named.decode("utf-8", "replace").replace("%22", '"')
        self._header, self._value = bytearray(), bytearray()

    def begin_content(self) -> None:
        if self._file:
            self.receiver.begin(self._file, self.fields)

    def add_content(self, chunk: bytes, start: int, end: int) -> None:
        if self._file:
            self.receiver.write(chunk[start:end])
        elif len(self._text) <= LONGEST_FIELD:
            self._text += chunk[start:end]

    def end_part(self) -> None:
        if self._file:
            self.receiver.end()
        elif self._file is None:
            self.fields[self._name] = self._text[:LONGEST_FIELD].decode("utf-8", "replace")

    def end_form(self) -> None:
        self.ended = True

    def callbacks(self) -> dict[str, Callable[..., None]]:
        """Return the callbacks by the names that the parser has for them."""
        return {
            "on_part_begin": self.begin_part,
            "on_header_field": self.add_header,
            "on_header_value": self.add_value,
            "on_header_end": self.end_header,
            "on_headers_finished": self.begin_content,
            "on_part_data": self.add_content,
            "on_part_end": self.end_part,
            "on_end": self.end_form,
        }


def make_parser(request: Request, reader: UploadReader) -> MultipartParser:
    """Return what is fed with the body. Raises Refused for another kind of body."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise Refused("An upload has to be a form with files: multipart/form-data.")
    callbacks: Any = reader.callbacks()
    return MultipartParser(boundary, callbacks)


BROKEN = FormParserError
