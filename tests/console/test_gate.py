"""What passes the gate: hosts, origins, tokens and proxies; and what every reply tells the browser."""

import html
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
import requests
from loguru import logger
from starlette.requests import Request
from starlette.responses import Response

from tests.console.conftest import TOKENS_MADE, OpenSite, Site, bearer
from tests.console.parts import hold_part
from tests.waiting import until
from workflow.console import (
    address_text,
    console,
    decide,
    make_console,
    open_listener,
    security,
    serving_console,
)
from workflow.console.messages import keep_message, read_message
from workflow.console.server import IfBusy
from workflow.errors import SettingsError
from workflow.ledger.console_tokens import ConsoleTokenStore


def test_every_reply_binds_the_browser_to_this_console(site: Site) -> None:
    for path in ("/", "/static/console.css", "/api/attention", "/nowhere", "/login"):
        headers = site.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'; ")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("host", "status"), [("localhost", 200), ("127.0.0.1:99", 200), ("[::1]", 200), ("evil.example", 403),
                         ("127.0.0.1.evil.example", 403), ("10.0.0.1", 403), ("[", 403), ("", 403)],
)  # fmt: skip
def test_only_own_names_are_answered(site: Site, host: str, status: int) -> None:
    """A name of someone else that points here (DNS rebinding) gets nothing."""
    assert site.get("/", headers={"Host": host}).status_code == status


def test_a_name_of_the_settings_is_answered(open_site: OpenSite) -> None:
    site = open_site(console_names="prints.example.com, other")
    assert site.get("/", headers={"Host": "Prints.example.com"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:1"},
    ],
)
def test_a_change_from_another_site_is_refused(site: Site, headers: dict[str, str]) -> None:
    reply = site.post("/name", {"name": "Eve"}, headers=headers, allow_redirects=False)
    assert (reply.status_code, "by another site" in reply.text) == (403, True)


def test_a_change_needs_the_token_of_the_page(site: Site) -> None:
    assert site.post("/name", {"name": "Anna"}, allow_redirects=False).status_code == 303
    for wrong in ("", "0" * 64, "ü"):
        reply = site.post("/name", {"name": "Anna", "csrf": wrong}, allow_redirects=False)
        assert reply.status_code == 403


def test_the_port_is_said_when_it_is_busy_and_the_demo_takes_the_next(site: Site) -> None:
    port = int(site.url.rpartition(":")[2])
    settings = site.settings.model_copy(update={"console_port": port})
    with pytest.raises(SettingsError, match=f"port {port}.*free port"):
        open_listener("127.0.0.1", port)
    with serving_console(settings, site.ledger, if_busy=IfBusy.WITHOUT) as url:
        assert url == ""
    with serving_console(settings, site.ledger, if_busy=IfBusy.NEXT_PORT) as url:
        assert requests.get(url, timeout=60).status_code == 200
        assert url != site.url


def test_beyond_this_machine_a_token_is_needed(open_site: OpenSite) -> None:
    site = open_site(console_login=True)
    assert site.get("/", allow_redirects=False).headers["Location"] == "/login"
    assert site.get("/api/attention").status_code == 401
    assert site.get("/api/attention", headers={"Authorization": "Bearer x"}).status_code == 401
    assert site.get("/api/attention", headers=bearer("Vera")).status_code == 200
    logged_in = site.session.post(f"{site.url}/login", data={"token": TOKENS_MADE["Vera"]}, timeout=60)
    assert "You are Vera (view)" in logged_in.text
    cookie = next(each for each in site.session.cookies if each.name == "stlflow_session")
    assert cookie.has_nonstandard_attr("HttpOnly")
    site.ledger.console_tokens.revoke("Vera")
    assert site.get("/", allow_redirects=False).headers["Location"] == "/login"


def test_a_link_that_needs_a_login_is_followed_after_it(open_site: OpenSite) -> None:
    site = open_site(console_login=True)
    page = site.get("/submissions?q=a%26b&sort=file")
    address = re.search(r'name="next" value="([^"]+)"', page.text)
    assert address is not None
    sent = {"token": TOKENS_MADE["Vera"], "next": html.unescape(address[1])}
    assert site.session.post(f"{site.url}/login", data={**sent, "token": "x"}).text.count(address[1]) == 1
    logged_in = site.session.post(f"{site.url}/login", data=sent, timeout=60)
    assert logged_in.url == f"{site.url}/submissions?q=a%26b&sort=file"
    elsewhere = {**sent, "next": "//evil.example/"}
    there = site.session.post(f"{site.url}/login", data=elsewhere, timeout=60, allow_redirects=False)
    assert there.headers["Location"] == "/"


def test_what_is_no_browser_is_not_sent_to_the_login_page(open_site: OpenSite) -> None:
    site = open_site(console_login=True)
    for path, headers in (("/metrics", {}), ("/metrics", {"Authorization": "Bearer x"}),
                          ("/submissions.csv", {"Authorization": "Bearer x"})):  # fmt: skip
        reply = site.get(path, headers=headers, allow_redirects=False)
        assert (reply.status_code, "Log in first" in reply.text) == (401, True), path


