"""Uploads over HTTP: streamed, complete, and refused if they can't be sliced."""

import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from requests_toolbelt import MultipartEncoder

from tests.simulator.caller import UNKNOWN_ID, Caller, ascii_text, cube, cube_facets
from workflow.simulator.contract import InvalidRequest
from workflow.simulator.upload import UploadForm, read_form

BOUNDARY = "limit"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def read(body: bytes, pieces: int = 7, content_type: str = CONTENT_TYPE) -> UploadForm:
    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), pieces):
            yield body[start : start + pieces]

    return anyio.run(read_form, content_type, in_pieces(), Path("target"))


def multipart(*parts: tuple[str, bytes]) -> bytes:
    body = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
        for head, content in parts
    )
    return body + f"--{BOUNDARY}--\r\n".encode()


FILE = 'name="stlFile"; filename="bracket.stl"'


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_fields_and_file_in_whatever_pieces_they_come(pieces: int) -> None:
    content = b"line\r\n--limi\r\nt" * 9
    form = read(multipart(('name="userId"', b"42"), (FILE, content), ('name="folderId"', b"7")), pieces)
    assert form.fields == {"userId": "42", "folderId": "7"}
    assert form.file is not None
    assert form.file.path.read_bytes() == content
    assert form.file.sha256 == hashlib.sha256(content).hexdigest()
    assert (form.file.name, form.file.size) == ("bracket.stl", len(content))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (multipart((FILE, b"a"), (FILE, b"b")), "stlFile is given twice."),
        (multipart((FILE, b"a"), ('name="userId"', b"x" * 2000)), "userId has more than 1024 bytes."),
        (multipart(*[(f'name="f{n}"', b"") for n in range(60)]), "More than 50 fields."),
        (multipart((FILE, b"a" * 500))[:-20], "The multipart body ends before its last boundary."),
        (b"no multipart at all", "The multipart body can't be read."),
    ],
)
def test_a_broken_form_leaves_nothing_behind(body: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(body)
    assert str(refused.value) == message
    assert not Path("target").exists()


def test_other_content_types_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="Send multipart/form-data with stlFile"):
        read(b"{}", content_type="application/json")


def test_what_arrives_is_what_was_sent(eiger: Caller) -> None:
    stl = ascii_text(cube_facets())
    made = eiger.part(stl, "clip.stl")
    (version,) = eiger.control("GET", "world")["part_versions"]
    assert version["id"] == made["part_version_id"]
    assert version["sha256"] == hashlib.sha256(stl).hexdigest()
    assert (version["size"], version["format"], version["size_mm"]) == (len(stl), "ascii", [10, 10, 10])


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("bracket.stl", "bracket"),
        ("BRACKET.STL", "BRACKET"),
        ("v1.2 final", "v1.2 final"),
        ("Gehäuse.stl", "Gehäuse"),
    ],
)
def test_the_title_is_the_files_name(eiger: Caller, name: str, title: str) -> None:
    encoder = MultipartEncoder({"stlFile": (name, cube())})
    reply = eiger.call(
        "POST", "/parts/upload_stl", data=encoder, headers={"Content-Type": encoder.content_type}
    )
    version = eiger.get(f"/part_versions/{reply.json()['part_version_id']}")
    assert version["title"] == title


@pytest.mark.parametrize("content", [b"", b"<html>Sign in</html>", cube()[:-1]])
def test_other_content_is_400_and_leaves_nothing(eiger: Caller, content: bytes) -> None:
    reply = eiger.upload(content)
    assert reply.status_code == 400
    assert reply.json()["message"].startswith("stlFile is not an STL")
    assert eiger.control("GET", "world")["parts"] == []


def test_a_text_field_is_not_a_file(eiger: Caller) -> None:
    reply = eiger.call("POST", "/parts/upload_stl", files={"stlFile": (None, "bracket.stl")})
    assert (reply.status_code, reply.json()) == (400, {"message": "stlFile must be a file."})


@pytest.mark.parametrize(
    ("field", "value", "status", "message"),
    [
        ("settingsPresetId", "Onyx", 400, "settingsPresetId must be a uuid, not 'Onyx'."),
        ("settingsPresetId", UNKNOWN_ID, 500, f"No settings preset has the id {UNKNOWN_ID}."),
        ("userId", UNKNOWN_ID, 500, f"No user has the id {UNKNOWN_ID}."),
        ("folderId", UNKNOWN_ID, 500, f"No folder has the id {UNKNOWN_ID}."),
    ],
)
def test_ids_of_an_upload_are_checked(
    eiger: Caller, field: str, value: str, status: int, message: str
) -> None:
    reply = eiger.upload(cube(), **{field: value})
    assert (reply.status_code, reply.json()) == (status, {"message": message})


def test_owner_and_folder_are_kept(eiger: Caller) -> None:
    world = eiger.control("GET", "world")
    owner, folder = world["users"][0]["id"], world["folders"][0]["id"]
    eiger.part(cube(), userId=owner, folderId=folder)
    (part,) = eiger.control("GET", "world")["parts"]
    assert (part["owner_id"], part["folder_id"]) == (owner, folder)


def test_reading_a_form_takes_memory_that_does_not_grow_with_it() -> None:
    block = b"\0" * 65_536

    async def long_body() -> AsyncIterator[bytes]:
        yield f"--{BOUNDARY}\r\nContent-Disposition: form-data; {FILE}\r\n\r\n".encode()
        for _ in range(320):  # 20 MB
            yield block
        yield f"\r\n--{BOUNDARY}--\r\n".encode()

    tracemalloc.start()
    form = anyio.run(read_form, CONTENT_TYPE, long_body(), Path("target"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert form.file is not None
    assert form.file.size == 320 * len(block)
    assert peak < 2_000_000
