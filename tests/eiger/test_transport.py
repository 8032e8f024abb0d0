"""The wire, against real servers: redirects, .netrc, proxies, lost replies, threads, connections."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import date
from io import BufferedIOBase
from pathlib import Path

import pytest

from tests.eiger.server import ID, Answer, Asked, Server, as_json, client_of, in_turn, serving
from tests.waiting import until
from workflow.eiger import EigerClient, Timeouts
from workflow.eiger.request_body import BeforeSend
from workflow.errors import CloudError, ContractBroken, OutcomeUnknown, Unreachable

STATUS = as_json({"status": "QUEUED"})
PRINT_JOB = as_json({"id": ID, "state": "Backlogged"}, 201)
IMPATIENT = Timeouts(connect_seconds=0.3, read_seconds=0.3, upload_seconds=0.3)


@contextmanager
def silent_server() -> Iterator[str]:
    """Take connections and say nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/api/v3"


@contextmanager
def trickling_server() -> Iterator[str]:
    """Begin a long answer, and send one byte of it now and then, for as long as somebody listens."""
    over = threading.Event()

    def trickle(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            try:
                while not over.wait(0.05):
                    connection.sendall(b" ")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=trickle, args=(listening,))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/api/v3"
        over.set()
        thread.join()


@contextmanager
def babbling_server(babble: bytes) -> Iterator[str]:
    """Answer each connection with these bytes, and close it."""

    def answer(listening: socket.socket) -> None:
        while True:
            connection, _ = listening.accept()
            with connection:
                if not connection.recv(65_536):
                    return
                connection.sendall(babble)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, args=(listening,))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/api/v3"
        socket.create_connection(listening.getsockname()).close()
        thread.join()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_what_a_request_carries() -> None:
    with serving(lambda _: STATUS) as server, client_of(server.url) as client:
        assert client.get_slice_status(ID).status == "QUEUED"
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("GET", f"/api/v3/parts/slice_status/{ID}")
    assert asked.headers["authorization"].startswith("Basic ")
    assert asked.headers["user-agent"].startswith("stlflow/")
    assert asked.headers["accept"] == "application/json"


def test_a_redirect_on_the_same_host_is_followed_for_a_question() -> None:
    answers = in_turn(Answer(307, b"", {"Location": "/api/v3/elsewhere?a=b"}), STATUS)
    with serving(answers) as server, client_of(server.url) as client:
        assert client.get_slice_status(ID).status == "QUEUED"
    assert server.asked[1].path == "/api/v3/elsewhere?a=b"
    assert "authorization" in server.asked[1].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_keys_never_go_to_another_host(status: int) -> None:
    with serving(lambda _: STATUS) as other:
        elsewhere = Answer(status, b"", {"Location": other.url})
        with serving(lambda _: elsewhere) as server, client_of(server.url) as client:
            with pytest.raises(ContractBroken, match="the keys do not go there"):
                client.get_slice_status(ID)
            with pytest.raises(OutcomeUnknown, match="the keys do not go there"):
                client.send_build_to_backlog(ID)
    assert other.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_effect_never_follows_a_redirect(status: int) -> None:
    with (
        serving(lambda _: Answer(status, b"", {"Location": "/api/v3/x"})) as server,
        client_of(server.url) as client,
        pytest.raises(OutcomeUnknown),
    ):
        client.send_build_to_backlog(ID)
    assert [asked.method for asked in server.asked] == ["POST"]


@pytest.mark.parametrize("location", ["https://[broken", "ftp://127.0.0.1/x", "https://127.0.0.1/x", ""])
def test_a_redirect_to_nowhere_is_refused(location: str) -> None:
    with (
        serving(lambda _: Answer(302, b"", {"Location": location})) as server,
        client_of(server.url) as client,
        pytest.raises(ContractBroken),
    ):
        client.get_slice_status(ID)
    assert len(server.asked) == 1


def test_redirects_in_a_circle_end() -> None:
    with (
        serving(lambda asked: Answer(302, b"", {"Location": asked.path})) as server,
        client_of(server.url) as client,
        pytest.raises(ContractBroken),
    ):
        client.get_slice_status(ID)
    assert len(server.asked) == 6


def test_netrc_does_not_replace_the_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setattr("workflow.eiger.session.LOCAL_HOSTS", frozenset[str]())
    with serving(lambda _: STATUS) as server, client_of(server.url) as client:
        client.get_slice_status(ID)
        plain = server.asked[0].headers["authorization"]
        with client._transport.open_signed_link(f"{server.url}/file"):
            pass
    assert plain == client._transport._keys.header()
    assert "authorization" not in server.asked[1].headers


def test_a_proxy_is_for_the_world_and_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with serving(lambda _: STATUS) as server, client_of(server.url) as client:
        client.get_slice_status(ID)
    with client_of("http://eiger.example/api/v3") as client:
        with pytest.raises(
            Unreachable, match=r"the proxy \(setting proxy, or HTTPS_PROXY\) does not let us through"
        ):
            client.get_slice_status(ID)
        with pytest.raises(Unreachable):
            client.send_build_to_backlog(ID)


def test_a_refused_connection_is_unreachable_for_an_effect_too() -> None:
    url = f"http://127.0.0.1:{closed_port()}/api/v3"
    with client_of(url) as client:
        for call in (client.get_slice_status, client.send_build_to_backlog):
            with pytest.raises(Unreachable) as caught:
                call(ID)
            assert str(caught.value) == (f"No connection to {url}: is the network up? Nothing is lost.")


def test_a_name_that_nobody_knows_is_unreachable() -> None:
    with client_of("http://no-such-host.invalid/api/v3") as client, pytest.raises(Unreachable):
        client.send_build_to_backlog(ID)


