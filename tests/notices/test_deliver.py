"""One message over each channel to a local receiver, as a target of the settings says."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec

import pytest

from tests.notices.outbox import target
from tests.notices.receivers import Receiver, http_receiver
from workflow.model import NoticeEvent, NoticeText
from workflow.notices import NotDelivered, deliver
from workflow.settings import NoticeSettings

AT = datetime(2026, 11, 27, 9, tzinfo=UTC)
TEXT = NoticeText(
    "bracket.stl: held", (("Why", "3 holes."),), (NoticeEvent.HELD,), (17,), "https://x.example.com/s/17"
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as receiver:
        yield receiver


def send(url: str, channel: str, **more: object) -> None:
    deliver(target(url, channel, **more), TEXT, "m17", AT, settings=NoticeSettings())


def test_each_channel_gets_its_own_document(receiver: Receiver) -> None:
    for channel in ("webhook", "slack", "teams"):
        send(receiver.url, channel)
    webhook, slack, teams = receiver.documents()
    assert (webhook["id"], webhook["title"]) == ("m17", "bracket.stl: held")
    assert slack["blocks"][0]["text"]["text"] == "bracket.stl: held"
    assert teams["attachments"][0]["contentType"] == "application/vnd.microsoft.card.adaptive"


def test_only_a_target_with_a_key_gets_a_signature(receiver: Receiver) -> None:
    send(receiver.url, "webhook")
    send(receiver.url, "webhook", key="k")
    assert ["X-Stlflow-Signature" in headers for headers, _ in receiver.got] == [False, True]


def test_a_target_that_is_not_internal_reaches_nothing_here(receiver: Receiver) -> None:
    with pytest.raises(NotDelivered, match="inside this network"):
        send(receiver.url, "teams", internal=False)
    assert receiver.asked == 0


def test_mail_without_a_server_says_what_is_missing() -> None:
    with pytest.raises(NotDelivered, match=r"set notices\.mail_server"):
        send("anna@example.com", "mail")


@pytest.mark.skipif(find_spec("apprise") is not None, reason="Apprise is here")
def test_without_apprise_it_says_how_to_get_it() -> None:
    with pytest.raises(NotDelivered, match=r"pip install 'stlflow\[apprise\]'"):
        send("json://127.0.0.1/s3cret", "apprise")


@pytest.mark.skipif(find_spec("apprise") is None, reason="Apprise is an extra")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_apprise_delivers_and_says_when_it_could_not(receiver: Receiver) -> None:
    url = receiver.url.replace("http://", "json://")
    send(url, "apprise")
    (document,) = receiver.documents()
    assert document["title"] == "bracket.stl: held"
    receiver.behavior = "500"
    for wrong in (url, "nonsense://s3cret"):
        with pytest.raises(NotDelivered) as failed:
            send(wrong, "apprise")
        assert "s3cret" not in str(failed.value)
