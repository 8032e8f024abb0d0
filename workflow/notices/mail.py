"""Mail: plain text and HTML, the picture inline, over SMTP with TLS and a checked certificate."""

import smtplib
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from textwrap import indent
from typing import Any
from urllib.parse import unquote, urlsplit

from workflow.errors import error_reason
from workflow.frozen import frozen
from workflow.model import NoticeText
from workflow.notices.http_post import LIMIT_SECONDS, NotDelivered, tls_context
from workflow.notices.payloads import links_of

_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
INDENT = "  "
MAIL_TIMEOUTS = 3
"""One mail is a dozen exchanges: all together may take so many times the limit of one."""
_STYLE = "font-family:sans-serif;max-width:40em"


@frozen
class MailServer:
    """The server that takes our mail; its text shows no password."""

    url: str
    password: str = ""
    sender: str | None = None
    ca_bundle: str | None = None
    limit_seconds: float = LIMIT_SECONDS

    def __repr__(self) -> str:
        """Return the host alone."""
        return f"MailServer({urlsplit(self.url).hostname!r})"

    @property
    def from_address(self) -> str:
        """Return the sender: the one set, or stlflow on this machine."""
        return self.sender or f"stlflow@{socket.gethostname() or 'localhost'}"


def mail_message(
    text: NoticeText, to: Sequence[str], sender: str, message: str, at: datetime
) -> EmailMessage:
    """Return the mail. Its Message-ID stays the same when it is sent again: most servers drop the second."""
    mail = EmailMessage()
    mail["Subject"] = " ".join(text.title.split())
    mail["From"] = Address("stlflow", addr_spec=sender)
    mail["To"] = ", ".join(to)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{message}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_plain_text(text))
    mail.add_alternative(_html(text), subtype="html")
    if text.picture is not None:
        *_, page = mail.iter_parts()
        if isinstance(page, EmailMessage):
            page.add_related(
                text.picture, "image", "png", cid="<picture>", filename="part.png", disposition="inline"
            )
    return mail


def _plain_text(text: NoticeText) -> str:
    parts = [f"{title}\n{indent(words.strip(), INDENT)}" for title, words in text.paragraphs]
    links = [f"{title}: {url}" for title, url in links_of(text)]
    return "\n\n".join([text.title, *parts, *links]) + "\n"


def _html(text: NoticeText) -> str:
    parts = "".join(
        f"<h3>{escape(title)}</h3><p>{escape(words).replace(chr(10), '<br>')}</p>"
        for title, words in text.paragraphs
    )
    picture = '<p><img src="cid:picture" alt="The part" style="max-width:100%"></p>' if text.picture else ""
    link = "".join(f'<p><a href="{escape(url)}">{escape(title)}</a></p>' for title, url in links_of(text))
    return f'<div style="{_STYLE}"><h2>{escape(text.title)}</h2>{parts}{picture}{link}</div>'


class _LimitedSMTP(smtplib.SMTP):
    """A connection that ends when its time is up: a server may send a byte now and then for ever."""

    def connect(
        self, host: str = "localhost", port: int = 0, source_address: Any = None
    ) -> tuple[int, bytes]:
        self._limit = threading.Timer(MAIL_TIMEOUTS * self.timeout, self._shut_down)
        self._limit.daemon = True
        self._limit.start()
        return super().connect(host, port, source_address)

    def _shut_down(self) -> None:
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._limit.cancel()
        super().close()


class _LimitedSMTPS(_LimitedSMTP, smtplib.SMTP_SSL):
    """The same, encrypted from the start."""


def send_mail(mail: EmailMessage, to: Sequence[str], server: MailServer) -> None:
    """Hand a mail to the server. Raises NotDelivered."""
    host = urlsplit(server.url).hostname or ""
    try:
        smtp = _log_in(server)
    except (OSError, ValueError, smtplib.SMTPException) as error:  # ValueError: no ASCII in user or password
        raise NotDelivered(f"the mail server {host}: {_reason(error)}") from None
    try:
        _submit(smtp, mail, to, server, host)
    finally:
        smtp.close()


def _submit(smtp: smtplib.SMTP, mail: EmailMessage, to: Sequence[str], server: MailServer, host: str) -> None:
    try:
        code, _ = smtp.mail(server.from_address)
        taken = [smtp.rcpt(address)[0] for address in to]
    except (OSError, smtplib.SMTPException) as error:
        raise NotDelivered(f"the mail server {host}: {_reason(error)}") from None
    if code >= 400 or all(each >= 400 for each in taken):
        refused = code if code >= 400 else max(taken)
        raise NotDelivered(f"the mail server {host} refuses sender or recipients ({refused})")
    try:
        code, _ = smtp.data(mail.as_bytes(policy=SMTP))
    except smtplib.SMTPDataError as error:
        raise NotDelivered(f"the mail server {host}: {_reason(error)}") from None
    except (OSError, smtplib.SMTPException) as error:
        text = f"the mail server {host} got the mail and sent no reply ({type(error).__name__})"
        raise NotDelivered(text, may_have_arrived=True) from None
    if code >= 400:
        raise NotDelivered(f"the mail server {host} refuses the mail ({code})")


def _log_in(server: MailServer) -> smtplib.SMTP:
    parts = urlsplit(server.url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    context = tls_context(server.ca_bundle)
    smtp: smtplib.SMTP
    if parts.scheme == "smtps":
        smtp = _LimitedSMTPS(host, port, timeout=server.limit_seconds, context=context)
    else:
        smtp = _LimitedSMTP(host, port, timeout=server.limit_seconds)
    try:
        smtp.ehlo_or_helo_if_needed()
        if parts.scheme == "smtp":
            smtp.starttls(context=context)
            smtp.ehlo()
        if parts.username:
            smtp.login(unquote(parts.username), server.password)
    except (OSError, smtplib.SMTPException):
        smtp.close()
        raise
    return smtp


def _reason(error: Exception) -> str:
    """Return why, without the server's own words: they may repeat what was sent."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"it refuses user or password ({error.smtp_code})"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"it answered {error.smtp_code}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "it offers no encryption (STARTTLS), or no login"
    return error_reason(error) if isinstance(error, OSError) else type(error).__name__
