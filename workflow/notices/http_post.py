"""One POST to an address of the settings: no redirect, no address inside the network, one time limit.

The host is resolved once, its addresses are checked, and the connection goes to one that was checked: a name
that changes its address in between leads nowhere else.
"""

import base64
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from workflow.errors import StlflowError, error_reason
from workflow.frozen import frozen

LIMIT_SECONDS = 20.0
"""One whole exchange; a receiver that needs longer counts as one that did not answer."""
CONNECT_SECONDS = 10.0
_REDIRECTS = range(300, 400)
_MAX_REPLY_BYTES = 4096


class NotDelivered(StlflowError):
    """A message was not delivered; `may_have_arrived` if it was sent, and no reply came."""

    def __init__(self, reason: str, *, may_have_arrived: bool = False) -> None:
        super().__init__(reason)
        self.may_have_arrived = may_have_arrived


@frozen
class Reach:
    """What a message may connect to. `internal`: addresses inside this network, too, and without a proxy.

    `proxy` is an http:// address, with user and password perhaps: the way to what is outside.
    """

    internal: bool = False
    ca_bundle: str | None = None
    limit_seconds: float = LIMIT_SECONDS
    proxy: str | None = None

    def __repr__(self) -> str:
        """Return a text without the proxy's password."""
        return f"Reach(internal={self.internal}, proxy={self.proxy is not None})"


def post(url: str, body: bytes, headers: Mapping[str, str], reach: Reach) -> None:
    """Send the body, and return when the receiver has taken it. Raises NotDelivered, never with the URL."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    path = quote(f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", safe=_KEPT_IN_PATH)
    port, proxy = (
        parts.port or (443 if secure else 80),
        reach.proxy if secure and not reach.internal else None,
    )
    plain = _connect(host, port, reach) if proxy is None else _connect_to_proxy(host, port, proxy, reach)
    with _closed_after(plain, reach.limit_seconds):
        try:
            if proxy is not None:
                _open_tunnel(plain, host, port, proxy)
            connection = http.client.HTTPConnection(host, parts.port)
            connection.sock = _encrypt(plain, host, reach) if secure else plain
        except (OSError, ValueError) as error:
            raise NotDelivered(f"{host}: no encrypted connection: {_tls_reason(error)}") from None
        _exchange(connection, path, body, headers, host)


def _exchange(
    connection: http.client.HTTPConnection, path: str, body: bytes, headers: Mapping[str, str], host: str
) -> None:
    try:
        connection.request("POST", path, body, {**headers, "User-Agent": "stlflow", "Connection": "close"})
        reply = connection.getresponse()
        reply.read(_MAX_REPLY_BYTES)
    except (OSError, http.client.HTTPException, ValueError) as error:
        text = f"{host} took the message and sent no whole reply ({type(error).__name__})"
        raise NotDelivered(text, may_have_arrived=True) from None
    finally:
        connection.close()
    if reply.status in _REDIRECTS:
        raise NotDelivered(f"{host} answered {reply.status}, a redirect, and none is followed")
    if reply.status >= 400 or reply.status < 200:
        raise NotDelivered(f"{host} answered {reply.status}")


def _connect(host: str, port: int, reach: Reach) -> socket.socket:
    """Return a connection to an allowed address of the host. Raises NotDelivered."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotDelivered(f"{host}: there is no such host") from None
    addresses = [entry[4] for entry in found if reach.internal or is_public(str(entry[4][0]))]
    if not addresses:
        raise NotDelivered(_INSIDE.format(host=host))
    problem = "no address"
    for address in addresses[:3]:
        try:
            connected = socket.create_connection(
                (str(address[0]), port), min(CONNECT_SECONDS, reach.limit_seconds)
            )
        except OSError as error:
            problem = error_reason(error)
        else:
            connected.settimeout(reach.limit_seconds)
            return connected
    raise NotDelivered(f"{host}:{port} can't be reached: {problem}")


def _connect_to_proxy(host: str, port: int, proxy: str, reach: Reach) -> socket.socket:
    """Return a connection to the proxy. Raises NotDelivered, also for a host that is inside this network.

    A host that can't be looked up here is the proxy's to look up, as it is in most networks with one.
    """
    with suppress(OSError, UnicodeError):
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if not any(is_public(str(entry[4][0])) for entry in found):
            raise NotDelivered(_INSIDE.format(host=host))
    parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    if parts.scheme not in {"", "http"}:
        raise NotDelivered(f"the proxy's address begins with {parts.scheme}://, and notices need http://")
    inside = Reach(internal=True, limit_seconds=reach.limit_seconds)
    return _connect(parts.hostname or "", parts.port or 80, inside)


def _open_tunnel(plain: socket.socket, host: str, port: int, proxy: str) -> None:
    """Have the proxy connect to the host. Raises NotDelivered, OSError."""
    parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    name = f"[{host}]:{port}" if ":" in host else f"{host.encode('idna').decode()}:{port}"
    asked = f"CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n"
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        asked += f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}\r\n"
    plain.sendall(f"{asked}\r\n".encode("ascii"))
    with closing(http.client.HTTPResponse(plain, method="CONNECT")) as reply:
        try:
            reply.begin()
        except http.client.HTTPException as error:
            raise NotDelivered(f"the proxy {parts.hostname} sent no reply ({type(error).__name__})") from None
    if reply.status != http.client.OK:
        raise NotDelivered(f"the proxy {parts.hostname} answered {reply.status}")


def is_public(address: str) -> bool:
    """True for an address of the internet: no private, local or reserved one, in no disguise."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        if found in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    return found.is_global and not found.is_multicast and not found.is_reserved


_INSIDE = "{host} is inside this network, and the target does not say `internal = true`: not sent"
_KEPT_IN_PATH = "%/?:@!$&'()*+,;=~[]"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """Return a context that checks certificates: those of the setting `ca_bundle`, or the usual ones."""
    is_folder = ca_bundle is not None and Path(ca_bundle).is_dir()
    file, folder = (None, ca_bundle) if is_folder else (ca_bundle, None)
    context = ssl.create_default_context(cafile=file, capath=folder)
    if ca_bundle is None and not context.get_ca_certs():
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


def _encrypt(plain: socket.socket, host: str, reach: Reach) -> ssl.SSLSocket:
    return tls_context(reach.ca_bundle).wrap_socket(plain, server_hostname=host)


def _tls_reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    return error_reason(error)


@contextmanager
def _closed_after(connection: socket.socket, seconds: float) -> Iterator[None]:
    """Close the connection at the end, or when time is up: a receiver may send a byte now and then."""
    kept = connection.dup()

    def shut_down() -> None:
        with suppress(OSError):
            kept.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, shut_down)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        kept.close()
        connection.close()
