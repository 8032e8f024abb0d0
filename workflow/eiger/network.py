"""The way to Eiger: through which proxy, and whose certificates are trusted."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies

from workflow.errors import SettingsError
from workflow.settings import Settings

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
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


def proxy_address(url: str, network: Network) -> str | None:
    """Return host and port of the proxy for a URL, never user and password; None without a proxy."""
    proxies = proxies_for(url, network)
    proxy = proxies.get(urlsplit(url).scheme) or proxies.get("all")
    if not proxy:
        return None
    return urlsplit(proxy if "//" in proxy else f"//{proxy}").netloc.rpartition("@")[2]
