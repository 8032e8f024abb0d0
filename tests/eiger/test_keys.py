"""The keys go out with each request, and nowhere else."""

import base64

import pytest
from pydantic import SecretStr

from tests.eiger.server import ACCESS, SECRET, Answer, as_json, client_of, serving
from workflow.eiger import EigerClient, RateLimiter
from workflow.eiger.transport import ApiKeys
from workflow.errors import OutcomeUnknown, SettingsError, Unauthorized


def test_basic_with_keys_of_any_alphabet() -> None:
    header = ApiKeys(SecretStr("schlüssel"), SecretStr("geheim:1")).header()
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == "schlüssel:geheim:1"


def test_the_keys_stand_in_no_repr() -> None:
    client = client_of("https://www.eiger.io/api/v3/")
    assert repr(client) == "EigerClient('https://www.eiger.io/api/v3')"
    shown = repr(client) + repr(vars(client)) + repr(vars(client._transport)) + repr(client._exchange)
    assert ACCESS not in shown
    assert SECRET not in shown


def test_a_service_that_shows_the_request_shows_no_key() -> None:
    with (
        serving(lambda asked: as_json({"message": f"{asked.headers} {SECRET} {ACCESS}"}, 401)) as server,
        client_of(server.url) as client,
        pytest.raises(Unauthorized) as caught,
    ):
        client.read_build("x")
    token = server.asked[0].headers["authorization"].removeprefix("Basic ")
    assert not any(secret in str(caught.value) for secret in (ACCESS, SECRET, token))


@pytest.mark.parametrize("url", ["https://key:secret@www.eiger.io/api/v3", "ftp://eiger", "eiger.io", ""])
def test_an_address_that_is_none_or_holds_keys_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        EigerClient(url, SecretStr("a"), SecretStr("b"), budget=RateLimiter(1))
    assert str(caught.value) == "Eiger's address is a URL that begins with https:// and holds no keys."


ECHO = SECRET.replace("-", "\\u002d")


def test_a_key_that_comes_back_in_a_good_answer_goes_no_further() -> None:
    token = ApiKeys(SecretStr(ACCESS), SecretStr(SECRET)).header().removeprefix("Basic ")
    escaped = token.replace("=", "\\u003d").replace("a", "\\u0061")
    body = f'{{"status": "{ECHO} {escaped} {SECRET}\\u001b[2J"}}'.encode()
    with serving(lambda _: Answer(200, body)) as server, client_of(server.url) as client:
        assert client.get_slice_status("x").status == "*** *** *** [2J"
    with (
        serving(lambda _: Answer(201, f'{{"id": "{ECHO}", "state": "Backlogged"}}'.encode())) as server,
        client_of(server.url) as client,
        pytest.raises(OutcomeUnknown, match="this is no id") as caught,
    ):
        client.send_build_to_backlog("x")
    assert SECRET not in str(caught.value)


def test_a_key_in_a_header_or_an_escaped_message_goes_no_further() -> None:
    body = f'{{"message": "{ECHO} https:\\/\\/b.example\\/x?Signature=abc"}}'.encode()
    answer = Answer(401, body, {"X-Reference-ID": f"{SECRET}\x1b[2J\x9b" + "4" * 500})
    with (
        serving(lambda _: answer) as server,
        client_of(server.url) as client,
        pytest.raises(Unauthorized) as caught,
    ):
        client.read_build("x")
    said = str(caught.value)
    assert said.startswith(
        "401: Eiger refuses the access keys. Check STLFLOW_ACCESS_KEY and STLFLOW_SECRET_KEY."
    )
    assert " It says: *** [link] (Eiger's reference *** [2J 444" in said
    assert said.isprintable()
    assert len(said) < 300
    assert SECRET not in str(caught.value.reference_id)