def test_a_console_for_all_without_any_token_does_not_start(site: Site) -> None:
    for each in site.ledger.console_tokens.list_all():
        site.ledger.console_tokens.revoke(each.name)
    wide = site.settings.model_copy(update={"console_host": "0.0.0.0"})
    with pytest.raises(SettingsError, match="stlflow console token"):
        make_console(wide, site.ledger)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("127.0.0.1", "http://127.0.0.1:8590"),
        ("192.0.2.7", "http://192.0.2.7:8590"),
        ("0.0.0.0", "http://127.0.0.1:8590, from other machines http://mill:8590"),
        ("::", "http://127.0.0.1:8590, from other machines http://mill:8590"),
    ],
)
def test_the_log_says_the_address_for_other_machines(
    site: Site, monkeypatch: pytest.MonkeyPatch, host: str, said: str
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "mill")
    settings = site.settings.model_copy(update={"console_host": host})
    assert address_text(settings, said.partition(",")[0]) == said


def test_guesses_are_limited(open_site: OpenSite) -> None:
    site = open_site(console_login=True)
    replies = [
        site.session.post(f"{site.url}/login", data={"token": f"guess {n}"}, timeout=60) for n in range(6)
    ]
    assert [each.status_code for each in replies] == [403] * 5 + [429]
    assert int(replies[-1].headers["Retry-After"]) > 0


def test_wrong_tokens_of_scripts_are_limited_and_right_ones_are_not(open_site: OpenSite) -> None:
    """Behind a proxy all clients have one address: whoever has a token goes on."""
    site = open_site(console_login=True)
    wrong = [
        site.get("/api/attention", headers={"Authorization": f"Bearer guess {n}"}) for n in range(7)
    ]  # fmt: skip
    assert [each.status_code for each in wrong] == [401] * 5 + [429] * 2
    assert 0 < int(wrong[-1].headers["Retry-After"]) <= 60
    assert "Too many wrong tokens. Try again in" in wrong[-1].text
    assert site.get("/api/attention", headers=bearer("Vera")).status_code == 200
    assert site.get("/api/attention").status_code == 401  # nothing was guessed
    logged_in = site.session.post(f"{site.url}/login", data={"token": TOKENS_MADE["Vera"]}, timeout=60)
    assert "You are Vera (view)" in logged_in.text


