"""One POST: to whom it may go, and what becomes of it, against real receivers."""

import base64
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.notices.receivers import Receiver, connect_proxy, dripping, http_receiver, server_context
from workflow.notices.http_post import NotDelivered, Reach, is_public, post

INSIDE = Reach(internal=True, limit_seconds=30)
HEADERS = {"Content-Type": "application/json"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as receiver:
        yield receiver


def failure(url: str, reach: Reach = INSIDE) -> NotDelivered:
    with pytest.raises(NotDelivered) as failed:
        post(url, b"{}", HEADERS, reach)
    return failed.value


def test_a_receiver_gets_the_body(receiver: Receiver) -> None:
    post(f"{receiver.url}?token=s3cret", b'{"a":1}', HEADERS, INSIDE)
    assert receiver.documents() == [{"a": 1}]


@pytest.mark.parametrize("status", ["400", "404", "429", "500", "503"])
def test_a_receiver_that_refuses_has_not_got_it(receiver: Receiver, status: str) -> None:
    receiver.behavior = status
    failed = failure(receiver.url)
    assert str(failed) == f"127.0.0.1 answered {status}"
    assert not failed.may_have_arrived


def test_a_receiver_that_is_down_has_not_got_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    failed = failure(f"http://127.0.0.1:{port}/secret")
    assert "can't be reached: Connection refused" in str(failed)
    assert not failed.may_have_arrived


def test_a_receiver_that_hangs_may_have_got_it(receiver: Receiver) -> None:
    receiver.behavior = "hang"
    assert failure(receiver.url, Reach(internal=True, limit_seconds=0.3)).may_have_arrived


def test_a_receiver_that_sends_a_byte_now_and_then_is_left_when_time_is_up() -> None:
    with dripping(b"H") as port:
        reach = Reach(internal=True, limit_seconds=0.5)
        assert failure(f"http://127.0.0.1:{port}/", reach).may_have_arrived


def test_a_cut_connection_may_have_carried_it(receiver: Receiver) -> None:
    receiver.behavior = "cut"
    assert failure(receiver.url).may_have_arrived


def test_no_redirect_is_followed(receiver: Receiver) -> None:
    with http_receiver() as inside:
        receiver.behavior = f"redirect {inside.url}"
        failed = failure(receiver.url)
        assert "a redirect, and none is followed" in str(failed)
        assert inside.asked == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0"])
def test_nothing_inside_the_network_is_reached_unless_the_target_allows_it(
    host: str, receiver: Receiver
) -> None:
    port = receiver.url.rsplit(":", 1)[1].partition("/")[0]
    failed = failure(f"http://{host}:{port}/hook?key=s3cret", Reach())
    assert "internal = true" in str(failed) or "no such host" in str(failed)
    assert "s3cret" not in str(failed)
    assert receiver.asked == 0


def test_a_name_that_leads_inside_is_refused(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a name with several addresses, only a public one is used: here there is none."""
    port = int(receiver.url.rsplit(":", 1)[1].partition("/")[0])
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: inside)
    assert "internal = true" in str(failure(f"http://hooks.example.com:{port}/", Reach()))
    assert receiver.asked == 0


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "172.16.9.9", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "fe80::1%eth0", "fd00::1", "::", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::",
    ],
)  # fmt: skip
def test_internal_addresses_in_any_disguise(address: str) -> None:
    assert not is_public(address)


def test_public_addresses() -> None:
    assert all(map(is_public, ("1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808")))


def test_a_certificate_is_checked(tmp_path: Path) -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    bundle = tmp_path / "ca.pem"
    ours.cert_pem.write_to_path(bundle)
    with http_receiver(server_context(ours)) as good:
        post(good.url, b"{}", HEADERS, Reach(internal=True, ca_bundle=str(bundle)))
        assert good.asked == 1
        assert "certificate is refused" in str(failure(good.url)), (
            "no certificate of this machine vouches for it"
        )
    with http_receiver(server_context(theirs)) as wrong:
        failed = failure(wrong.url, Reach(internal=True, ca_bundle=str(bundle)))
        assert "certificate is refused" in str(failed)
        assert (wrong.asked, failed.may_have_arrived) == (0, False)
    with http_receiver(server_context(ours, "other.example.com")) as other:
        assert "certificate is refused" in str(
            failure(other.url, Reach(internal=True, ca_bundle=str(bundle)))
        )


def test_what_is_outside_is_reached_by_the_proxy(tmp_path: Path) -> None:
    """In a network with a proxy there is often no other way out, and names are the proxy's to look up."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    host = "hooks.slack.invalid"
    with http_receiver(server_context(authority, host)) as receiver:
        with connect_proxy(int(receiver.url.split(":")[2].partition("/")[0])) as proxy:
            way = f"http://shop:p%40ss@127.0.0.1:{proxy.port}"
            reach = Reach(ca_bundle=str(tmp_path / "ca.pem"), limit_seconds=30, proxy=way)
            post(f"https://{host}/\N{LATIN SMALL LETTER U WITH DIAERESIS}", b"{}", HEADERS, reach)
            assert "is inside this network" in str(failure("https://127.0.0.1/", reach))
            proxy.answer = "407 Proxy Authentication Required"
            assert str(failure(f"https://{host}/", reach)) == "the proxy 127.0.0.1 answered 407"
            assert "p%40ss" not in repr(reach)
        assert receiver.documents() == [{}]
    assert proxy.asked[0].startswith(f"CONNECT {host}:443 HTTP/1.1")
    assert f"Basic {base64.b64encode(b'shop:p@ss').decode()}" in proxy.asked[0]
    assert len(proxy.asked) == 2
