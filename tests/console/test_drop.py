"""Files dropped onto the page: whole files in the inbox, through the same gate, or nothing at all."""

import hashlib
import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.console.conftest import OpenSite, Site, bearer
from tests.stl import box
from workflow.intake import scan_inbox

PART = box(30, 20, 10)


def drop(site: Site, name: str, content: bytes = PART, **fields: Any) -> requests.Response:
    """Send a file as the page does: the token before the file."""
    before = {"csrf": (None, site.csrf()), **{key: (None, value) for key, value in fields.items()}}
    return site.session.post(
        f"{site.url}/drop",
        files=[*before.items(), ("files", (name, content))],
        timeout=60,
        allow_redirects=False,
    )


@pytest.fixture
def inbox(site: Site) -> Path:
    place = site.settings.share / "inbox"
    (place / "rush").mkdir(parents=True)
    return place


def files(inbox: Path) -> list[str]:
    return sorted(each.relative_to(inbox).as_posix() for each in inbox.rglob("*") if each.is_file())


def test_a_file_is_in_the_inbox_as_it_was(site: Site, inbox: Path) -> None:
    assert drop(site, "bracket.stl").status_code == 303
    assert (inbox / "bracket.stl").read_bytes() == PART
    assert "bracket.stl is in the inbox." in site.get("/").text
    drop(site, "bracket.stl", PART * 2, folder="rush")
    drop(site, "bracket.stl", PART[:-50] + bytes(50))
    assert files(inbox) == ["bracket (2).stl", "bracket.stl", "rush/bracket.stl"]  # nothing is overwritten


def test_who_dropped_it_is_noted_for_the_place_that_it_got(open_site: OpenSite, tmp_path: Path) -> None:
    (tmp_path / "share" / "inbox").mkdir(parents=True)
    site = open_site(console_login=True)
    other = box(1, 2, 3)
    for name, content in (("Willi", PART), ("Ada", other)):
        site.session.headers.update(bearer(name))
        assert drop(site, "bracket.stl", content).status_code == 303
    found = site.ledger.console_drops.find
    numbers = {content: hashlib.sha256(content).hexdigest() for content in (PART, other)}
    assert found("bracket.stl", numbers[PART]) == "Willi"
    assert found("bracket (2).stl", numbers[other]) == "Ada"
    assert found("lid.stl", numbers[PART]) is None


@pytest.mark.parametrize(
    ("name", "placed"),
    [
        ("../../etc/x.stl", "x.stl"),
        ("C:\\parts\\x.STL", "x.STL"),
        ("..stl.stl", "stl.stl"),
        ('a<b>:"|?*.stl', "a_b______.stl"),
        ("x\N{RIGHT-TO-LEFT OVERRIDE}.stl", "x\N{REPLACEMENT CHARACTER}.stl"),
        ("ä" * 200 + ".stl", "ä" * 125 + ".stl"),
        (" .hidden.stl ", "hidden.stl"),
    ],
)
def test_names_are_made_plain(site: Site, inbox: Path, name: str, placed: str) -> None:
    reply = drop(site, name)
    assert reply.status_code == 303, reply.text
    assert files(inbox) == [placed]


@pytest.mark.parametrize("name", ["notes.txt", "x.stl.exe", "x.step", ".stl", "x.stl~", "x.stl.part"])
def test_what_is_no_part_is_refused(site: Site, inbox: Path, name: str) -> None:
    reply = drop(site, name)
    assert (reply.status_code, "only .stl files are" in reply.text) == (400, True)
    assert files(inbox) == []


def test_a_lock_file_is_not_told_that_it_is_no_stl(site: Site, inbox: Path) -> None:
    reply = drop(site, "~$lock.stl")
    assert (reply.status_code, "a program names its temporary files so" in reply.text) == (400, True)
    assert "only .stl files are" not in reply.text
    assert files(inbox) == []


@pytest.mark.parametrize("folder", ["../held", "rush/../..", ".stlflow", "a\\b", "nowhere"])
def test_no_folder_outside_of_the_inbox(site: Site, inbox: Path, folder: str) -> None:
    assert drop(site, "x.stl", folder=folder).status_code in {400, 507}
    assert files(inbox) == []


