"""HTTP connections: limited by their exchange, without redirects, with the proxy of the settings."""

import os
import ssl
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_ACCEPT_ENCODING, DEFAULT_CA_BUNDLE_PATH, get_environ_proxies
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, SSLError
from urllib3.poolmanager import PoolManager, ProxyManager
from urllib3.response import BaseHTTPResponse
from urllib3.util import Timeout
from urllib3.util.ssl_ import create_urllib3_context

from workflow import __version__
from workflow.eiger.exchange_limits import WatchedConnection, WatchedTlsConnection
from workflow.errors import SettingsError
from workflow.frozen import frozen
from workflow.settings import Settings

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
HEADERS = {
    "User-Agent": f"stlflow/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": DEFAULT_ACCEPT_ENCODING,
}
"""Of every request."""
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@frozen
class Network:
    """A proxy (its address may hold a password) and a file or folder of certificates; None: the default."""

    proxy: str | None = None
    ca_bundle: str | None = None

    def __repr__(self) -> str:
        """Return a text without the proxy's password."""
        return f"Network(proxy={self.proxy is not None}, ca_bundle={self.ca_bundle!r})"


def network_of(settings: Settings, environment: Mapping[str, str] = os.environ) -> Network:
    """Return what settings and environment say. Raises SettingsError if the certificates are missing."""
    named = {"Setting ca_bundle": str(settings.ca_bundle) if settings.ca_bundle else ""}
    named |= {variable: environment.get(variable, "") for variable in CA_VARIABLES}
    source, bundle = next(((source, place) for source, place in named.items() if place), ("", None))
    if bundle is not None and not Path(bundle).exists():
        raise SettingsError(
            f"{source} names {bundle}, and nothing is there. "
            "Name the file with the certificates of your company."
        )
    return Network(settings.proxy, bundle)


def proxies_for(url: str, network: Network) -> dict[str, str]:
    """Return the proxy of each scheme: the setting for every host, the environment's not for this machine."""
    if network.proxy is not None:
        return {"http": network.proxy, "https": network.proxy}
    return {} if urlsplit(url).hostname in LOCAL_HOSTS else dict(get_environ_proxies(url))


def proxy_for(network: Network, url: str) -> str | None:
    """Return the proxy for a URL, with user and password perhaps; None without a proxy."""
    proxies = proxies_for(url, network)
    return proxies.get(urlsplit(url).scheme) or proxies.get("all") or None


def proxy_address(url: str, network: Network) -> str | None:
    """Return host and port of the proxy for a URL, never user and password; None without a proxy."""
    proxy = proxy_for(network, url)
    if not proxy:
        return None
    return urlsplit(proxy if "//" in proxy else f"//{proxy}").netloc.rpartition("@")[2]


SEND_BLOCK_BYTES = 2**18
"""Bytes; with the library's 16 KB a large upload takes twice the time."""


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = WatchedConnection


class _WatchedTlsPool(HTTPSConnectionPool):
    ConnectionCls = WatchedTlsConnection


_POOL_CLASSES: dict[str, type[HTTPConnectionPool]] = {"http": _WatchedPool, "https": _WatchedTlsPool}


