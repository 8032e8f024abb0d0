"""What is in the inbox and not taken: on Needs attention, on My files, and in the API."""

import getpass
import threading
import time
from pathlib import Path

import pytest

from tests.console.conftest import Site
from tests.stl import box
from tests.waiting import until
from workflow.console import waiting_files
from workflow.console.waiting_files import NO_ANSWER, SLOW_ANSWER, InboxReader
from workflow.intake import InboxListing, Share
from workflow.state_folder import locked_state_folder


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page waits as long as a busy machine takes to read the folder."""
    monkeypatch.setattr(waiting_files, "PAGE_SECONDS", 60.0)


@pytest.fixture
def inbox(site: Site) -> Path:
    Share(site.settings.share).prepare()
    return site.settings.inbox


def test_a_cut_off_file_is_shown_while_it_waits(site: Site, inbox: Path) -> None:
    (inbox / "rush").mkdir()
    (inbox / "rush" / "<b>cut.stl").write_bytes(box()[:-100])
    shown = site.get("/api/attention").json()["inbox"]
    assert [(each["path"], each["kind"]) for each in shown["files"]] == [("rush/<b>cut.stl", "settling")]
    assert shown["files"][0]["why"] == "it is taken once stlflow runs: `stlflow run`."
    page = site.get("/").text
    assert "Waiting for the file" in page
    assert "&lt;b&gt;cut.stl" in page
    assert "It is taken once stlflow runs: <code>stlflow run</code>." in page


def test_beside_a_service_it_says_what_the_file_lacks(site: Site, inbox: Path) -> None:
    (inbox / "cut.stl").write_bytes(box()[:-100])
    (inbox / "order.zip").write_bytes(b"PK")
    with locked_state_folder(site.settings.state):  # as a running service does
        page = site.get("/").text
    assert "It is incomplete: 584 of 684 bytes; if that stays so for 600 s, it is rejected." in page
    assert "Not taken</span> It is not unpacked here" in page


def test_my_files_has_those_of_the_person(site: Site, inbox: Path) -> None:
    (inbox / "own.stl").write_bytes(box())
    (inbox / "dropped.stl").write_bytes(box())
    site.ledger.console_drops.write("dropped.stl", "0" * 64, "kim")
    assert [each["path"] for each in site.get("/api/mine?who=kim").json()["inbox"]["files"]] == [
        "dropped.stl"
    ]
    assert "kim" in site.get("/api/mine").json()["people"]
    own = site.get("/api/mine", params={"who": getpass.getuser()}).json()["inbox"]["files"]
    assert [each["path"] for each in own] == ["own.stl"]
    assert "dropped.stl" in site.get("/mine?who=kim").text
    assert "No file of" not in site.get("/mine?who=kim").text


def test_a_bulk_arrival_is_shown_once_where_it_is_decided(site: Site, inbox: Path) -> None:
    names = [f"part {n:02}.stl" for n in range(60)]
    for name in names:
        (inbox / name).write_bytes(box())
    (inbox / "other.zip").write_bytes(b"PK")
    site.ledger.mass_arrival.add(names)
    shown = site.get("/api/attention").json()
    assert [each["path"] for each in shown["inbox"]["files"]] == ["other.zip"]
    assert shown["inbox"]["more"] == 0
    assert shown["bulk_arrival"]["count"] == 60
    mine = site.get("/api/mine", params={"who": getpass.getuser()}).json()["inbox"]
    assert (len(mine["files"]), mine["more"]) == (50, 11)
    assert "And 11 more." in site.get("/mine", params={"who": getpass.getuser()}).text


def test_a_share_that_is_away_is_said_and_keeps_no_page_waiting(site: Site) -> None:
    page = site.get("/")
    assert page.status_code == 200
    assert "Everything waits for the share." in page.text
    assert site.get("/api/mine").status_code == 200


def test_a_folder_that_hangs_is_read_once_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_files, "PAGE_SECONDS", 0.1)
    go_on, reads = threading.Event(), []

    def read() -> InboxListing:
        reads.append(1)
        go_on.wait(60)
        return InboxListing(count=3)

    reader, began = InboxReader(read), time.monotonic()
    assert reader() == (InboxListing(), SLOW_ANSWER)
    monkeypatch.setattr(waiting_files, "HANGING_SECONDS", 0.0)
    assert reader() == (InboxListing(), NO_ANSWER)
    assert time.monotonic() - began < 5
    go_on.set()
    assert until(lambda: reader()[0].count == 3, 30)
    assert len(reads) == 1
