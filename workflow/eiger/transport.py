"""The only place that speaks HTTP, over what `requests` sets up: a request out, a response or none back.

Each thread asks over kept connections of its own. An effect gets a fresh connection every time: on a
kept one that the server is just closing it would look as if the response was lost.

The keys are never shown.
"""

import base64
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import lru_cache
from urllib.parse import quote_plus, urlsplit
from weakref import WeakSet

import requests
from pydantic import SecretStr
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProxyError
from urllib3.exceptions import TimeoutError as NetworkTimeout
from urllib3.response import BaseHTTPResponse
from urllib3.util import Timeout

from workflow.eiger.exchange_limits import ExchangeLimits, ResponseTooLarge
from workflow.eiger.operations import Operation, Query
from workflow.eiger.request_body import (
    BeforeSend,
    BodyReadError,
    StlUpload,
    encode_body,
)
from workflow.eiger.response import (
    MAX_HEADER_LENGTH,
    NoResponseReason,
    Redactor,
    Response,
    redirect_target,
)
from workflow.eiger.session import HEADERS, Connections, Network, new_session
from workflow.errors import SettingsError, WriteRefused
from workflow.frozen import frozen


class ApiKeys:
    """HTTP Basic: the access key is the user, the secret key the password (RFC 7617)."""

    def __init__(self, access_key: SecretStr, secret_key: SecretStr) -> None:
        self._access_key, self._secret_key = access_key, secret_key

    def header(self) -> str:
        """Return the value of the Authorization header."""
        return f"Basic {self._token()}"

    def secrets(self) -> tuple[str, ...]:
        """Return every form in which the keys could come back in a response, the longest first."""
        return self._token(), self._secret_key.get_secret_value(), self._access_key.get_secret_value()

    def _token(self) -> str:
        pair = f"{self._access_key.get_secret_value()}:{self._secret_key.get_secret_value()}"
        return base64.b64encode(pair.encode()).decode("ascii")


MAX_REDIRECTS = 5
CHUNK_BYTES = 2**16
MIN_BYTES_PER_SECOND = 2**14
"""A file that goes up or comes down more slowly (131 kbit/s) is given up after its timeout."""
MAX_DOWNLOAD_BYTES = 2**30


@frozen
class Timeouts:
    """Timeouts of a connection, of a response, and of the response to an upload."""

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    upload_seconds: float = 600.0


@frozen
class Request:
    """One request; `place` is the path under the base URL with its ids filled in."""

    operation: Operation
    place: str
    query: Query = ()
    json: object | None = None
    upload: StlUpload | None = None
    before_send: BeforeSend | None = None
    """Taken right before the JSON goes out; what it raises keeps it here, and is raised."""


@frozen
class DownloadStream:
    """A download: the status, its length if the service says it, and its bytes as they arrive."""

    status: int
    length: int | None
    chunks: Iterator[bytes]


class NoResponse(Exception):
    """No whole response came back; `lost` says why."""

    def __init__(self, lost: NoResponseReason) -> None:
        super().__init__(lost)
        self.lost = lost


class Transport:
    """Sends requests to one base URL with one pair of keys; used by many threads at once."""

    def __init__(
        self, base_url: str, keys: ApiKeys, timeouts: Timeouts, network: Network, *, reads_only: bool = False
    ) -> None:
        self.base_url = validate_base_url(base_url)
        self.timeouts = timeouts
        self._keys, self._network, self._reads_only = keys, network, reads_only
        self._redactor = Redactor(keys.secrets())
        self._mine = threading.local()
        self._kept: WeakSet[Connections] = WeakSet()
        self._kept_lock = threading.Lock()

    def send(self, request: Request) -> Response:
        """Send a request and return the whole response; a GET follows redirects on the same host only.

        Raises NoResponse, WriteRefused, and whatever reading the file of an upload raises.
        """
        if self._reads_only and not request.operation.reads:
            raise WriteRefused(f"{request.operation.id} was not sent: in shadow mode stlflow only reads.")
        url, query = self.base_url + request.place, request.query
        limits = ExchangeLimits(request.operation.id, self.limit_seconds(request))
        with limits:
            response = self._send_once(url, query, request, limits)
            for _ in range(MAX_REDIRECTS):
                onward = redirect_target(url, response, request.operation)
                if onward is None:
                    break
                url = onward
                response = self._send_once(url, (), request, limits)
        return response

    @contextmanager
    def open_signed_link(self, link: str) -> Iterator[DownloadStream]:
        """Open a signed link, which works for anyone: without keys, and without following redirects.

        Raises NoResponse, also while the block reads the answer.
        """
        timeout = (self.timeouts.connect_seconds, self.timeouts.read_seconds)
        limits = ExchangeLimits("The download of a file", sum(timeout), MAX_DOWNLOAD_BYTES)
        with (
            limits,
            translate_network_errors(limits),
            closing(new_session(link, self._network)) as session,
            session.get(link, timeout=timeout, allow_redirects=False, stream=True) as answer,
        ):
            length = _content_length(answer)
            if length is not None and length > MAX_DOWNLOAD_BYTES:
                raise NoResponse(NoResponseReason.TOO_LARGE)
            yield DownloadStream(answer.status_code, length, self._bounded_chunks(answer, limits))

    def _bounded_chunks(self, answer: requests.Response, limits: ExchangeLimits) -> Iterator[bytes]:
        """Yield a body as it comes; what has come earns time for the rest. Raises NoResponse."""
        began, size = time.monotonic(), 0
        for chunk in answer.iter_content(CHUNK_BYTES):
            size += len(chunk)
            if size > MAX_DOWNLOAD_BYTES:
                raise NoResponse(NoResponseReason.TOO_LARGE)
            earned = self.timeouts.read_seconds + size / MIN_BYTES_PER_SECOND
            limits.extend(began + earned - time.monotonic())
            yield chunk
        if limits.expired:
            raise NoResponse(NoResponseReason.TIMED_OUT)

    def timeout_seconds(self, request: Request) -> float:
        """Return how long the response to a request may take once the request is sent."""
        return self.timeouts.read_seconds if request.upload is None else self.timeouts.upload_seconds

    def limit_seconds(self, request: Request) -> float:
        """Return how long a whole call may take, from connecting to the last byte of the response."""
        seconds = self.timeouts.connect_seconds + self.timeout_seconds(request)
        if request.upload is None:
            return seconds
        return seconds + self.timeouts.read_seconds + request.upload.size / MIN_BYTES_PER_SECOND

    def close(self) -> None:
        """Close the kept connections of all threads."""
        with self._kept_lock:
            for session in self._kept:
                session.close()

    def _connections_for(self, operation: Operation) -> Connections:
        """Return this thread's connections; those for effects are not used for questions."""
        kind = "questions" if operation.reads else "effects"
        connections: Connections | None = getattr(self._mine, kind, None)
        if connections is None:
            connections = Connections(self._network)
            setattr(self._mine, kind, connections)
            with self._kept_lock:
                self._kept.add(connections)
        return connections

    def _send_once(self, url: str, query: Query, request: Request, limits: ExchangeLimits) -> Response:
        seconds, connect_seconds = self.timeout_seconds(request), self.timeouts.connect_seconds
        checked = _with_time_after_check(request, limits, seconds)
        body, described = encode_body(checked.json, checked.upload, checked.before_send)
        if request.upload is not None:
            # The limit for connecting is also the one for a stall while sending.
            connect_seconds = max(connect_seconds, self.timeouts.read_seconds)
        headers = {**HEADERS, "Authorization": self._keys.header(), **described}
        connections, method = self._connections_for(request.operation), request.operation.method
        with translate_network_errors(limits):
            asked = f"{url}?{_encode_query(query)}" if query else url
            waiting = Timeout(connect=connect_seconds, read=seconds)
            with connections.send(method, asked, headers, body, waiting) as answer:
                content = read_response_body(answer, limits)
        came = {name.lower(): value[:MAX_HEADER_LENGTH] for name, value in answer.headers.itermerged()}
        return Response(answer.status, came, content, self._redactor)


