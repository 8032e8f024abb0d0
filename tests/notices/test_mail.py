"""Mail over a real SMTP server: encrypted, with a login, the picture inline."""

import email
import socket
import threading
from datetime import UTC, datetime
from email import policy
from pathlib import Path

import pytest
import trustme

from tests.notices.receivers import MailBox, dripping, mail_server
from workflow.model import NoticeEvent, NoticeText
from workflow.notices.http_post import NotDelivered
from workflow.notices.mail import MailServer, mail_message, send_mail

AT = datetime(2026, 11, 27, 9, tzinfo=UTC)
PICTURE = b"\x89PNG\r\n\x1a\n picture"
TEXT = NoticeText(
    "bracket <1>.stl: held",
    (("Why", "3 holes & 12 open edges."), ("What to do next", "Correct it.\nThen drop it again.")),
    (NoticeEvent.HELD,),
    (17,),
    "https://prints.example.com/s/17",
    PICTURE,
)
TO = ["anna@example.com", "bob@example.com"]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


def send(box: MailBox, bundle: str | None, password: str = "", limit: float = 30) -> None:
    server = MailServer(box.url, password, "stlflow@example.com", bundle, limit)
    send_mail(mail_message(TEXT, TO, server.from_address, "m17", AT), TO, server)


def failure(box: MailBox, bundle: str | None, password: str = "", limit: float = 30) -> NotDelivered:
    with pytest.raises(NotDelivered) as failed:
        send(box, bundle, password, limit)
    return failed.value


def test_a_mail_has_the_text_twice_and_the_picture_inline(authority: trustme.CA, bundle: str) -> None:
    with mail_server(authority, password="s3cret") as box:
        send(box, bundle, "s3cret")
    assert box.recipients == [TO]
    mail = email.message_from_bytes(box.mails[0], policy=policy.default)
    assert mail["Subject"] == "bracket <1>.stl: held"
    assert mail["Message-ID"] == "<m17@example.com>"
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert "Why\n  3 holes & 12 open edges." in plain.get_content().replace("\r", "")
    assert "https://prints.example.com/s/17" in plain.get_content()
    assert "bracket &lt;1&gt;.stl" in page.get_content()
    assert "Correct it.<br>Then drop it again." in page.get_content()
    assert 'src="cid:picture"' in page.get_content()
    picture = next(part for part in mail.walk() if part.get_content_type() == "image/png")
    assert picture.get_content() == PICTURE
    assert picture["Content-ID"] == "<picture>"


def test_a_wrong_password_is_told_without_it(authority: trustme.CA, bundle: str) -> None:
    with mail_server(authority, password="s3cret") as box:
        failed = failure(box, bundle, "wr0ng")
    assert str(failed) == "the mail server 127.0.0.1: it refuses user or password (535)"
    assert not failed.may_have_arrived


def test_a_wrong_certificate_is_refused(authority: trustme.CA, bundle: str) -> None:
    with mail_server(trustme.CA()) as box:
        assert "certificate verify failed" in str(failure(box, bundle))
    with mail_server(authority, host_name="other.example.com") as box:
        assert "certificate verify failed" in str(failure(box, bundle))
    assert box.mails == []


def test_a_server_without_encryption_gets_nothing_unless_it_may(authority: trustme.CA) -> None:
    with mail_server(authority, tls=False) as box:
        send(box, None)
        assert len(box.mails) == 1
        box.url = box.url.replace("smtp+plain", "smtp")
        assert "offers no encryption" in str(failure(box, None))
        assert len(box.mails) == 1


def test_a_mail_that_is_refused_has_not_arrived(authority: trustme.CA, bundle: str) -> None:
    with mail_server(authority) as box:
        box.reply = "554 no"
        failed = failure(box, bundle)
    assert str(failed) == "the mail server 127.0.0.1 refuses the mail (554)"
    assert not failed.may_have_arrived


def test_a_server_that_is_down_or_silent_has_not_got_it(authority: trustme.CA) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        box = MailBox(f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        assert not failure(box, None, limit=0.3).may_have_arrived
    assert "Connection refused" in str(failure(box, None))


def test_a_server_that_sends_a_byte_now_and_then_is_left_when_time_is_up() -> None:
    with dripping(b"2") as port:
        server = MailServer(f"smtp+plain://127.0.0.1:{port}", "", "stlflow@example.com", None, 0.2)
        with pytest.raises(NotDelivered) as failed:
            send_mail(mail_message(TEXT, TO, server.from_address, "m17", AT), TO, server)
    assert not failed.value.may_have_arrived


def test_a_server_that_goes_away_with_the_mail_may_have_got_it() -> None:
    """It takes every line of the mail, and is gone before it says that it did."""
    replies = [b"220 here", b"250 hello", b"250 ok", b"250 ok", b"250 ok", b"354 go on"]

    def take(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as lines:
            for reply in replies:
                connection.sendall(reply + b"\r\n")
                if reply != replies[-1]:
                    lines.readline()
            for line in lines:
                if line == b".\r\n":
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=take, args=(server,), daemon=True)
        thread.start()
        failed = failure(MailBox(f"smtp+plain://127.0.0.1:{server.getsockname()[1]}"), None)
        thread.join(60)
    assert failed.may_have_arrived
    assert "sent no reply" in str(failed)
