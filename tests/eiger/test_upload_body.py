"""Uploads stream: memory stays flat, any name is safe, and a file that changes is noticed."""

import threading
import tracemalloc
from email.parser import BytesParser
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.eiger.server import ID, Asked, as_json, client_of, serving
from workflow.eiger import Timeouts
from workflow.eiger.request_body import BodyReadError, FixedLengthFile, StlUpload, encode_multipart
from workflow.errors import OutcomeUnknown

MADE = as_json({"part_version_id": ID, "slice_job_id": ID}, 201, Date="Sat, 01 Aug 2026 12:00:00 GMT")
MEGABYTE = 2**20


def fields_of(asked: Asked) -> dict[str, tuple[str | None, bytes]]:
    """Read the form as a server does: name, file name, content."""
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    parts = BytesParser().parsebytes(head + asked.body).get_payload()
    found: dict[str, tuple[str | None, bytes]] = {}
    for part in parts:
        assert not isinstance(part, str)
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        name = part.get_param("name", header="content-disposition")
        found[str(name)] = (part.get_filename(), content)
    return found


def test_a_form_as_the_contract_wants_it() -> None:
    seen: list[tuple[int, int]] = []
    with serving(lambda _: MADE) as server, client_of(server.url) as client:
        made = client.upload_stl(
            BytesIO(b"solid bracket"),
            "bracket.stl",
            settings_preset_id="p",
            user_id="u",
            folder_id="f",
            on_progress=lambda sent, total: seen.append((sent, total)),
        )
    assert (made.part_version_id, made.slice_job_id) == (ID, ID)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/api/v3/parts/upload_stl")
    assert fields_of(asked) == {
        "settingsPresetId": (None, b"p"),
        "userId": (None, b"u"),
        "folderId": (None, b"f"),
        "stlFile": ("bracket.stl", b"solid bracket"),
    }
    assert seen[-1] == (13, 13)


def test_the_clock_of_the_server_comes_with_the_upload() -> None:
    with serving(lambda _: MADE) as server, client_of(server.url) as client:
        made = client.upload_stl(BytesIO(b"x"), "a.stl")
    assert made.server_time is not None
    assert made.server_time.tzinfo is not None
    assert "stlFile" in fields_of(server.asked[0])
    assert len(fields_of(server.asked[0])) == 1


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ('a "b".stl', "a %22b%22.stl"),
        ("Gehäuse ⌀8 – neu.stl", "Gehäuse ⌀8 – neu.stl"),
        ('x\r\nContent-Type: evil\r\n\r\n".stl', "x Content-Type: evil %22.stl"),
        ("a;b=c\\d.stl", "a;b=c\\d.stl"),
        ("", ""),
    ],
)
def test_no_name_breaks_the_form(name: str, sent: str) -> None:
    with serving(lambda _: MADE) as server, client_of(server.url) as client:
        client.upload_stl(BytesIO(b"x"), name, folder_id="f")
    head, _, _ = server.asked[0].body.partition(b"\r\n\r\nx\r\n")
    lines = head.decode().split("\r\n")
    assert f'Content-Disposition: form-data; name="stlFile"; filename="{sent}"' in lines
    assert server.asked[0].body.count(b"Content-Disposition") == 2


def test_an_upload_begins_at_the_current_position() -> None:
    file = BytesIO(b"headerbody")
    file.seek(6)
    with serving(lambda _: MADE) as server, client_of(server.url) as client:
        client.upload_stl(file, "a.stl")
    assert fields_of(server.asked[0])["stlFile"][1] == b"body"


class Shrinking(BytesIO):
    """A file that somebody cuts while it is read."""

    def read(self, size: int | None = -1) -> bytes:
        chunk = super().read(size)
        self.truncate(self.tell())
        return chunk


