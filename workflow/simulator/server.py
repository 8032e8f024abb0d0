"""The simulator on a real socket: in a thread, or until a signal ends the process."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread

from workflow.simulator.options import SimulatorOptions

GRACE_SECONDS = 1
"""Time for replies that are still being sent when the server stops."""

StopServer = Callable[[], None]


@contextmanager
def running_simulator(options: SimulatorOptions | None = None) -> Iterator[str]:
    """Serve in a thread and yield the base URL, like `http://127.0.0.1:41234/api/v3`.

    Raises OSError if the port is not available.
    """
    options = options or SimulatorOptions()
    ready: Future[StopServer] = Future()
    with _open_listener(options) as listener:
        thread = Thread(target=_serve_in_thread, args=(ready, options, listener), name="simulator")
        thread.start()
        end = ready.result()
        try:
            yield _base_url(listener, options)
        finally:
            end()
            thread.join()


def serve(options: SimulatorOptions, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; `announce` gets the base URL once the server listens.

    Raises OSError if the port is not available.
    """
    with _open_listener(options) as listener, _ignore_stop_signals():
        _serve(options, listener, lambda _end: announce(_base_url(listener, options)))


def _serve_in_thread(ready: Future[StopServer], options: SimulatorOptions, listener: socket.socket) -> None:
    """Serve, and pass the reason to the waiting thread if the server can't start."""
    try:
        _serve(options, listener, ready.set_result)
    except BaseException as error:  # handed to the waiting thread
        if ready.done():
            raise
        ready.set_exception(error)


def _serve(
    options: SimulatorOptions, listener: socket.socket, listening: Callable[[StopServer], None]
) -> None:
    import asyncio

    import uvicorn

    from workflow.simulator.api import make_app
    from workflow.simulator.simulation import Simulation

    simulation = Simulation(options, _origin(listener, options))

    class Server(uvicorn.Server):
        """A server that calls `listening` once it listens, and does not wait for delayed replies."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            listening(lambda: setattr(self, "should_exit", True))

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            simulation.stop()
            end_of_grace = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._cut_off)
            await super().shutdown(sockets)
            end_of_grace.cancel()

        def _cut_off(self) -> None:
            """Close the connections of clients that never finish a request: uvicorn would leave them open."""
            for connection in list(self.server_state.connections):
                connection.transport.abort()

    config = uvicorn.Config(
        make_app(simulation),
        http="h11",  # the faults close its transport
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        date_header=False,  # the simulated time is sent instead
        server_header=False,
        timeout_graceful_shutdown=2 * GRACE_SECONDS,
    )
    try:
        Server(config).run([listener])
    finally:
        simulation.close()


def _open_listener(options: SimulatorOptions) -> socket.socket:
    """Return a listening socket. TCP is named: asyncio switches Nagle's delay (40 ms) off only then."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # on Windows this would let two servers have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.host, options.port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def _origin(listener: socket.socket, options: SimulatorOptions) -> str:
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"http://{host}:{listener.getsockname()[1]}"


def _base_url(listener: socket.socket, options: SimulatorOptions) -> str:
    return f"{_origin(listener, options)}/api/v3"


@contextmanager
def _ignore_stop_signals() -> Iterator[None]:
    """Ignore stop signals: uvicorn raises the signal that ended it once more."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {each: signal.signal(each, lambda _number, _frame: None) for each in signals}
    try:
        yield
    finally:
        for each, action in before.items():
            signal.signal(each, action)
