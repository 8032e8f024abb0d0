"""Delivery of one message over the channel of its target."""

from datetime import datetime

from workflow.model import NoticeText
from workflow.notices.http_post import NotDelivered, Reach, post
from workflow.notices.payloads import (
    as_json,
    links_of,
    sign,
    slack_document,
    teams_document,
    webhook_document,
)
from workflow.settings import NoticeSettings, NoticeTarget, split_addresses

REPEATABLE_CHANNELS = frozenset({"webhook"})
"""The receiver knows a message by its id, so that it may be sent until a reply comes."""


def deliver(
    target: NoticeTarget,
    text: NoticeText,
    message: str,
    at: datetime,
    *,
    settings: NoticeSettings,
    ca_bundle: str | None = None,
    proxy: str | None = None,
    repeat: bool = False,
) -> None:
    """Send one message. Raises NotDelivered with the reason, without any secret."""
    address = target.address.get_secret_value()
    reach = Reach(target.internal, ca_bundle, proxy=proxy)
    match target.channel:
        case "webhook":
            body = as_json(webhook_document(text, message, at, repeat=repeat))
            headers = {"Content-Type": "application/json", "Idempotency-Key": message}
            if target.key is not None:
                headers["X-Stlflow-Signature"] = sign(target.key.get_secret_value(), body, at)
            post(address, body, headers, reach)
        case "slack":
            post(address, as_json(slack_document(text)), {"Content-Type": "application/json"}, reach)
        case "teams":
            post(address, as_json(teams_document(text)), {"Content-Type": "application/json"}, reach)
        case "mail":
            _mail(text, split_addresses(address), message, at, settings, ca_bundle)
        case _:
            _notify_by_apprise(address, text)


def _mail(
    text: NoticeText,
    to: list[str],
    message: str,
    at: datetime,
    settings: NoticeSettings,
    ca_bundle: str | None,
) -> None:
    from workflow.notices.mail import MailServer, mail_message, send_mail  # 4 MB that few services need

    if settings.mail_server is None:
        raise NotDelivered("no mail server is set: set notices.mail_server")
    password = settings.mail_password.get_secret_value() if settings.mail_password is not None else ""
    server = MailServer(settings.mail_server.get_secret_value(), password, settings.mail_from, ca_bundle)
    send_mail(mail_message(text, to, server.from_address, message, at), to, server)


def _notify_by_apprise(address: str, text: NoticeText) -> None:
    try:
        import apprise  # of an extra
    except ImportError:
        raise NotDelivered("Apprise is not installed: `pip install 'stlflow[apprise]'`") from None
    notifier = apprise.Apprise()
    if not notifier.add(address):
        raise NotDelivered("Apprise does not know this kind of URL, or something in it is missing")
    parts = [*text.paragraphs, *links_of(text)]
    body = "\n\n".join(f"{title}\n{words}" for title, words in parts)
    if not notifier.notify(body=body, title=text.title):
        raise NotDelivered("Apprise could not deliver it, and does not say why")
