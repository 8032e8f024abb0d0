"""The upload: a multipart body that is streamed to disk, so that memory does not grow with the file."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from workflow.simulator import parts, stl
from workflow.simulator.connection import Reply
from workflow.simulator.contract import InvalidRequest, Operation, validate_body
from workflow.simulator.models import StoredFile
from workflow.simulator.simulation import Simulation

FILE_FIELD = "stlFile"
MAX_FIELD_BYTES = 1024
MAX_FIELDS = 50


@dataclass(slots=True)
class _MultipartPart:
    """The multipart part that is being read."""

    header_name: bytearray = field(default_factory=bytearray)
    header_value: bytearray = field(default_factory=bytearray)
    name: str = ""
    file_name: str | None = None
    text: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class UploadForm:
    """An upload that was read: text fields by name, and the file (None without one)."""

    fields: Mapping[str, str]
    file: StoredFile | None


class _FormReader:
    """The parser's callbacks; they write the file to `target` and raise InvalidRequest."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._file: BinaryIO | None = None
        self._part = _MultipartPart()
        self._sha256 = hashlib.sha256()
        self._size = 0
        self._file_name = ""
        self.fields: dict[str, str] = {}
        self.ended = False

    def begin_part(self) -> None:
        self._part = _MultipartPart()
        if len(self.fields) >= MAX_FIELDS:
            raise InvalidRequest(f"More than {MAX_FIELDS} fields.")

    def append_header_name(self, chunk: bytes, start: int, end: int) -> None:
        self._part.header_name += chunk[start:end]

    def append_header_value(self, chunk: bytes, start: int, end: int) -> None:
        self._part.header_value += chunk[start:end]

    def end_header(self) -> None:
        if self._part.header_name.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._part.header_value))
            self._part.name = _decode_utf8(options.get(b"name", b""))
            named = options.get(b"filename")
            self._part.file_name = None if named is None else _decode_utf8(named)
        self._part.header_name, self._part.header_value = bytearray(), bytearray()

    def begin_content(self) -> None:
        if self._is_file_part():
            if self._file is not None:
                raise InvalidRequest(f"{FILE_FIELD} is given twice.")
            self._file_name = self._part.file_name or ""
            self._file = self._target.open("wb")

    def append_content(self, chunk: bytes, start: int, end: int) -> None:
        piece = memoryview(chunk)[start:end]
        if self._is_file_part() and self._file is not None:
            self._file.write(piece)
            self._sha256.update(piece)
            self._size += len(piece)
        elif self._part.file_name is None:
            self._part.text += piece
            if len(self._part.text) > MAX_FIELD_BYTES:
                raise InvalidRequest(f"{self._part.name} has more than {MAX_FIELD_BYTES} bytes.")

    def end_part(self) -> None:
        if self._part.file_name is None:
            self.fields[self._part.name] = _decode_utf8(bytes(self._part.text))

    def end(self) -> None:
        self.ended = True

    def close(self) -> StoredFile | None:
        """Close the file and return what was stored."""
        if self._file is None:
            return None
        self._file.close()
        return StoredFile(self._target, self._file_name, self._size, self._sha256.hexdigest())

    def _is_file_part(self) -> bool:
        return self._part.name == FILE_FIELD and self._part.file_name is not None


async def read_form(content_type: str, body: AsyncIterator[bytes], target: Path) -> UploadForm:
    """Return a multipart body, its file stored at `target`. Raises InvalidRequest, then stores nothing."""
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise InvalidRequest(f"Send multipart/form-data with {FILE_FIELD}.")
    reader = _FormReader(target)
    stored = False
    try:
        await _parse_multipart(reader, options[b"boundary"], body)
        stored = True
    except FormParserError as error:
        raise InvalidRequest("The multipart body can't be read.") from error
    finally:
        file = reader.close()
        if not stored:
            target.unlink(missing_ok=True)
    return UploadForm(reader.fields, file)


async def _parse_multipart(reader: _FormReader, boundary: bytes, body: AsyncIterator[bytes]) -> None:
    parser = MultipartParser(
        boundary,
        {
            "on_part_begin": reader.begin_part,
            "on_part_data": reader.append_content,
            "on_part_end": reader.end_part,
            "on_header_field": reader.append_header_name,
            "on_header_value": reader.append_header_value,
            "on_header_end": reader.end_header,
            "on_headers_finished": reader.begin_content,
            "on_end": reader.end,
        },
    )
    async for chunk in body:
        if chunk:
            parser.write(chunk)
            await asyncio.sleep(0)  # other requests run between two chunks
    parser.finalize()
    if not reader.ended:
        raise InvalidRequest("The multipart body ends before its last boundary.")


def _decode_utf8(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


UPLOAD_OPERATION_ID = "uploadStl"


async def upload_stl(request: Request, operation: Operation, simulation: Simulation) -> Reply:
    """Store the file, measure it in a thread, and add it to the library.

    Raises InvalidRequest and NotFound; then nothing of the upload is kept.
    """
    target = simulation.next_upload_path()
    form = await read_form(request.headers.get("content-type", ""), request.stream(), target)
    with ExitStack() as undo:
        undo.callback(target.unlink, missing_ok=True)  # a refused or interrupted upload leaves no file
        reply = await _add_uploaded_part(form, target, operation, simulation)
        undo.pop_all()
    return reply


async def _add_uploaded_part(
    form: UploadForm, target: Path, operation: Operation, simulation: Simulation
) -> Reply:
    if form.file is None:
        raise InvalidRequest(f"{FILE_FIELD} must be a file.")
    fields = validate_body(operation, {**form.fields, FILE_FIELD: form.file.name})
    try:
        measured = await asyncio.to_thread(stl.measure_stl, target)
    except stl.NotStl as error:
        raise InvalidRequest(str(error)) from error
    version = parts.add_part(
        simulation.current_world(),
        form.file,
        measured,
        preset_id=_optional_text(fields, "settingsPresetId"),
        user_id=_optional_text(fields, "userId"),
        folder_id=_optional_text(fields, "folderId"),
    )
    made = {"slice_job_id": version.slice_job_id, "part_version_id": version.id}
    effect = {
        "made": "part_version",
        "id": version.id,
        "title": version.title,
        "sha256": form.file.sha256,
        "slice_job": version.slice_job_id,
    }
    return Reply(201, made, effect=effect)


def _optional_text(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    return None if value is None else str(value)
