"""Servers that never end an answer: each call ends in time, says which call it was, and frees its thread."""

import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path

import pytest
from loguru import logger

from tests.eiger.server import ID, Answer, as_json, client_of, serving
from tests.waiting import until
from workflow.eiger import Timeouts
from workflow.eiger.exchange_limits import ExchangeLimits
from workflow.errors import ContractBroken, OutcomeUnknown, Unreachable

BRIEF = Timeouts(connect_seconds=0.3, read_seconds=0.3, upload_seconds=0.3)
LONGEST_SECONDS = 20.0
"""Far above the limit of 0.6 s, far below for ever: the machine runs other tests, too."""
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
Babble = Callable[[], Iterator[bytes]]


@contextmanager
def endless_server(babble: Babble, read: bool = True) -> Iterator[str]:
    """Answer every connection with what `babble` yields, for as long as the client stays."""
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if read:
                connection.recv(65_536)
            for piece in babble():
                if over.is_set():
                    return
                connection.sendall(piece)

    def accept(listening: socket.socket) -> None:
        while True:
            connection, _ = listening.accept()
            if over.is_set():
                connection.close()
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept, args=(listening,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/api/v3"
        finally:
            over.set()
            socket.create_connection(listening.getsockname()).close()
            thread.join()


def slowly(head: bytes, piece: bytes = b"1") -> Babble:
    """Each piece well before any timeout of a single read."""

    def babble() -> Iterator[bytes]:
        yield head
        pause = threading.Event()
        while not pause.wait(0.05):
            yield piece

    return babble


def fast(head: bytes, piece: bytes) -> Babble:
    def babble() -> Iterator[bytes]:
        yield head
        while True:
            yield piece

    return babble


def empty_gzip_blocks() -> Iterator[bytes]:
    """Compressed bytes that hold nothing."""
    packer = zlib.compressobj(wbits=31)
    start = packer.compress(b"")
    yield OK + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield b"%x\r\n%s\r\n" % (len(start), start) if start else b""
    pause = threading.Event()
    while not pause.wait(0.02):
        block = packer.flush(zlib.Z_FULL_FLUSH) or b"\x00\x00\x00\xff\xff"
        yield b"%x\r\n%s\r\n" % (len(block), block)


ENDLESS: dict[str, Babble] = {
    "interim responses": slowly(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "interim responses at full speed": fast(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "a status line": slowly(b"HTTP/1.1 2"),
    "headers": slowly(OK, b"X: y\r\n"),
    "one header": slowly(OK + b"X: "),
    "headers of interim responses at full speed": fast(b"HTTP/1.1 100 Continue\r\n", b"X: y\r\n\r\n" * 1000),
    "a chunk size": slowly(CHUNKED, b"0"),
    "chunks": slowly(CHUNKED, b"1\r\n \r\n"),
    "trailers": slowly(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n"),
    "trailers at full speed": fast(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n" * 1000),
    "empty compressed blocks": empty_gzip_blocks,
    "a body without a length": slowly(OK + b"Connection: close\r\n\r\n", b" "),
}


@pytest.mark.parametrize("babble", ENDLESS.values(), ids=ENDLESS)
def test_an_endless_answer_ends_in_time(babble: Babble) -> None:
    said: list[str] = []
    listener = logger.add(lambda line: said.append(str(line)), level="WARNING", format="{message}")
    began = time.monotonic()
    with endless_server(babble) as url, client_of(url, timeouts=BRIEF) as client:
        with pytest.raises((Unreachable, ContractBroken)) as asked:
            client.get_slice_status(ID)
        with pytest.raises(OutcomeUnknown):
            client.send_build_to_backlog(ID)
    assert time.monotonic() - began < LONGEST_SECONDS
    logger.remove(listener)
    assert "getSliceStatus" in str(asked.value)
    if "0.3 s without a whole answer" in str(asked.value):
        assert any("getSliceStatus hangs: no whole answer after 0." in line for line in said)


@pytest.mark.parametrize("name", ["headers", "trailers", "interim responses"])
def test_an_upload_ends_in_time_too(name: str) -> None:
    began = time.monotonic()
    with endless_server(ENDLESS[name]) as url, client_of(url, timeouts=BRIEF) as client:
        with pytest.raises(OutcomeUnknown, match="uploadStl") as caught:
            client.upload_stl(BytesIO(b"solid x"), "x.stl")
        assert caught.value.timed_out
    assert time.monotonic() - began < LONGEST_SECONDS


def test_a_server_that_takes_an_upload_byte_by_byte_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflow.eiger.transport.MIN_BYTES_PER_SECOND", 2**25)
    done = threading.Event()

    def sip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            while not done.wait(0.02) and connection.recv(2**14):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=sip, args=(listening,))
        thread.start()
        began = time.monotonic()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/api/v3"
        with client_of(url, timeouts=BRIEF) as client, pytest.raises(OutcomeUnknown):
            client.upload_stl(BytesIO(bytes(2**25)), "x.stl")
        assert time.monotonic() - began < LONGEST_SECONDS
        done.set()
        thread.join()


def test_an_answer_above_the_size_limit_breaks_the_contract() -> None:
    with endless_server(fast(OK + b"\r\n", b" " * 65_536)) as url:
        patient = Timeouts(connect_seconds=5, read_seconds=30, upload_seconds=30)
        with client_of(url, timeouts=patient) as client:
            with pytest.raises(ContractBroken) as caught:
                client.get_slice_status(ID)
            with pytest.raises(OutcomeUnknown):
                client.send_build_to_backlog(ID)
    assert str(caught.value) == (
        f"The answer to getSliceStatus from {url} is larger than 16 MB, and stlflow stops reading it."
    )


def test_a_small_answer_that_unpacks_to_a_large_one_is_refused() -> None:
    packer = zlib.compressobj(wbits=31)
    bomb = packer.compress(bytes(2**26)) + packer.flush()
    answer = Answer(200, bomb, {"Content-Encoding": "gzip"})
    with (
        serving(lambda _: answer) as server,
        client_of(server.url) as client,
        pytest.raises(ContractBroken, match="is larger than 16 MB"),
    ):
        client.get_slice_status(ID)


def test_a_download_above_the_size_limit_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflow.eiger.transport.MAX_DOWNLOAD_BYTES", 2**20)
    with (
        endless_server(fast(OK + b"\r\n", b" " * 65_536)) as link,
        serving(lambda _: as_json({"url": link})) as server,
        client_of(server.url) as client,
        pytest.raises(ContractBroken, match=r"The answer to readSignedURL from .* is larger than"),
    ):
        client.download_part_version(ID, tmp_path / "part.stl")
    large = Answer(200, b"x", {"Content-Length": str(2**21)})
    with (
        serving(lambda _: large) as files,
        serving(lambda _: as_json({"url": f"{files.url}/file"})) as server,
        client_of(server.url) as client,
        pytest.raises(ContractBroken, match="is larger than"),
    ):
        client.download_part_version(ID, tmp_path / "part.stl")
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_only_trickles_ends_in_time(tmp_path: Path) -> None:
    began = time.monotonic()
    with (
        endless_server(slowly(OK + b"Connection: close\r\n\r\n")) as link,
        serving(lambda _: as_json({"url": link})) as server,
        client_of(server.url, timeouts=BRIEF) as client,
        pytest.raises(Unreachable, match=r"0\.3 s without a whole answer to readSignedURL"),
    ):
        client.download_part_version(ID, tmp_path / "part.stl")
    assert time.monotonic() - began < LONGEST_SECONDS
    assert list(tmp_path.iterdir()) == []


def test_a_tls_handshake_that_never_ends_is_given_up() -> None:
    """A record of 16 KB that comes byte by byte: each read of the handshake gets something."""
    began = time.monotonic()
    with (
        endless_server(slowly(b"\x16\x03\x03\x40\x00", b"\x02")) as url,
        client_of(url.replace("http://", "https://"), timeouts=BRIEF) as client,
        pytest.raises(Unreachable, match="without a whole answer"),
    ):
        client.get_slice_status(ID)
    assert time.monotonic() - began < LONGEST_SECONDS


def test_limits_can_be_extended_and_watch_late_connections() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, ExchangeLimits("readBuild", 0.05) as limits:
        limits.extend(0.2)
        ours.settimeout(5)
        limits.watch(ours)
        began = time.monotonic()
        assert ours.recv(1) == b""
        assert time.monotonic() - began > 0.15
        assert limits.expired
        late, other = socket.socketpair()
        with late, other:
            late.settimeout(5)
            limits.watch(late)
            assert late.recv(1) == b""


def test_all_calls_share_one_thread_that_watches_them() -> None:
    with serving(lambda _: as_json({"status": "QUEUED"})) as server, client_of(server.url) as client:
        for _ in range(3):
            client.get_slice_status(ID)
    assert len(_watchers()) <= 1


def test_a_short_exchange_ends_in_time_beside_a_long_one() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, ExchangeLimits("long", 600), ExchangeLimits("short", 0.05) as short:
        ours.settimeout(30)
        short.watch(ours)
        assert ours.recv(1) == b""
        assert short.expired


def test_the_watching_thread_ends_with_the_last_exchange_and_comes_again() -> None:
    for _ in range(2):
        with ExchangeLimits("one", 0.01) as limits:
            assert until(lambda: limits.expired, 30)  # called before the next round
        assert until(lambda: not _watchers(), 30)


def _watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "exchange-limits"]
