"""Multipart uploads, streamed to disk as they come: memory does not grow with the file."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from workflow.simulator.schema import Unfit
from workflow.simulator.things import StoredFile

FILE_FIELD = "stlFile"
FIELD_BYTES = 1024
FIELDS = 50


@dataclass(slots=True)
class _Part:
    """The multipart part that is being read."""

    header_name: bytearray = field(default_factory=bytearray)
    header_value: bytearray = field(default_factory=bytearray)
    name: str = ""
    file_name: str | None = None
    text: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class Form:
    """An upload that has been read: text fields by name, and the file if there was one."""

    fields: Mapping[str, str]
    file: StoredFile | None


class _FormReader:
    """Takes the parser's callbacks; writes the one file to `target`. Raises Unfit out of them."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._file: BinaryIO | None = None
        self._part = _Part()
        self._sha256 = hashlib.sha256()
        self._size = 0
        self._file_name = ""
        self.fields: dict[str, str] = {}
        self.ended = False

    def begin_part(self) -> None:
        self._part = _Part()
        if len(self.fields) >= FIELDS:
            raise Unfit(f"More than {FIELDS} fields.")

    def take_header_name(self, chunk: bytes, start: int, end: int) -> None:
        self._part.header_name += chunk[start:end]

    def take_header_value(self, chunk: bytes, start: int, end: int) -> None:
        self._part.header_value += chunk[start:end]

    def end_header(self) -> None:
        if self._part.header_name.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._part.header_value))
            self._part.name = _text(options.get(b"name", b""))
            named = options.get(b"filename")
            self._part.file_name = None if named is None else _text(named)
        self._part.header_name, self._part.header_value = bytearray(), bytearray()

    def begin_content(self) -> None:
        if self._is_the_file():
            if self._file is not None:
                raise Unfit(f"{FILE_FIELD} is given twice.")
            self._file_name = self._part.file_name or ""
            self._file = self._target.open("wb")

    def take_content(self, chunk: bytes, start: int, end: int) -> None:
        piece = memoryview(chunk)[start:end]
        if self._is_the_file() and self._file is not None:
            self._file.write(piece)
            self._sha256.update(piece)
            self._size += len(piece)
        elif self._part.file_name is None:
            self._part.text += piece
            if len(self._part.text) > FIELD_BYTES:
                raise Unfit(f"{self._part.name} has more than {FIELD_BYTES} bytes.")

    def end_part(self) -> None:
        if self._part.file_name is None:
            self.fields[self._part.name] = _text(bytes(self._part.text))

    def end(self) -> None:
        self.ended = True

    def close(self) -> StoredFile | None:
        """Close the file and give what was stored."""
        if self._file is None:
            return None
        self._file.close()
        return StoredFile(self._target, self._file_name, self._size, self._sha256.hexdigest())

    def _is_the_file(self) -> bool:
        return self._part.name == FILE_FIELD and self._part.file_name is not None


async def read_form(content_type: str, body: AsyncIterator[bytes], target: Path) -> Form:
    """Read a multipart body, its file into `target`. Raises Unfit, then nothing is left at `target`."""
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise Unfit(f"Send multipart/form-data with {FILE_FIELD}.")
    reader = _FormReader(target)
    stored = False
    try:
        await _feed(reader, options[b"boundary"], body)
        stored = True
    except FormParserError as error:
        raise Unfit("The multipart body can't be read.") from error
    finally:
        file = reader.close()
        if not stored:
            target.unlink(missing_ok=True)
    return Form(reader.fields, file)


async def _feed(reader: _FormReader, boundary: bytes, body: AsyncIterator[bytes]) -> None:
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": reader.begin_part,
            "on_part_data": reader.take_content,
            "on_part_end": reader.end_part,
            "on_header_field": reader.take_header_name,
            "on_header_value": reader.take_header_value,
            "on_header_end": reader.end_header,
            "on_headers_finished": reader.begin_content,
            "on_end": reader.end,
        },
    )
    async for chunk in body:
        if chunk:
            parser.write(chunk)
            await asyncio.sleep(0)  # others get their turn between two chunks
    parser.finalize()
    if not reader.ended:
        raise Unfit("The multipart body ends before its last boundary.")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