def test_an_untrusted_certificate_is_unreachable(untrusted_url: str) -> None:
    with (
        client_of(untrusted_url) as client,
        pytest.raises(Unreachable, match="its certificate is not trusted"),
    ):
        client.send_build_to_backlog(ID)


def test_silence_after_an_effect_leaves_the_outcome_unknown() -> None:
    with silent_server() as url, client_of(url, timeouts=IMPATIENT) as client:
        with pytest.raises(OutcomeUnknown, match=r"0\.3 s without a whole answer") as caught:
            client.send_build_to_backlog(ID)
        assert caught.value.timed_out
        with pytest.raises(Unreachable, match=r"0\.3 s without a whole answer"):
            client.get_slice_status(ID)


def test_an_answer_that_only_trickles_is_no_answer() -> None:
    with trickling_server() as url, client_of(url, timeouts=IMPATIENT) as client:
        with pytest.raises(OutcomeUnknown) as caught:
            client.send_build_to_backlog(ID)
        assert caught.value.timed_out


@pytest.mark.parametrize(
    "answer",
    [
        None,
        Answer(201, b'{"id": "x"}', cut_at=4),
        Answer(201, b'5\r\n{"id"', {"Transfer-Encoding": "chunked"}, cut_at=9),
    ],
)
def test_a_cut_reply_leaves_the_outcome_unknown(answer: Answer | None) -> None:
    with serving(lambda _: answer) as server, client_of(server.url) as client:
        with pytest.raises(OutcomeUnknown, match="was cut during sendBuildToBacklog") as caught:
            client.send_build_to_backlog(ID)
        assert not caught.value.timed_out
        assert len(server.asked) == 1
        with pytest.raises(Unreachable, match="was cut during getSliceStatus"):
            client.get_slice_status(ID)


@pytest.mark.parametrize(
    "babble",
    [
        b"",
        b"hello\r\n\r\n",
        b"HTTP/1.1 ok\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\xff\xfe: \xff\r\n\r\n\xff",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe://[\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nRetry-After: \xff\r\nDate: \x00\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: \xff=;;=\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_no_foreign_exception_escapes(babble: bytes) -> None:
    with babbling_server(babble) as url, client_of(url) as client:
        with pytest.raises(CloudError):
            client.get_slice_status(ID)
        with pytest.raises(CloudError):
            client.send_build_to_backlog(ID)


EFFECTS: dict[str, Callable[[EigerClient, BeforeSend], object]] = {
    "backlog": lambda client, look: client.send_build_to_backlog(ID, date(2026, 12, 24), before_send=look),
    "job request": lambda client, look: client.send_build_to_job_request_queue(ID, before_send=look),
    "queue": lambda client, look: client.append_to_device_queue(ID, ID, before_send=look),
    "printer": lambda client, look: client.print_to_printer(ID, ID, before_send=look),
}


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=EFFECTS)
def test_the_last_check_is_made_with_the_connection_open_and_the_body_still_here(
    effect: Callable[[EigerClient, BeforeSend], object],
) -> None:
    seen: list[str] = []
    arriving = threading.Event()

    def read_body(body: BufferedIOBase, length: int) -> bytes:
        seen.append("head")
        arriving.set()
        content = body.read(length)
        seen.append("body" if len(content) == length else "cut")
        return content

    def look() -> None:
        assert arriving.wait(60)
        seen.append("look")

    def too_late() -> None:
        look()
        raise ValueError("somebody else does it")

    answer = as_json({"id": ID, "state": "Backlogged", "build": {"id": ID, "title": "a"}}, 201)
    with serving(lambda _: answer, read_body) as server, client_of(server.url) as client:
        with pytest.raises(ValueError, match="somebody else does it"):
            effect(client, too_late)
        assert until(lambda: "cut" in seen)
        assert seen == ["head", "look", "cut"]
        seen.clear()
        arriving.clear()
        with suppress(ContractBroken, OutcomeUnknown):  # what the answers hold is not looked at here
            effect(client, look)
        assert seen == ["head", "look", "body"]
    headers = server.asked[-1].headers
    assert headers["content-type"] == "application/json"
    assert "transfer-encoding" not in headers
    assert isinstance(json.loads(server.asked[-1].body), dict)


def test_questions_share_a_connection_and_effects_get_a_fresh_one() -> None:
    def answer(asked: Asked) -> Answer:
        return STATUS if asked.method == "GET" else PRINT_JOB

    with serving(answer) as server, client_of(server.url) as client:
        for _ in range(3):
            client.get_slice_status(ID)
            client.send_build_to_backlog(ID)
    assert connections(server, "GET") == 1
    assert connections(server, "POST") == 3


def test_a_kept_connection_that_the_server_closed_is_no_lost_reply() -> None:
    closing = Answer(200, STATUS.body, {"Connection": "close"})

    def answer(asked: Asked) -> Answer:
        return closing if asked.method == "GET" else PRINT_JOB

    with serving(answer) as server, client_of(server.url) as client:
        for _ in range(5):
            client.get_slice_status(ID)
            client.send_build_to_backlog(ID)
    assert len(server.asked) == 10


def test_many_threads_with_a_connection_each() -> None:
    together = threading.Barrier(24, timeout=60)
    with serving(lambda _: STATUS) as server, client_of(server.url) as client:

        def ask(_: int) -> None:
            together.wait()
            for _ in range(4):
                client.get_slice_status(ID)

        with ThreadPoolExecutor(24) as threads:
            list(threads.map(ask, range(24)))
    assert len(server.asked) == 96
    assert connections(server, "GET") == 24


def connections(server: Server, method: str) -> int:
    return len({asked.connection for asked in server.asked if asked.method == method})