_quote = lru_cache(maxsize=256)(quote_plus)
"""The names in queries are always the same, and most values."""


def _encode_query(query: Query) -> str:
    return "&".join(f"{_quote(name)}={_quote(value)}" for name, value in query)


def _with_time_after_check(request: Request, limits: ExchangeLimits, seconds: float) -> Request:
    """Allow the whole time for a response after the last check, however long the check took."""
    check = request.before_send
    if check is None:
        return request

    def check_in_time() -> None:
        check()
        if limits.expired:  # nothing but the head of the request was sent
            raise NoResponse(NoResponseReason.NO_CONNECTION)
        limits.extend(seconds)

    return replace(request, before_send=check_in_time)


def validate_base_url(url: str) -> str:
    """Return the URL without a slash at its end. Raises SettingsError, never with the URL in it."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise SettingsError("Eiger's address is a URL that begins with https:// and holds no keys.")
    return url.rstrip("/")


def read_response_body(answer: BaseHTTPResponse, limits: ExchangeLimits) -> bytes:
    """Return the whole body. Raises NoResponse where it is too slow or too large."""
    content = bytearray()
    while chunk := answer.read1(CHUNK_BYTES, decode_content=True):
        content += chunk
        if len(content) > limits.max_bytes:
            raise NoResponse(NoResponseReason.TOO_LARGE)
    if limits.expired:  # a closed connection can look like the end of a body
        raise NoResponse(NoResponseReason.TIMED_OUT)
    return bytes(content)


@contextmanager
def translate_network_errors(limits: ExchangeLimits) -> Iterator[None]:
    """Turn the exceptions of the HTTP libraries into NoResponse: their texts may hold signed links."""
    try:
        yield
    except BodyReadError as failed:
        raise failed.reason from None
    except (requests.RequestException, HTTPError) as error:
        reason = NoResponseReason.TIMED_OUT if limits.expired else classify_network_error(error)
        raise NoResponse(reason) from None


def classify_network_error(error: BaseException) -> NoResponseReason:
    """Return what an exception of requests or urllib3 means; the cause is several layers deep."""
    causes = list(_exception_causes(error))

    def among(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if among(ResponseTooLarge):
        return NoResponseReason.TOO_LARGE
    if among(ssl.SSLCertVerificationError):
        return NoResponseReason.NOT_TRUSTED
    if among(ProxyError, requests.exceptions.InvalidProxyURL):
        return NoResponseReason.PROXY
    if among(NewConnectionError, ConnectTimeoutError, requests.exceptions.InvalidURL):
        return NoResponseReason.NO_CONNECTION
    # A server that stalls while we send shows as a plain TimeoutError inside a ConnectionError.
    return NoResponseReason.TIMED_OUT if among(NetworkTimeout, TimeoutError) else NoResponseReason.CUT


def _exception_causes(error: BaseException) -> Iterator[BaseException]:
    found, waiting = set[int](), [error]
    while waiting:
        cause = waiting.pop()
        if id(cause) in found:
            continue
        found.add(id(cause))
        yield cause
        inside = (*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__)
        waiting += [deeper for deeper in inside if isinstance(deeper, BaseException)]


def _content_length(answer: requests.Response) -> int | None:
    """Return the length of the bytes that `iter_content` yields; None if they are compressed."""
    length = answer.headers.get("Content-Length", "")
    is_number = length.isascii() and length.isdigit()
    return int(length) if is_number and "Content-Encoding" not in answer.headers else None