def test_a_listed_proxy_says_who_it_is_and_no_other(open_site: OpenSite) -> None:
    site = open_site(console_proxies="127.0.0.1", console_proxy_role="view")
    assert "You are kim (view)" in site.get("/", headers={"Remote-User": "kim"}).text
    assert site.get("/", allow_redirects=False).status_code == 303
    other = open_site(console_proxies="10.9.8.7")
    assert other.get("/", headers={"Remote-User": "kim"}).status_code == 403
    assert other.get("/", headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 403


def test_a_forged_session_is_no_session(open_site: OpenSite) -> None:
    site = open_site(console_login=True)
    for forged in ("x", f"{b'Ada'.hex()}.99999999999.{'0' * 64}", "zz.1.2", f"{b'Ada'.hex()}.x.y"):
        reply = site.get("/", headers={"Cookie": f"stlflow_session={forged}"}, allow_redirects=False)
        assert reply.status_code == 303


def test_static_files_are_asked_for_once(site: Site) -> None:
    first = site.get("/static/console.css")
    assert first.status_code == 200
    again = site.get("/static/console.css", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    for outside in ("..%2fapp.py", "%2e%2e/app.py", "app.py"):
        assert site.get(f"/static/{outside}").status_code in {403, 404}


LONG = b"9" * 3000
ODD_REQUESTS = (
    (b"GET /login HTTP/1.1\r\nCookie: stlflow_session=%s.99999999999.\xe9" % b"Ada".hex().encode(), 200),
    (b"GET /nowhere HTTP/1.1\r\nCookie: stlflow_session=%s.99999999999.\xe9" % b"Ada".hex().encode(), 404),
    (b"POST /login HTTP/1.1\r\nContent-Length: 0\r\nOrigin: http://[", 403),
    (b"GET //[ HTTP/1.1", 404),
    (b"GET /%00 HTTP/1.1", 404),
    (b"GET /submissions?q=since:%C2%B2d HTTP/1.1", 400),
    (b"GET /submissions?q=until:9999-12-31 HTTP/1.1", 400),
    (b"GET /submissions?limit=%s HTTP/1.1" % (LONG + LONG), 200),
    (b"GET /s/99999999999999999999 HTTP/1.1", 404),
    (b"GET /s/%s HTTP/1.1" % (LONG + LONG), 403),
    (b"GET /act?action=release&id=1&next=http://[ HTTP/1.1", 200),
    (b"GET /events HTTP/1.1\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors", 403),
    (b"GET / HTTP/1.1\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate", 200),
)


def test_odd_requests_are_answered_and_are_no_fault(site: Site) -> None:
    for request, status in ODD_REQUESTS:
        reply = _exchange(site, request + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert int(reply.split()[1]) == status, (request[:80], reply[-300:])
    odd = site.post("/name", {"name": "Anna", "next": "http://["}, allow_redirects=False)
    assert (odd.status_code, odd.headers["Location"]) == (303, "/")


def test_the_path_is_not_the_host_headers_to_choose(open_site: OpenSite) -> None:
    """Pages without a visitor are told by their path: a Host that holds another path changes nothing."""
    site = open_site(console_login=True)
    request = b"GET /api/attention HTTP/1.1\r\nHost: localhost/static/?\r\nConnection: close\r\n\r\n"
    assert int(_exchange(site, request).split()[1]) == 401


def test_a_body_ends_at_its_limit_whatever_its_headers_say(site: Site) -> None:
    """In chunks it says no length; before a login nobody may fill the memory."""
    for path in ("/name", "/login", "/decide/x", "/api/act", "/rules/replay"):
        kind = "application/json" if path.startswith("/api") else "application/x-www-form-urlencoded"
        pieces = (b"&a=" + b"x" * 90_000 for _ in range(30))
        reply = site.session.post(f"{site.url}{path}", pieces, headers={"Content-Type": kind}, timeout=60)
        assert reply.status_code == 413, path


def test_the_service_keeps_its_open_files(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections beyond a limit are closed, and those that ask for nothing."""
    monkeypatch.setattr(security, "MOST_CONNECTIONS", 5)
    monkeypatch.setattr(security, "SILENCE_SECONDS", 0.2)
    address = site.url.removeprefix("http://").split(":")
    assert site.get("/login").status_code == 200
    with ExitStack() as stack:
        for _ in range(20):
            silent = stack.enter_context(socket.create_connection((address[0], int(address[1])), timeout=60))
            with suppress(ConnectionError):  # closed before it was sent
                silent.sendall(b"GET / HT")
        with suppress(ConnectionError):
            assert silent.recv(100) == b""
    assert site.get("/login").status_code == 200


def test_a_fault_is_in_the_log_without_what_a_link_holds(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    number = logger.add(lambda line: lines.append(str(line)), level="ERROR")
    monkeypatch.setattr(decide, "notice_link_key", lambda _: 1 / 0)
    assert site.get("/decide/secret.word").status_code == 500
    logger.remove(number)
    assert "ZeroDivisionError" in (logged := "".join(lines))
    assert "GET /decide" in logged
    assert "secret.word" not in logged


def test_a_long_message_in_any_letters_fits_a_cookie() -> None:
    for text in ("x" * 5000, "\N{CJK UNIFIED IDEOGRAPH-4E00}" * 5000):
        sent = keep_message(Response(), text).headers["Set-Cookie"]
        assert len(sent.partition(";")[0]) < 4000
        request = Request({"type": "http", "headers": [(b"cookie", sent.partition(";")[0].encode())]})
        assert read_message(request).rstrip("…") == text[: len(read_message(request)) - 1]


def _exchange(site: Site, request: bytes) -> bytes:
    host, _, port = site.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_share_that_hangs_keeps_no_thread_of_the_console(
    open_site: OpenSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page that asks a dead mount would never end: after forty of them nothing answered any more."""
    back = threading.Event()
    monkeypatch.setattr(console.Console, "touch_share", lambda _: back.wait(60) and None)
    monkeypatch.setattr(console, "SHARE_SECONDS", 0.1)
    site = open_site()
    number = hold_part(site.ledger, "a.stl")
    with ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(lambda _: site.get(f"/s/{number}/file").status_code, range(60)))
    assert set(replies) == {503}
    assert site.get("/healthz").status_code == 200
    assert "a.stl" in site.get(f"/s/{number}").text
    assert "does not answer" in site.get("/drop").text
    refused = site.post("/act", {"action": "release", "id": str(number)})
    assert (refused.status_code, "does not answer" in refused.text) == (503, True)
    back.set()
    assert until(lambda: site.get(f"/s/{number}/file").status_code == 404, 60), "it answers: the file is away"


def test_a_database_that_hangs_keeps_no_monitor_waiting(
    open_site: OpenSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever restarts what does not answer /healthz would restart a service that only waits."""
    back = threading.Event()
    site = open_site(console_login=True)
    monkeypatch.setattr(ConsoleTokenStore, "find", lambda *_: back.wait(60) and None)
    with ThreadPoolExecutor(50) as pool:
        asked = [pool.submit(site.get, "/api/attention", headers=bearer("Vera")) for _ in range(50)]
        replies = [requests.get(f"{site.url}/healthz", timeout=30).status_code for _ in range(3)]
        back.set()
        assert replies == [200] * 3
        assert {each.result().status_code for each in asked} <= {401, 429}
