"""The only place that speaks HTTP, on `requests`: one request out, one reply or `NoReply` back.

Each thread asks over kept connections of its own. An effect gets a fresh connection every time: on a
kept one that the server is just closing it would look as if the reply had been lost.

The pair of keys: opened only when a request goes out, and never shown.

How our HTTP sessions differ from the library's own: no keys from elsewhere, no redirects, large blocks.
"""

import base64
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit
from weakref import WeakSet

import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as NetworkTimeout

from workflow import __version__
from workflow.eiger.filters import Query
from workflow.eiger.operations import Operation
from workflow.eiger.request_body import (
    BeforeSend,
    BodyReadError,
    CheckedJsonBody,
    StlUpload,
    StreamedBody,
    encode_multipart,
)
from workflow.eiger.response import NoResponseReason, Response, redact_secrets
from workflow.errors import SettingsError


class ApiKeys:
    """HTTP Basic: the access key is the user, the secret key the password (RFC 7617)."""

    def __init__(self, access_key: SecretStr, secret_key: SecretStr) -> None:
        self._access_key, self._secret_key = access_key, secret_key

    def header(self) -> str:
        """Give the value of the Authorization header."""
        return f"Basic {self._token()}"

    def secrets(self) -> tuple[str, ...]:
        """Give every form in which the keys could come back in a reply, the longest first."""
        return self._token(), self._secret_key.get_secret_value(), self._access_key.get_secret_value()

    def _token(self) -> str:
        pair = f"{self._access_key.get_secret_value()}:{self._secret_key.get_secret_value()}"
        return base64.b64encode(pair.encode()).decode("ascii")


SEND_BLOCK_BYTES = 2**18
"""Bytes; with the library's 16 KB a large upload takes twice the time."""
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class NoRedirectSession(requests.Session):
    """A session that leaves redirects to us: even unfollowed, requests would look where they lead."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that there is none."""


def new_session(url: str) -> requests.Session:
    """Give a session that takes proxies from the environment (not for this machine), but no keys.

    Without an `auth` of its own, requests would let a .netrc replace the Authorization header.
    """
    session = NoRedirectSession()
    session.auth = _keep_request_unchanged
    for scheme in ("http://", "https://"):
        session.mount(scheme, _large_block_adapter())
    session.trust_env = urlsplit(url).hostname not in LOCAL_HOSTS
    session.headers.update({"User-Agent": f"stlflow/{__version__}", "Accept": "application/json"})
    return session


def _large_block_adapter() -> HTTPAdapter:
    adapter = HTTPAdapter()
    adapter.poolmanager.connection_pool_kw["blocksize"] = SEND_BLOCK_BYTES
    return adapter


def _keep_request_unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


MAX_REDIRECTS = 5
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
FIRST_ERROR_STATUS = 400
MAX_RESPONSE_BYTES = 64 * 2**20
CHUNK_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait: for a connection, for a whole reply, for the reply to an upload."""

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    upload_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `place` is the path under the base URL with its ids filled in."""

    operation: Operation
    place: str
    query: Query = ()
    json: object | None = None
    upload: StlUpload | None = None
    last_look: BeforeSend | None = None
    """Taken right before the JSON goes out; what it raises keeps it here, and is raised."""


@dataclass(frozen=True, slots=True)
class DownloadStream:
    """A file on its way: the status, its length if that is told, and its bytes as they come."""

    status: int
    length: int | None
    chunks: Iterator[bytes]


class NoResponse(Exception):
    """No whole reply came back; `lost` says why."""

    def __init__(self, lost: NoResponseReason) -> None:
        super().__init__(lost)
        self.lost = lost


