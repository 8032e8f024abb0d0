"""Other people's words never bring links, keys or control characters into ours."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.eiger.response import (
    MAX_MESSAGE_LENGTH,
    extract_error_message,
    redact_secrets,
    sanitize_message,
    strip_control_characters,
    url_origin,
)


def test_the_message_of_the_contracts_error() -> None:
    assert extract_error_message(b'{"message": "No such build"}') == "No such build"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"message": 5}', b"\xff", b"[" * 100_000, b"null"]
)
def test_anything_else_says_nothing(body: bytes) -> None:
    assert extract_error_message(body) == ""


def test_links_are_not_repeated() -> None:
    assert sanitize_message("see https://b.example/x?X-Amz-Signature=abc now") == "see [link] now"


@given(st.text())
def test_a_saying_is_short_and_on_one_line(text: str) -> None:
    said = extract_error_message(json.dumps({"message": text}).encode())
    assert len(said) <= MAX_MESSAGE_LENGTH
    assert said.isprintable() or not said.isascii()
    assert "\n" not in said
    assert "\x1b" not in said


def test_a_name_stays_on_one_line() -> None:
    assert strip_control_characters("a\r\nb\u202eltr\t c") == "a b ltr c"


def test_keys_are_blanked_out() -> None:
    assert (
        redact_secrets(b"you sent c2VjcmV0 as secret", ("c2VjcmV0", "secret", "", "abc"))
        == b"you sent *** as ***"
    )


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://user:key@eiger.io:444/x?token=1", "https://eiger.io:444"),
        ("https://a b\x1bc/", "https://abc"),
        ("/login", "another place"),
        ("https://a[b/", "another place"),
    ],
)
def test_only_scheme_and_host_of_a_link_are_told(url: str, place: str) -> None:
    assert url_origin(url) == place
