"""The server: it starts, announces its URL, and leaves nothing behind."""

import gc
import signal
import socket
import subprocess
import sys
import threading
from base64 import b64encode
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.simulator.caller import TIMEOUT_SECONDS, Caller
from workflow.simulator import SimulatorOptions, running_simulator

SERVING = """
from workflow.simulator import SimulatorOptions, serve
serve(SimulatorOptions(), lambda url: print(url, flush=True))
"""


def test_it_leaves_no_thread_and_no_file_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = threading.active_count()
    with running_simulator(SimulatorOptions()) as url:
        assert requests.get(f"{url}/users", auth=("demo", "demo"), timeout=TIMEOUT_SECONDS).ok
        assert list(tmp_path.glob("stlflow-simulator-*"))
    assert threading.active_count() == before
    assert not list(tmp_path.glob("stlflow-simulator-*"))
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=TIMEOUT_SECONDS)


@pytest.mark.parametrize("kind", ["delay", "slow", "late_effect", "trickled_headers"])
def test_it_stops_soon_though_a_reply_is_still_delayed(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    with running_simulator(SimulatorOptions()) as url:
        caller = Caller(url)
        caller.fault("listUsers", kind, delay_seconds=600)
        with caller.session, pytest.raises((requests.Timeout, requests.ConnectionError)):
            caller.session.get(f"{url}/users", timeout=0.2)
    assert caplog.text == ""


def test_it_stops_while_it_sends_continues(caplog: pytest.LogCaptureFixture) -> None:
    with ExitStack() as stack, running_simulator(SimulatorOptions()) as url:
        caller = Caller(url)
        caller.fault("listUsers", "endless_continue")
        host, port = caller.root.removeprefix("http://").split(":")
        connection = stack.enter_context(socket.create_connection((host, int(port)), TIMEOUT_SECONDS))
        connection.sendall(b"GET /api/v3/users HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")
        caller.session.close()
    assert caplog.text == ""


def test_a_port_that_is_taken_is_an_os_error() -> None:
    with running_simulator(SimulatorOptions()) as url:
        port = int(url.split(":")[2].split("/")[0])
        with pytest.raises(OSError, match="in use"), running_simulator(SimulatorOptions(port=port)):
            pass


def test_two_serve_side_by_side() -> None:
    with (
        running_simulator(SimulatorOptions(seed=1)) as first,
        running_simulator(SimulatorOptions(seed=2)) as second,
    ):
        callers = Caller(first), Caller(second)
        with callers[0].session, callers[1].session:
            ids = [caller.get("/users")["items"][0]["id"] for caller in callers]
    assert ids[0] != ids[1]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without a signal")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_process_well(how: signal.Signals) -> None:
    command = [sys.executable, "-c", SERVING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert requests.get(f"{url}/users", auth=("demo", "demo"), timeout=TIMEOUT_SECONDS).ok
        process.send_signal(how)
        _, errors = process.communicate(timeout=TIMEOUT_SECONDS)
    assert (process.returncode, errors) == (0, "")


def test_importing_the_room_is_cheap() -> None:
    heavy = ["starlette", "uvicorn", "numpy", "python_multipart"]
    code = f"import sys, workflow.simulator; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_open_connections_are_closed_when_it_stops() -> None:
    """A request whose body never comes, as from a client that hangs."""
    with running_simulator() as url:
        place = urlsplit(url)
        client = socket.create_connection((str(place.hostname), place.port or 0), timeout=60)
        keys = b64encode(b"demo:demo").decode()
        head = f"POST {place.path}/builds/1/backlog HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {keys}\r\n"
        body = "Content-Length: 10\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n\r\n"
        client.sendall((head + body).encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 100"), "it waits for the body"
    with client, suppress(ConnectionResetError):
        assert client.recv(1000) == b""
    gc.collect()  # what was left open would be told of here