class Transport:
    """Sends requests to one base URL with one pair of keys; used by many threads at once."""

    def __init__(self, base_url: str, keys: ApiKeys, timeouts: Timeouts) -> None:
        self.base_url = validate_base_url(base_url)
        self.timeouts = timeouts
        self._keys = keys
        self._mine = threading.local()
        self._kept: WeakSet[requests.Session] = WeakSet()
        self._kept_lock = threading.Lock()

    def send(self, request: Request) -> Response:
        """Send it and read the whole reply; redirects of questions are followed on the same host only.

        Raises NoReply, and whatever reading the file of an upload raises.
        """
        url, query = self.base_url + request.place, request.query
        with self._session_for(request.operation) as session:
            reply = self._send_once(session, url, query, request)
            for _ in range(MAX_REDIRECTS):
                onward = redirect_target(url, reply, request.operation)
                if onward is None:
                    break
                url = onward
                reply = self._send_once(session, url, (), request)
        return reply

    @contextmanager
    def open_signed_link(self, link: str) -> Iterator[DownloadStream]:
        """Open a signed link, which is good for anybody: no keys go there, and no redirect is followed.

        Raises NoReply, also while the block reads the answer.
        """
        timeout = (self.timeouts.connect_seconds, self.timeouts.read_seconds)
        with (
            translate_network_errors(),
            closing(new_session(link)) as session,
            session.get(link, timeout=timeout, allow_redirects=False, stream=True) as answer,
        ):
            yield DownloadStream(
                answer.status_code, _content_length(answer), answer.iter_content(CHUNK_BYTES)
            )

    def timeout_seconds(self, request: Request) -> float:
        """Give how long the reply to a request may take."""
        return self.timeouts.read_seconds if request.upload is None else self.timeouts.upload_seconds

    def close(self) -> None:
        """Close the kept connections of all threads."""
        with self._kept_lock:
            for session in self._kept:
                session.close()

    @contextmanager
    def _session_for(self, operation: Operation) -> Iterator[requests.Session]:
        if not operation.reads:
            with closing(new_session(self.base_url)) as fresh:
                yield fresh
            return
        if not hasattr(self._mine, "session"):
            self._mine.session = new_session(self.base_url)
            with self._kept_lock:
                self._kept.add(self._mine.session)
        yield self._mine.session

    def _send_once(self, session: requests.Session, url: str, query: Query, request: Request) -> Response:
        seconds, connect_seconds = self.timeout_seconds(request), self.timeouts.connect_seconds
        body, kind = encode_body(request)
        headers = {"Authorization": self._keys.header(), **kind}
        give_up_at = time.monotonic() + connect_seconds + seconds
        if request.upload is not None:
            # The limit for connecting is also the one for a stall while sending.
            connect_seconds = max(connect_seconds, self.timeouts.read_seconds)
        with (
            translate_network_errors(),
            session.request(
                request.operation.method,
                url,
                params=query,
                headers=headers,
                data=body,
                json=request.json if body is None else None,
                timeout=(connect_seconds, seconds),
                allow_redirects=False,
                stream=True,
            ) as answer,
        ):
            if request.upload is not None:  # sending may have taken any time
                give_up_at = time.monotonic() + seconds
            content = read_response_body(answer, give_up_at)
        if answer.status_code >= FIRST_ERROR_STATUS:
            content = redact_secrets(content, self._keys.secrets())
        return Response(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, content)


def encode_body(request: Request) -> tuple[StreamedBody | CheckedJsonBody | None, dict[str, str]]:
    """Give a body that is sent as it is read, and its content type; None where the library writes it."""
    if request.upload is not None:
        form, kind = encode_multipart(request.upload)
        return form, {"Content-Type": kind}
    if request.last_look is not None:
        return CheckedJsonBody(request.json, request.last_look), {"Content-Type": "application/json"}
    return None, {}


def validate_base_url(url: str) -> str:
    """Give the URL without a slash at its end. Raises SettingsError, never with the URL in it."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise SettingsError("Eiger's address is a URL that begins with https:// and holds no keys.")
    return url.rstrip("/")


def redirect_target(url: str, reply: Response, operation: Operation) -> str | None:
    """Give where a redirect may lead: for a question, on the same scheme, host and port, else nowhere."""
    location = reply.headers.get("location")
    if (
        reply.status not in REDIRECT_STATUSES
        or not location
        or not operation.reads
        or operation.answers_in_location
    ):
        return None
    try:
        onward = urljoin(url, location)
        here, there = urlsplit(url), urlsplit(onward)
    except ValueError:
        return None
    return onward if (here.scheme, here.netloc) == (there.scheme, there.netloc) else None


def read_response_body(answer: requests.Response, give_up_at: float) -> bytes:
    """Read a body as it trickles in, but not beyond a time of the monotonic clock, nor more than is sane.

    Raises NoReply where it is too slow or too large.
    """
    content = bytearray()
    while chunk := answer.raw.read1(CHUNK_BYTES, decode_content=True):
        content += chunk
        if time.monotonic() > give_up_at:
            raise NoResponse(NoResponseReason.TIMED_OUT)
        if len(content) > MAX_RESPONSE_BYTES:
            raise NoResponse(NoResponseReason.CUT)
    return bytes(content)


@contextmanager
def translate_network_errors() -> Iterator[None]:
    """Turn the exceptions of the HTTP libraries into NoReply: their texts may hold signed links."""
    try:
        yield
    except BodyReadError as failed:
        raise failed.reason from None
    except (requests.RequestException, HTTPError) as error:
        raise NoResponse(classify_network_error(error)) from None


def classify_network_error(error: BaseException) -> NoResponseReason:
    """Give what an exception of requests or urllib3 means; the real reason lies inside, layers deep."""
    causes = list(_exception_causes(error))

    def among(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if among(ssl.SSLCertVerificationError):
        return NoResponseReason.NOT_TRUSTED
    if among(requests.exceptions.ProxyError, requests.exceptions.InvalidProxyURL):
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
    """Give the length of the bytes that `iter_content` yields; that of packed bytes is another one."""
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdigit() and "Content-Encoding" not in answer.headers else None
