"""Notices of a real service: no file waits for a receiver, no secret shows, and a kill loses nothing."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
import requests

from tests.cli.command import Desk
from tests.cloud import Cloud, simulated
from tests.notices.receivers import Receiver, http_receiver
from tests.pipeline.conftest import Shop, dispatched, held, opened
from tests.stl import box, open_box
from tests.waiting import until
from workflow.console import make_console, open_listener, running_console

SECRET = "s3cret-t0ken"
PAGES = (
    *("/", "/submissions", "/submissions.csv", "/mine", "/s/1", "/s/2", "/s/1/note.txt", "/health", "/rules"),
    *(
        "/printers",
        "/wall",
        "/metrics",
        "/readyz",
        "/health/bundle.zip",
        "/api/health",
        "/api/s/1",
        "/api/submissions",
    ),
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflow.pipeline.notifier.POLL_SECONDS", 0.05)
    monkeypatch.setattr("workflow.notices.plan._BACKOFF_SECONDS", (0.2,))


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with simulated() as cloud:
        yield cloud


def has_more(receiver: Receiver, count: int) -> bool:
    return len(receiver.got) > count


def settings_file(folder: Path, receiver: Receiver) -> None:
    """Write settings with one target that hears of everything."""
    (folder / "stlflow.toml").write_text(
        "[notices]\ngather_seconds = 0\n[notices.targets.shop]\ninternal = true\n"
        f'webhook = "{receiver.url}?token={SECRET}"\nkey = "{SECRET}"\n'
        'events = ["held", "rejected", "sent", "printed", "failed", "late", "trouble", "trouble_over"]\n',
        "utf-8",
    )


def test_who_drops_a_file_hears_of_it_once_and_no_secret_shows(
    receiver: Receiver, cloud: Cloud, tmp_path: Path
) -> None:
    settings_file(tmp_path, receiver)
    with opened(tmp_path, cloud) as shop:
        receiver.behavior = "503"
        shop.drop("gap.stl", open_box(30))
        shop.wait("gap.stl", held)
        assert until(lambda: receiver.asked, 60)
        receiver.behavior = "take"
        shop.drop("fine.stl", box(20))
        shop.wait("fine.stl", dispatched)
        assert until(lambda: len(receiver.got) == 2, 60)
        titles = {document["title"] for document in receiver.documents()}
        assert titles == {"gap.stl: held", "fine.stl: sent"}
        headers, _ = receiver.got[0]
        assert headers["X-Stlflow-Signature"].startswith("t=")
        pages = read_console(shop)
    assert [path for path, content in pages.items() if SECRET.encode() in content] == []
    shown = {place: place.read_bytes() for place in tmp_path.rglob("*") if place.is_file()}
    del shown[tmp_path / "stlflow.toml"]
    assert any(place.name == "stlflow.db" for place in shown)
    assert [str(place) for place, content in shown.items() if SECRET.encode() in content] == []


def read_console(shop: Shop) -> dict[str, bytes]:
    """Return every page of the console that a person may open, the support bundle's files among them."""
    listener = open_listener("127.0.0.1", 0)
    with (
        closing(listener),
        running_console(make_console(shop.settings, shop.service.ledger), listener) as url,
    ):
        assert until(lambda: "Checked " in requests.get(f"{url}/health", timeout=60).text, 60)
        read = {path: requests.get(f"{url}{path}", timeout=60) for path in PAGES}
        assert {
            path: answer.status_code for path, answer in read.items() if answer.status_code not in {200, 503}
        } == {}
    with ZipFile(BytesIO(read["/health/bundle.zip"].content)) as bundle:
        inside = {name: bundle.read(name) for name in bundle.namelist()}
    return {path: answer.content for path, answer in read.items()} | inside


def test_a_receiver_that_hangs_delays_no_file(receiver: Receiver, cloud: Cloud, tmp_path: Path) -> None:
    settings_file(tmp_path, receiver)
    receiver.behavior = "hang"
    with opened(tmp_path, cloud) as shop:
        shop.drop("first.stl", box(20))
        assert until(lambda: receiver.asked, 60), "it hangs now"
        for at in range(5):
            shop.drop(f"{at}.stl", box(21 + at))
        for at in range(5):
            shop.wait(f"{at}.stl", dispatched)
        assert receiver.asked == 1, "all of them ended while the first message was still hanging"
        receiver.released.set()


def test_a_kill_while_a_message_is_sent_loses_nothing(
    receiver: Receiver, cloud: Cloud, tmp_path: Path
) -> None:
    """Killed with -9 again and again while the receiver has the message and has not replied."""
    desk, victims = Desk(tmp_path, cloud.url), 2
    settings_file(desk.folder, receiver)
    (desk.share / "inbox").mkdir(parents=True)
    receiver.behavior = "hang"
    desk.drop("gap.stl", open_box(30))
    for _ in range(victims):
        before = len(receiver.got)
        with desk.serving() as service:
            assert until(partial(has_more, receiver, before), 90), service.said()
            service.process.kill()
            service.process.wait(60)
    receiver.behavior = "take"
    with desk.serving() as service:
        assert until(partial(has_more, receiver, victims), 90), service.said()
    documents = receiver.documents()
    assert {document["title"] for document in documents} == {"gap.stl: held"}
    assert len({document["id"] for document in documents}) == 1, "the receiver sees that it has it already"
    assert [document["may_be_a_repeat"] for document in documents] == [False] + [True] * victims
