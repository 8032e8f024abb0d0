"""Other people's words never bring links, keys or control characters into ours."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.eiger.response import (
    MAX_MESSAGE_LENGTH,
    Redactor,
    Response,
    clean_text,
    extract_error_message,
    sanitize_message,
    strip_control_characters,
    url_origin,
)


def error_message(body: bytes) -> str:
    return extract_error_message(Response(400, {}, body))


def test_the_message_of_the_contracts_error() -> None:
    assert error_message(b'{"message": "No such build"}') == "No such build"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"message": 5}', b"\xff", b"[" * 100_000, b"null"]
)
def test_anything_else_says_nothing(body: bytes) -> None:
    assert error_message(body) == ""


def test_links_are_not_repeated() -> None:
    assert sanitize_message("see https://b.example/x?X-Amz-Signature=abc now") == "see [link] now"


@given(st.text())
def test_a_saying_is_short_and_on_one_line(text: str) -> None:
    said = error_message(json.dumps({"message": text}).encode())
    assert len(said) <= MAX_MESSAGE_LENGTH
    assert said.isprintable() or not said.isascii()
    assert "\n" not in said
    assert "\x1b" not in said


def test_a_name_stays_on_one_line() -> None:
    assert strip_control_characters("a\r\nb\u202eltr\t c") == "a b ltr c"


@pytest.mark.parametrize(
    "echo",
    [
        "you sent a/secret+key=",
        "you sent a%2Fsecret%2Bkey%3D",
        json.loads('"you sent a\\/secret+key="'),
        json.loads('"you sent \\u0061/secret\\u002bkey="'),
    ],
)
def test_keys_are_redacted_however_they_are_encoded(echo: str) -> None:
    assert Redactor(("a/secret+key=", "", "abc"))(echo) == "you sent ***"


def test_a_redactor_shows_no_key() -> None:
    redact = Redactor(("a-secret-key",))
    assert "secret" not in repr(redact)
    assert "secret" not in repr(Response(200, {}, b"", redact))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Mark Two\x1b[2J\r\nERROR: forged", "Mark Two [2J ERROR: forged"),
        ("a\u202elts.exe", "a lts.exe"),
        ("two  spaces, größe \u00a0 and 漢字 stay", "two  spaces, größe \u00a0 and 漢字 stay"),
        ("see https://b.example/x?X-Amz-Signature=abc", "see [link]"),
        ("see https://key:secret@b.example/", "see [link]"),
        ("see https://www.eiger.io/library", "see https://www.eiger.io/library"),
        ("x" * 500, "x" * 399 + "…"),
    ],
)
def test_a_text_is_cleaned_where_it_enters(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@given(st.text())
def test_a_clean_text_stays_as_it_is(text: str) -> None:
    clean = clean_text(text)
    assert clean_text(clean) == clean
    assert not any(letter in clean for letter in "\x1b\n\r\x9b\u2028\u202e")


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
