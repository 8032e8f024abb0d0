"""The body of an upload: the file as it is read, never the whole of it in memory.

The body of an effect: sent after a last check, with the connection open and the head of the request out.
Connecting takes time, and a machine may be frozen meanwhile. The check makes sure that this process still has
the right to send: a request without its body does nothing.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import partial
from io import SEEK_END
from typing import BinaryIO, NoReturn, Protocol

from workflow.eiger.response import strip_control_characters
from workflow.errors import catch_faults
from workflow.frozen import frozen

ProgressCallback = Callable[[int, int], None]
"""Called with the bytes of the file that are on their way, and all of them."""


class BodyReadError(Exception):
    """The file could not be read while it was sent; `reason` is what happened.

    Not an OSError: the HTTP libraries would take that for a network error.
    """

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


@frozen
class StlUpload:
    """A file to be sent as a form; read from its current position to its end."""

    stl: BinaryIO
    filename: str
    fields: Mapping[str, str] = field(default_factory=dict)
    on_progress: ProgressCallback | None = None

    @property
    def size(self) -> int:
        """Return the bytes from the present position to the end; the position stays."""
        start = self.stl.tell()
        size = self.stl.seek(0, SEEK_END) - start
        self.stl.seek(start)
        return size


class FixedLengthFile:
    """A file that yields exactly as many bytes as it had at the start, and reports its progress.

    Bytes that are appended meanwhile are not read; missing ones are an error, for the other side
    was promised a length and would wait for the rest. Reading raises BodyReadError.
    """

    def __init__(self, upload: StlUpload) -> None:
        self.total = upload.size
        self._stl, self._on_progress, self._sent = upload.stl, upload.on_progress, 0

    @property
    def len(self) -> int:
        """Return the bytes that are left; requests-toolbelt asks for this name."""
        return self.total - self._sent

    def read(self, size: int = -1) -> bytes:
        """Read on, at most to the length that was promised."""
        return catch_faults(
            partial(self._read, self.len if size < 0 else min(size, self.len)), _raise_read_error
        )

    def _read(self, wanted: int) -> bytes:
        chunk = self._stl.read(wanted)
        if wanted and not chunk:
            raise EOFError(f"The file shrank to {self._sent} of {self.total} bytes while it was uploaded.")
        self._sent += len(chunk)
        if chunk and self._on_progress is not None:
            self._on_progress(self._sent, self.total)
        return chunk


class StreamedBody(Protocol):
    """What the HTTP library needs of a body that is sent as it is read."""

    @property
    def len(self) -> int:
        """Return the bytes that are left to send."""

    @property
    def content_type(self) -> str:
        """Return what kind of body it is."""

    def read(self, size: int = -1) -> bytes:
        """Read on."""


def encode_multipart(upload: StlUpload) -> StreamedBody:
    """Return the body as multipart/form-data (RFC 7578).

    Control characters of the file name become blanks and quotes are percent-encoded, as browsers do
    it (WHATWG, HTML, "multipart form data"), so that no name can end its header.
    """
    from requests_toolbelt.multipart.encoder import MultipartEncoder

    file = FixedLengthFile(upload)
    form: StreamedBody = MultipartEncoder(
        {**upload.fields, "stlFile": (strip_control_characters(upload.filename), file, "model/stl")}
    )
    return form


BeforeSend = Callable[[], None]
"""What it raises keeps the request from being sent, and is raised to the caller."""


class CheckedJsonBody:
    """A JSON body that is sent only after a last check, if there is one; its length is known before."""

    def __init__(self, content: object, before_send: BeforeSend | None) -> None:
        self._content, self._before_send = json.dumps(content).encode(), before_send

    def __len__(self) -> int:
        """Return the length in bytes, for the head of the request."""
        return len(self._content)

    def __iter__(self) -> Iterator[bytes]:
        """Check, then yield the whole body at once. Raises BodyReadError."""
        if self._before_send is not None:
            catch_faults(self._before_send, _raise_read_error)
        yield self._content


def encode_body(
    content: object | None, upload: StlUpload | None, before_send: BeforeSend | None
) -> tuple[StreamedBody | CheckedJsonBody | None, Mapping[str, str]]:
    """Return the body of a request, and the headers that describe it. Without content there is none."""
    if upload is not None:
        form = encode_multipart(upload)
        return form, {"Content-Type": form.content_type, "Content-Length": str(form.len)}
    if content is None and before_send is None:
        return None, {}
    body = CheckedJsonBody(content, before_send)
    return body, {"Content-Type": "application/json", "Content-Length": str(len(body))}


def _raise_read_error(reason: Exception) -> NoReturn:
    """Raise a reason wrapped, as no HTTP library would; the transport unwraps it."""
    raise BodyReadError(reason) from None
