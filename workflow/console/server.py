"""The console on a real socket, in a thread beside the service.

The socket is opened first, so that a busy port is said at once. Everything else is imported in the thread,
once a browser connects: a page that nobody opens costs neither time at the start nor memory.
"""

import os
import select
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from enum import Enum, auto
from errno import EACCES, EADDRINUSE
from threading import Thread
from typing import Any

from loguru import logger

from workflow.console.console import Console, never_stalled, read_key, wake_nobody
from workflow.console.hosts import is_loopback, listed
from workflow.errors import SettingsError, catch_faults, error_reason
from workflow.ledger import Ledger
from workflow.settings import Settings

PORTS_TRIED = 20
GRACE_SECONDS = 3
WAITING_AT_ONCE = 40
"""Threads at most; as many are made as requests come at once."""
ALL_ADDRESSES = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104
"""What stands for every address of this machine, and which of them is its own."""
BUSY_ERRORS = {EADDRINUSE, EACCES}


class IfBusy(Enum):
    """What happens if the port of the console is busy."""

    REFUSE = auto()
    NEXT_PORT = auto()
    WITHOUT = auto()


def open_listener(host: str, port: int, *, or_next: bool = False) -> socket.socket:
    """Return a listening socket; `or_next` takes the next free port if this one is busy.

    Raises SettingsError if the port, or the address, can't be used.
    """
    for tried in range(port, min(port + PORTS_TRIED, 65536) if or_next and port else port + 1):
        try:
            return _listen(host, tried)
        except OSError as error:
            busy = error
            if error.errno not in BUSY_ERRORS:
                break
    raise SettingsError(
        f"The console can't listen on {host} port {port}: {error_reason(busy)}. "
        "Set STLFLOW_CONSOLE_PORT to a free port, or to 0 for no console."
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # on Windows this would let two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def listener_url(listener: socket.socket) -> str:
    """Return the address to type into a browser on this machine."""
    host, port = listener.getsockname()[:2]
    name = ALL_ADDRESSES.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}"


def address_text(settings: Settings, url: str) -> str:
    """Return where the console is: on this machine and, if it listens on all addresses, from others."""
    if settings.console_host not in ALL_ADDRESSES:
        return url
    return f"{url}, from other machines http://{socket.gethostname()}:{url.rpartition(':')[2]}"


def make_console(
    settings: Settings,
    ledger: Ledger,
    wake: Callable[[], None] = wake_nobody,
    stalled_seconds: Callable[[], float] = never_stalled,
) -> Console:
    """Return a console. Raises SettingsError if it is open to others and nobody could log in."""
    is_open = not is_loopback(settings.console_host)
    if is_open and not (listed(settings.console_proxies) or ledger.console_tokens.list_all()):
        raise SettingsError(
            f"console_host {settings.console_host} is open to other machines, and there is no token. "
            "Make one first: `stlflow console token --name NAME`."
        )
    return Console(ledger, settings, read_key(settings.state), wake, stalled_seconds)


@contextmanager
def serving_console(
    settings: Settings,
    ledger: Ledger,
    wake: Callable[[], None] = wake_nobody,
    stalled_seconds: Callable[[], float] = never_stalled,
    *,
    if_busy: IfBusy = IfBusy.REFUSE,
) -> Iterator[str]:
    """Serve the console of the settings until the block ends; yields its address, "" without one.

    Raises SettingsError if the port is busy and the console is all that was asked for.
    """
    if settings.console_port == 0:
        yield ""
        return
    console = make_console(settings, ledger, wake, stalled_seconds)
    or_next = if_busy is IfBusy.NEXT_PORT
    try:
        listener = open_listener(settings.console_host, settings.console_port, or_next=or_next)
    except SettingsError as error:
        if if_busy is not IfBusy.WITHOUT:
            raise
        logger.warning("{} Everything else goes on.", error)
        yield ""
        return
    with closing(listener), running_console(console, listener) as url:
        yield url


@contextmanager
def running_console(console: Console, listener: socket.socket) -> Iterator[str]:
    """Serve in a thread until the block ends; yields the address."""
    running: list[Any] = []
    ending, ended = socket.socketpair()
    thread = Thread(target=_serve, args=(console, listener, ended, running), name="console", daemon=True)
    thread.start()
    try:
        yield listener_url(listener)
    finally:
        console.stop.set()
        ending.close()
        console.viewer_meshes.close()
        for server in running:
            server.should_exit = True
        thread.join(timeout=2 * GRACE_SECONDS)


def _serve(console: Console, listener: socket.socket, ended: socket.socket, running: list[Any]) -> None:
    with ended:
        select.select([listener, ended], [], [])  # until a browser connects, or the console ends before
    if not console.stop.is_set():
        catch_faults(lambda: _run_server(console, listener, running), _log_fault)


def _log_fault(fault: Exception) -> None:
    logger.opt(exception=fault).debug("The console ended")
    logger.error("The console ended ({}). The service goes on.", type(fault).__name__)


def _run_server(console: Console, listener: socket.socket, running: list[Any]) -> None:
    import asyncio

    import uvicorn

    from workflow.console.app import make_app
    from workflow.console.security import LimitedConnection

    config = uvicorn.Config(
        make_app(console),
        http=LimitedConnection,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    running.append(server)
    if not console.stop.is_set():
        asyncio.run(_answer(server, listener))


async def _answer(server: Any, listener: socket.socket) -> None:
    """Serve until the end. What waits for a disk or a database runs in the threads of the loop."""
    import asyncio

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(WAITING_AT_ONCE, "page"))
    await server.serve([listener])