class _WatchedAdapter(HTTPAdapter):
    """Makes watched connections, directly and through a proxy, and sends in large blocks."""

    def __init__(self) -> None:
        super().__init__()
        _configure(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> ProxyManager:
        """Return the pools of connections through a proxy."""
        manager: ProxyManager = super().proxy_manager_for(*args, **kwargs)
        _configure(manager)
        return manager


def _configure(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = _POOL_CLASSES
    manager.connection_pool_kw["blocksize"] = SEND_BLOCK_BYTES


@lru_cache(maxsize=4)
def _make_tls_context(trusted: str, _changed_at: int) -> ssl.SSLContext:
    place = Path(trusted)
    context = create_urllib3_context()
    context.load_verify_locations(
        cafile=None if place.is_dir() else place, capath=place if place.is_dir() else None
    )
    return context


def tls_context(trusted: str) -> ssl.SSLContext:
    """Return what all threads trust servers by, made again when the file of certificates has changed.

    Making one takes 20 ms and 0.8 MB; the library makes one for each connection. Raises SSLError.
    """
    try:
        return _make_tls_context(trusted, Path(trusted).stat().st_mtime_ns)
    except OSError as error:
        raise SSLError(error) from error


class SharedTlsAdapter(_WatchedAdapter):
    """Connects by one TLS context for all threads."""

    def __init__(self, trusted: str) -> None:
        super().__init__()
        self._trusted = trusted

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """Return the host of a pool of connections, and how a server is trusted. Raises SSLError."""
        host, trust = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": tls_context(self._trusted)} if host["scheme"] == "https" else trust

    def proxy_manager_for(self, proxy: str, **rest: Any) -> ProxyManager:
        """Return the pools of connections through a proxy. Raises SSLError."""
        if proxy.startswith("https"):
            rest["proxy_ssl_context"] = tls_context(self._trusted)
        return super().proxy_manager_for(proxy, **rest)


class Connections:
    """The connections of one thread. A question keeps its connection open, an effect closes it.

    requests makes them: proxies, TLS and certificates are set up by it. What goes over them is left to
    urllib3: prepared requests, cookies and responses of requests take as long as all the rest of a call.
    """

    def __init__(self, network: Network) -> None:
        self._network, self._trusted = network, network.ca_bundle or DEFAULT_CA_BUNDLE_PATH
        self._adapter = SharedTlsAdapter(self._trusted)
        self._ways: dict[str, tuple[HTTPConnectionPool, bool]] = {}
        """By scheme and host: the connections, and whether a proxy has to be told the whole URL."""

    def send(
        self, method: str, url: str, headers: dict[str, str], body: Any, timeout: Timeout
    ) -> BaseHTTPResponse:
        """Send a request once and return the response with its body unread; follow no redirect.

        Raises what requests and urllib3 raise, and whatever reading the body raises.
        """
        scheme, _, rest = url.partition("://")
        host, _, place = rest.partition("/")
        way = f"{scheme}://{host}"
        pool, tells_proxy = self._ways.get(way) or self._open_way(way)
        try:
            return pool.urlopen(
                method,
                url if tells_proxy else f"/{place}",
                body,
                headers,
                self._adapter.max_retries,
                redirect=False,
                assert_same_host=False,
                timeout=timeout,
                preload_content=False,
                decode_content=False,
            )
        except HTTPError:
            self._ways.clear()  # the next call sees certificates that were renewed meanwhile
            raise

    def close(self) -> None:
        """Close all connections."""
        self._ways.clear()
        self._adapter.close()

    def _open_way(self, way: str) -> tuple[HTTPConnectionPool, bool]:
        asked = requests.Request("GET", f"{way}/").prepare()
        proxies = proxies_for(way, self._network)
        pool = self._adapter.get_connection_with_tls_context(asked, self._trusted, proxies)
        tells_proxy = self._adapter.request_url(asked, proxies).startswith("http")
        self._ways[way] = cast(HTTPConnectionPool, pool), tells_proxy
        return self._ways[way]


class NoRedirectSession(requests.Session):
    """A session that leaves redirects to us: requests would read their bodies, even if it follows none."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: there is no target."""


def new_session(url: str, network: Network) -> requests.Session:
    """Return a session for one URL with the proxy and the certificates of the network, and without keys.

    Nothing comes from the environment by itself: its certificates would not hold for this machine, and a
    .netrc would replace the Authorization header.
    """
    session = NoRedirectSession()
    session.auth = _keep_request_unchanged
    for scheme in ("http://", "https://"):
        session.mount(scheme, _WatchedAdapter())
    session.trust_env = False
    session.proxies.update(proxies_for(url, network))
    session.verify = network.ca_bundle or True
    session.headers.update(HEADERS)
    return session


def _keep_request_unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