class Failing(BytesIO):
    """A file on a disk that breaks."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize(
    ("file", "kind", "sentence"),
    [
        (Shrinking(b"x" * 1_000_000), EOFError, "The file shrank to .* of 1000000 bytes"),
        (Failing(b"x"), OSError, "Input/output error"),
    ],
)
def test_a_file_that_fails_is_no_fault_of_the_network(
    file: BinaryIO, kind: type[Exception], sentence: str
) -> None:
    with (
        serving(lambda _: MADE) as server,
        client_of(server.url) as client,
        pytest.raises(kind, match=sentence),
    ):
        client.upload_stl(file, "a.stl")


def test_a_progress_callback_may_end_the_upload() -> None:
    def enough(_sent: int, _total: int) -> None:
        raise InterruptedError("enough")

    with (
        serving(lambda _: MADE) as server,
        client_of(server.url) as client,
        pytest.raises(InterruptedError, match="enough"),
    ):
        client.upload_stl(BytesIO(b"x" * 100_000), "a.stl", on_progress=enough)


@given(st.binary(max_size=300), st.integers(0, 300), st.lists(st.integers(1, 50), max_size=50))
def test_a_steady_file_gives_what_it_promised(content: bytes, start: int, sizes: list[int]) -> None:
    file = BytesIO(content)
    file.seek(min(start, len(content)))
    steady = FixedLengthFile(StlUpload(file, "x.stl"))
    promised = steady.len
    read = b"".join(steady.read(size) for size in sizes)
    assert len(read) + steady.len == promised
    assert read + steady.read() == content[min(start, len(content)) :]
    assert steady.len == 0
    assert steady.read(10) == b""


def test_bytes_that_are_appended_meanwhile_are_not_sent(tmp_path: Path) -> None:
    place = tmp_path / "growing.stl"
    place.write_bytes(b"first")
    with place.open("rb") as file:
        steady = FixedLengthFile(StlUpload(file, "x.stl"))
        with place.open("ab") as writer:
            writer.write(b"second")
        assert steady.read(100) == b"first"


def test_a_failure_while_reading_is_reported_apart() -> None:
    with pytest.raises(BodyReadError) as caught:
        FixedLengthFile(StlUpload(Failing(b"abc"), "x.stl")).read(1)
    assert isinstance(caught.value.reason, OSError)


def swallow(stream: BufferedIOBase, length: int) -> bytes:
    """Read a body as it comes, and keep none of it."""
    while length > 0 and (chunk := stream.read(min(length, 65_536))):
        length -= len(chunk)
    return b""


def peak_of_upload(size: int, folder: Path) -> int:
    """Upload a file of so many bytes; gives the largest memory that Python held meanwhile."""
    place = folder / "large.stl"
    with place.open("wb") as empty:
        empty.truncate(size)
    with (
        serving(lambda _: MADE, swallow) as server,
        client_of(server.url) as client,
        place.open("rb") as file,
    ):
        client.upload_stl(BytesIO(b"warm up"), "a.stl")
        tracemalloc.start()
        try:
            client.upload_stl(file, "large.stl")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    assert peak_of_upload(20 * MEGABYTE, tmp_path) < 2 * MEGABYTE


@pytest.mark.long
def test_memory_does_not_grow_with_a_large_file_either(tmp_path: Path) -> None:
    assert peak_of_upload(200 * MEGABYTE, tmp_path) < 2 * MEGABYTE


def test_a_server_that_stalls_while_we_send_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    over = threading.Event()

    def stall(stream: BufferedIOBase, length: int) -> bytes:
        over.wait(60)
        return b""

    place = tmp_path / "large.stl"
    with place.open("wb") as empty:
        empty.truncate(64 * MEGABYTE)
    with (
        serving(lambda _: None, stall) as server,
        client_of(server.url, timeouts=Timeouts(0.3, 0.3, 0.3)) as client,
        place.open("rb") as file,
    ):
        with pytest.raises(OutcomeUnknown) as caught:
            client.upload_stl(file, "large.stl")
        over.set()
    assert caught.value.timed_out


def test_the_length_is_reported_before_the_first_byte() -> None:
    form = encode_multipart(StlUpload(BytesIO(b"x" * 1000), "a.stl", {"userId": "u"}))
    length = form.len
    assert form.content_type.startswith("multipart/form-data; boundary=")
    sent = b""
    while chunk := form.read(77):
        sent += chunk
    assert len(sent) == length
