"""What the headers of a reply say."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.eiger.response import MAX_RETRY_AFTER_SECONDS, Response

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def reply(**headers: str) -> Response:
    return Response(429, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Sat, 01 Aug 2026 12:00:30 GMT", 30.0),
        ("Sat, 01 Aug 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("9" * 400, MAX_RETRY_AFTER_SECONDS),
    ],
)
def test_retry_after(asked: str, seconds: float | None) -> None:
    assert reply(retry_after=asked).retry_after_seconds(NOW) == seconds


def test_a_date_counts_by_the_clock_of_the_service() -> None:
    ahead = reply(retry_after="Sat, 01 Aug 2026 13:00:10 GMT", date="Sat, 01 Aug 2026 13:00:00 GMT")
    assert ahead.retry_after_seconds(NOW) == 10.0
    assert ahead.date == NOW + timedelta(hours=1)


@given(st.text(max_size=60))
def test_no_header_breaks_the_reading(text: str) -> None:
    seconds = reply(retry_after=text, date=text).retry_after_seconds(NOW)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER_SECONDS


def test_a_web_page_is_reported_from_data() -> None:
    assert Response(200, {}, b" \n<!doctype html>").is_html
    assert not Response(200, {}, b"{}").is_html
    assert not Response(204, {}, b"").is_html