def test_a_link_in_the_inbox_is_not_followed(site: Site, inbox: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (inbox / "link").symlink_to(tmp_path / "elsewhere")
    assert drop(site, "x.stl", folder="link").status_code == 507
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_that_is_too_large_leaves_nothing(open_site: OpenSite, tmp_path: Path) -> None:
    (tmp_path / "share" / "inbox").mkdir(parents=True)
    site = open_site(largest_file_mb=1)
    reply = drop(site, "x.stl", bytes(2 * 2**20))
    assert (reply.status_code, "larger than 1 MB" in reply.text) == (400, True)
    assert files(tmp_path / "share" / "inbox") == []


def test_half_a_file_is_never_in_the_inbox(site: Site, inbox: Path) -> None:
    """The connection ends within the file: nothing of it stays, and no scan ever saw it."""
    boundary = b"--x"
    head = (
        boundary
        + b'\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n'
        + site.csrf().encode()
        + b"\r\n"
        + boundary
        + b'\r\nContent-Disposition: form-data; name="files"; filename="half.stl"\r\n\r\n'
    )
    seen = []

    def body() -> Any:
        yield head + PART[:200]
        seen.append(scan_inbox(inbox).paths)
        yield PART[200:300]

    reply = site.session.post(
        f"{site.url}/drop",
        data=body(),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
        timeout=60,
    )
    assert (reply.status_code, "cut off" in reply.text) == (400, True)
    assert seen == [frozenset()]
    assert files(inbox) == []


def test_without_the_token_of_a_page_nothing_is_written(site: Site, inbox: Path) -> None:
    forms: list[dict[str, tuple[str | None, str]]] = [{}, {"csrf": (None, "wrong")}]
    for before in forms:
        sent: list[tuple[str, tuple[str | None, str | bytes]]] = [*before.items(), ("files", ("x.stl", PART))]
        assert site.session.post(f"{site.url}/drop", files=sent, timeout=60).status_code == 403
    assert files(inbox) == []


def test_who_may_only_look_drops_nothing(open_site: OpenSite, tmp_path: Path) -> None:
    (tmp_path / "share" / "inbox").mkdir(parents=True)
    site = open_site(console_login=True)
    site.session.headers.update(bearer("Vera"))
    assert drop(site, "x.stl").status_code == 403
    assert files(tmp_path / "share" / "inbox") == []


def test_a_read_only_inbox_takes_nothing(open_site: OpenSite, tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    site = open_site(read_only_inbox=tmp_path / "exports")
    reply = drop(site, "x.stl")
    assert (reply.status_code, "read-only" in reply.text) == (400, True)
    assert "read-only" in site.get("/drop").text


def test_an_absent_share_is_said(site: Site) -> None:
    reply = drop(site, "x.stl")
    assert (reply.status_code, "can&#39;t be reached" in reply.text) == (400, True)


TOO_LARGE = b"is larger than 1 MB, the most that is taken."


@pytest.fixture
def site_of_1_mb(open_site: OpenSite, tmp_path: Path) -> Site:
    (tmp_path / "share" / "inbox").mkdir(parents=True)
    return open_site(largest_file_mb=1)


def answer_to(site: Site, head: str, pieces: Iterable[bytes]) -> bytes:
    """Send an upload that never ends, and return all that comes until the server closes the connection."""
    host, port = site.url.removeprefix("http://").split(":")
    cookies = "; ".join(f"{name}={value}" for name, value in site.session.cookies.items())
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall(
            f"POST /drop HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookies}\r\n{head}\r\n"
            "Accept: application/json\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n".encode()
        )
        with suppress(ConnectionError):
            for piece in pieces:
                line.sendall(piece)
        said = b""
        with suppress(ConnectionError):
            while more := line.recv(1 << 16):
                said += more
        return said


def test_an_upload_that_says_that_it_is_too_large_is_refused_unread(site_of_1_mb: Site) -> None:
    said = answer_to(site_of_1_mb, f"Content-Length: {5 * 2**30}", [])
    assert said.startswith(b"HTTP/1.1 400 ")
    assert TOO_LARGE in said


def test_an_upload_that_does_not_say_so_is_refused_at_the_limit(site_of_1_mb: Site) -> None:
    begin = (
        f'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{site_of_1_mb.csrf()}\r\n'
        '--x\r\nContent-Disposition: form-data; name="files"; filename="large.stl"\r\n\r\n'
    ).encode()
    chunks = (b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (begin, *[bytes(1 << 16)] * 40))
    said = answer_to(site_of_1_mb, "Transfer-Encoding: chunked", chunks)
    assert b"large.stl " + TOO_LARGE in said
    assert files(site_of_1_mb.settings.inbox) == []


def test_an_upload_of_a_stranger_is_not_read(open_site: OpenSite) -> None:
    said = answer_to(open_site(console_login=True), f"Content-Length: {5 * 2**30}", [])
    assert said.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in said.lower()
