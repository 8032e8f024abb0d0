"""What each kind of receiver gets, and what the page about notices says of it."""

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime

from tests.docs.blocks import ROOT
from workflow.model import NoticeEvent, NoticeText
from workflow.notices.payloads import as_json, sign, slack_document, teams_document, webhook_document

AT = datetime(2026, 11, 27, 9, tzinfo=UTC)
TEXT = NoticeText(
    "a_b*<x>.stl: held",
    (("Why", "3 holes & [12] `open` edges."), ("What to do next", "Correct it.\nDrop it again.")),
    (NoticeEvent.HELD,),
    (17,),
    "https://prints.example.com/s/17",
)


def test_the_page_shows_the_document_of_a_webhook() -> None:
    page = (ROOT / "docs" / "notices.md").read_text("utf-8")
    shown = json.loads(re.findall(r"```text\n(\{.*?\})\n```", page, re.DOTALL)[0])
    made = webhook_document(TEXT, "m1", AT, repeat=False)
    assert made.keys() == shown.keys()
    assert made["at"] == shown["at"]
    assert made["link"] == shown["link"]


def test_a_signature_is_checked_as_the_page_says() -> None:
    body = as_json(webhook_document(TEXT, "m1", AT, repeat=False))
    (found,) = re.findall(r"^t=(\d+),v1=([0-9a-f]{64})$", sign("key", body, AT))
    seconds, digest = found
    assert hmac.new(b"key", f"{seconds}.".encode() + body, hashlib.sha256).hexdigest() == digest
    assert int(seconds) == AT.timestamp()


def test_slack_gets_plain_text() -> None:
    document = json.loads(as_json(slack_document(TEXT)))
    assert {block["text"]["type"] for block in document["blocks"][:3]} == {"plain_text"}
    assert document["text"] == "a_b*&lt;x&gt;.stl: held"
    assert document["blocks"][-1]["elements"][0]["url"] == TEXT.link


def test_a_message_stays_within_what_slack_and_teams_take() -> None:
    long = NoticeText("x" * 500, tuple((f"{at}", "y" * 9_000) for at in range(3)), (NoticeEvent.HELD,))
    slack = json.loads(as_json(slack_document(long)))
    assert len(slack["blocks"][0]["text"]["text"]) <= 150
    assert max(len(block["text"]["text"]) for block in slack["blocks"][1:]) <= 3000
    assert len(as_json(teams_document(long))) < 28_000


def test_a_card_shows_what_would_be_markdown_as_it_is() -> None:
    card = json.loads(as_json(teams_document(TEXT)))["attachments"][0]["content"]
    assert card["body"][0]["text"] == r"a\_b\*<x>.stl: held"
    assert card["body"][2]["text"] == r"3 holes & \[12\] \`open\` edges."
    assert card["body"][4]["text"] == "Correct it.\n\nDrop it again."
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open in stlflow", "url": TEXT.link}]
