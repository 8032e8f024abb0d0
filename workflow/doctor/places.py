"""Names of machines, folders and addresses of a shop, and what is written in their place.

The name of a person may be in any of them. What is written instead is the same everywhere in a text.
"""

import ipaddress
import re
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from workflow.errors import StateFolderError
from workflow.ledger import Ledger, list_workers
from workflow.settings import Settings

Replacement = tuple[re.Pattern[str], str]
MACHINE, HOST, FOLDER = "<this machine>", "<host>", "<folder>"
MIN_WORD_LENGTH, MIN_LENGTH_IN_ANY_CASE = 3, 5
_SEPARATORS = re.compile(r"[\\/]+")
_HOST_SETTINGS = ("console_host", "console_names", "console_proxies")
_PUBLIC = frozenset({"eiger.io", "markforged.com", "slack.com", "office.com", "azure.com"})
"""Services that everyone uses: their names say nothing about a shop."""
_PLAIN = frozenset(
    {
        "api", "app", "apps", "bin", "cad", "cert", "certs", "console", "data", "database", "db", "default",
        "demo", "desktop", "documents", "done", "etc", "file", "files", "folder", "held", "home", "host",
        "html", "inbox", "incoming", "lib", "lib64", "local", "localhost", "log", "logs", "mail", "media",
        "mnt", "net", "opt", "outbox", "part", "parts", "pem", "postgres", "postgresql", "print", "printer",
        "printers", "prints", "private", "processing", "production", "proxy", "python3", "rejected", "root",
        "rules", "run", "server", "share", "shared", "shares", "shop", "site-packages", "src", "srv", "ssl",
        "state", "status", "stl", "stlflow", "system", "temp", "test", "tests", "tmp", "toml", "usr", "user",
        "users", "var", "venv", "volume", "volumes", "windows", "work", "yaml",
    }
)  # fmt: skip
"""Parts of paths that are words of any log."""


def known_places(settings: Settings, ledger: Ledger | None) -> tuple[Replacement, ...]:
    """Return what is to be replaced, in this order: whole paths, then machines, then names of folders."""
    named, own = _named_paths(settings), _own_paths()
    addresses = tuple(_addresses(settings))
    hosts = {**dict(reversed(tuple(_hosts_of(addresses)))), **dict(_machines(ledger))}
    texts = [str(path) for path in (*named.values(), *own.values(), settings.status_page)]
    parts = {part for text in texts for part in _SEPARATORS.split(text)} | set(_parts_of(addresses))
    words = filter(_is_telling, parts | {PurePath(part).stem for part in parts})
    return (
        *_whole_paths({**_program_paths(), **own, **named}),
        *_host_patterns(hosts),
        *((_pattern_of_word(word), FOLDER) for word in _longest_first(words)),
    )


def _pattern_of_word(word: str) -> re.Pattern[str]:
    """Return a pattern of a whole word. A short one is meant as it is written: `Cad` is none of `cad`."""
    flags = re.NOFLAG if len(word) < MIN_LENGTH_IN_ANY_CASE else re.IGNORECASE
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", flags)


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted(words, key=lambda word: (-len(word), word))


def _is_telling(part: str) -> bool:
    plain = part.strip(":").casefold()
    is_word = plain in _PLAIN or PurePath(plain).stem in _PLAIN
    return len(plain) >= MIN_WORD_LENGTH and not is_word and any(map(str.isalpha, plain))


def _named_paths(settings: Settings) -> dict[str, Path]:
    """Return the folders and files of the settings; no link is followed: a share that is away hangs."""
    given = settings.model_dump().items()
    return {name: value.absolute() for name, value in given if isinstance(value, Path)}


def _own_paths() -> dict[str, Path]:
    """Return the home of the account; nothing if nobody knows where it is."""
    with suppress(RuntimeError):
        return {"home": Path.home()}
    return {}


def _program_paths() -> dict[str, Path]:
    """Return where the program is and was started: their parts are words of any log, and stay."""
    return {"python": Path(sys.prefix), "stlflow": Path(__file__).parents[2], "current folder": Path.cwd()}


def _whole_paths(named: dict[str, Path]) -> Iterator[Replacement]:
    """Yield a pattern of each path, and of each folder above, that says more than any system's own paths."""
    above = {str(each): f"<above {name}>" for name, path in reversed(named.items()) for each in path.parents}
    paths = {**above, **{str(path): f"<{name}>" for name, path in named.items()}}
    for path in _longest_first(paths):
        parts = _SEPARATORS.split(path)
        if any(map(_is_telling, parts)):
            letters = _SEPARATORS.pattern.join(map(re.escape, parts))
            yield re.compile(rf"(?<!\w){letters}(?![\w-])", re.IGNORECASE), paths[path]


def _addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each address in the settings with the name of its setting."""
    for name, value in {**settings.model_dump(), **settings.notices.model_dump()}.items():
        for found in leaves_of(value):
            text = found.get_secret_value() if isinstance(found, SecretStr) else found
            if name in _HOST_SETTINGS:
                yield from ((name, f"//{each.strip()}") for each in text.split(",") if each.strip())
            elif "://" in text:
                yield name, text


def leaves_of(value: Any) -> Iterator[str | SecretStr]:
    """Yield the texts and secrets in a setting, however deep they are in lists and tables."""
    match value:
        case str() | SecretStr():
            yield value
        case Mapping():
            for each in value.values():
                yield from leaves_of(each)
        case list() | tuple():
            for each in value:
                yield from leaves_of(each)


def _hosts_of(addresses: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, address in addresses:
        with suppress(ValueError):
            if host := urlsplit(address).hostname:
                yield host, f"<host of {name}>"


def _parts_of(addresses: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield what else an address names: a user, a database, folders."""
    for _, address in addresses:
        with suppress(ValueError):
            split = urlsplit(address)
            yield from map(unquote, filter(None, (split.username, *split.path.split("/"))))


def _machines(ledger: Ledger | None) -> Iterator[tuple[str, str]]:
    if ledger is not None:
        with suppress(StateFolderError):
            for number, host in enumerate(sorted({each.host for each in list_workers(ledger)}), 1):
                yield host, f"<machine {number}>"
    yield socket.gethostname(), MACHINE


def _host_patterns(hosts: Mapping[str, str]) -> Iterator[Replacement]:
    """Yield a pattern of each whole name or address, then of each domain, then of each name without it."""
    private = [host for host in _longest_first(hosts) if _is_address(host) or _is_private(host)]
    for host in private:
        yield re.compile(rf"(?<![\w.-]){re.escape(host)}(?!\w)", re.IGNORECASE), hosts[host]
    named = [host.split(".") for host in private if not _is_address(host)]
    for domain in _longest_first({".".join(parts[-2:]) for parts in named if len(parts) > 1}):
        yield re.compile(rf"(?<!\w)(?:[\w-]+\.)*{re.escape(domain)}(?!\w)", re.IGNORECASE), HOST
    for parts in named:
        yield _pattern_of_word(parts[0]), hosts[".".join(parts)]


def _is_private(host: str) -> bool:
    first, domain = host.split(".", maxsplit=1)[0].casefold(), ".".join(host.casefold().split(".")[-2:])
    return len(first) > 1 and first not in _PLAIN and domain not in _PUBLIC and any(map(str.isalpha, first))


def _is_address(host: str) -> bool:
    with suppress(ValueError):
        return not (found := ipaddress.ip_address(host)).is_loopback and not found.is_unspecified
    return False
