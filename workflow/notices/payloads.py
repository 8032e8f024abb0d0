"""What each kind of receiver gets: JSON of our own for webhooks, blocks for Slack, a card for Teams."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from workflow.model import NoticeText

VERSION = 1
_MAX_SLACK_TEXT = 2_900
"""Slack takes 3,000 characters in one section."""
_MAX_CARD_TEXT = 4_000
"""A card may have 28 kB in all."""


def webhook_document(text: NoticeText, message: str, at: datetime, *, repeat: bool) -> dict[str, object]:
    """Return what a webhook gets. `id` stays the same when a message is sent again."""
    return {
        "version": VERSION,
        "id": message,
        "at": at.isoformat(),
        "events": list(text.events),
        "submissions": list(text.submissions),
        "title": text.title,
        "paragraphs": [{"title": title, "text": words} for title, words in text.paragraphs],
        "link": text.link,
        "decide_link": text.decide_link,
        "may_be_a_repeat": repeat,
    }


def sign(key: str, body: bytes, at: datetime) -> str:
    """Return the signature of a body: `t=SECONDS,v1=HEX`, HMAC-SHA256 over `SECONDS.BODY`."""
    seconds = f"{at.timestamp():.0f}"
    digest = hmac.new(key.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def slack_document(text: NoticeText) -> dict[str, object]:
    """Return a message for a Slack incoming webhook. Nothing in it is read as markup of Slack's."""
    blocks: list[dict[str, object]] = [
        {"type": "header", "text": {"type": "plain_text", "text": text.title[:150]}}
    ]
    for title, words in text.paragraphs:
        section = f"{title}\n{words}"[:_MAX_SLACK_TEXT]
        blocks.append({"type": "section", "text": {"type": "plain_text", "text": section}})
    buttons = [
        {"type": "button", "text": {"type": "plain_text", "text": title}, "url": url}
        for title, url in links_of(text)
    ]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return {"text": _escape_for_slack(text.title), "blocks": blocks[:50]}


def _escape_for_slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def teams_document(text: NoticeText) -> dict[str, object]:
    """Return an adaptive card for a Teams workflow. Its button opens the console."""
    card: dict[str, object] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": list(_card_body(text)),
    }
    actions = [{"type": "Action.OpenUrl", "title": title, "url": url} for title, url in links_of(text)]
    if actions:
        card["actions"] = actions
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def _card_body(text: NoticeText) -> Iterator[Mapping[str, object]]:
    yield {
        "type": "TextBlock",
        "text": _plain(text.title),
        "weight": "Bolder",
        "size": "Medium",
        "wrap": True,
    }
    for title, words in text.paragraphs:
        yield {
            "type": "TextBlock",
            "text": _plain(title),
            "weight": "Bolder",
            "wrap": True,
            "spacing": "Medium",
        }
        yield {"type": "TextBlock", "text": _plain(words[:_MAX_CARD_TEXT]), "wrap": True, "spacing": "None"}


def _plain(text: str) -> str:
    """Escape what a card reads as Markdown, and keep the lines."""
    for sign_of_markdown in ("\\", "*", "_", "[", "]", "`", "#", "~"):
        text = text.replace(sign_of_markdown, f"\\{sign_of_markdown}")
    return text.replace("\n", "\n\n")


def links_of(text: NoticeText) -> list[tuple[str, str]]:
    """Return the links of a message with what is written on them."""
    links = (("Release or reject…", text.decide_link), ("Open in stlflow", text.link))
    return [(title, url) for title, url in links if url is not None]


def as_json(document: Mapping[str, object]) -> bytes:
    """Return the document as it is sent."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
