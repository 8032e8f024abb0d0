"""The stream of changes: which submissions, which version, and that it ends with the server."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import requests

from tests.console.conftest import OpenSite, Site, bearer
from tests.console.parts import hold_part
from tests.waiting import until
from workflow.console import live, make_console, open_listener, running_console


@contextmanager
def stream(site: Site, query: str = "", **headers: str) -> Iterator[Iterator[dict[str, object]]]:
    """Yield the events of a stream, one after the other."""
    with site.get(f"/events{query}", headers=headers, stream=True) as reply:
        lines = (line for line in reply.iter_lines(chunk_size=1, decode_unicode=True))
        yield (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))


def test_a_change_is_told_with_its_version(site: Site) -> None:
    old = hold_part(site.ledger, "old.stl")
    with stream(site) as events:
        assert next(events) == {"changed": {}, "waiting": 1}
        number = hold_part(site.ledger, "new.stl")
        versions: dict[str, object] = {}
        for event in events:
            changed = event["changed"]
            assert isinstance(changed, dict)
            versions |= changed
            if event["waiting"] == 2 and str(number) in versions:
                break
    assert str(old) not in versions
    assert versions[str(number)] == site.ledger.search.latest_events([number])[number].id


def test_a_stream_begins_with_what_changed_since_the_page_was_made(site: Site) -> None:
    """A change between the page and its stream was shown a minute later."""
    hold_part(site.ledger, "old.stl")
    (made_with,) = re.findall(r'data-event="(\d+)"', site.get("/submissions").text)
    number = hold_part(site.ledger, "new.stl")
    version = site.ledger.search.last_event()
    missed = {"changed": {str(number): version}, "waiting": 2}
    for begun in (stream(site, f"?since={made_with}"), stream(site, **{"Last-Event-ID": made_with})):
        with begun as events:
            assert next(events) == missed
    nothing = {"changed": {}, "waiting": 2}
    for since in (str(version), "99999", "x", "-1", "9" * 30, ""):
        with stream(site, f"?since={since}") as events:
            assert next(events) == nothing, since


def test_a_browser_knows_where_a_stream_that_broke_goes_on(site: Site) -> None:
    hold_part(site.ledger, "old.stl")
    with site.get("/events", stream=True) as reply:
        lines = (line for line in reply.iter_lines(chunk_size=1, decode_unicode=True))
        told = [next(lines) for _ in range(5)]
    assert told[2:4] == [f"id: {site.ledger.search.last_event()}", "event: changes"]


def test_the_streams_end_with_the_server(site: Site) -> None:
    console = make_console(site.settings, site.ledger)
    with open_listener("127.0.0.1", 0) as listener, running_console(console, listener) as url:
        reply = requests.get(f"{url}/events", stream=True, timeout=60)
        lines = reply.iter_lines(chunk_size=1)
        next(lines)
    assert until(lambda: list(lines) is not None)


def test_a_stream_ends_with_the_login_of_whoever_listens(
    open_site: OpenSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that went on would say that it is live, and show what was so when the login ended."""
    monkeypatch.setattr(live, "TICK_SECONDS", 0.02)
    site = open_site(console_login=True)
    reply = site.get("/events", headers=bearer("Vera"), stream=True)
    lines = reply.iter_lines(chunk_size=1)
    next(lines)
    site.ledger.console_tokens.revoke("Vera")
    assert until(lambda: list(lines) is not None, 60)
    assert site.get("/events", headers=bearer("Vera"), allow_redirects=False).status_code == 401


def test_the_oldest_streams_of_a_browser_make_room_for_its_pages(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seventh window in sight waited for its page until another was closed."""
    monkeypatch.setattr(live, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(live, "STREAMS_OF_A_BROWSER", 2)
    with ExitStack() as replies:
        windows = [replies.enter_context(site.get("/events", stream=True)).iter_lines() for _ in range(2)]
        other = replies.enter_context(site.get("/events", headers={"User-Agent": "other"}, stream=True))
        for lines in (*windows, others := other.iter_lines()):
            next(lines)
        windows.append(replies.enter_context(site.get("/events", stream=True)).iter_lines())
        next(windows[-1])  # from now on it tells what changes
        assert list(windows[0])[-3:] == [b"event: crowded", b"data: {}", b""]
        number = hold_part(site.ledger, "new.stl")
        for lines in (*windows[1:], others):
            told = next(line for line in lines if b"changes" in line or b"crowded" in line)
            assert told == b"event: changes"
            assert any(f'"{number}"'.encode() in line for line in lines), "the others go on"


def test_a_stream_that_ended_takes_no_place() -> None:
    streams, browser = live.OpenStreams(), ("::1", "browser")
    with ExitStack() as windows:
        with streams.opened(browser):
            here = [windows.enter_context(streams.opened(browser)) for _ in range(3)]
        here.append(windows.enter_context(streams.opened(browser)))
        assert not any(each.crowded for each in here)
        windows.enter_context(streams.opened(browser))
        assert [each.crowded for each in here] == [True, False, False, False]
    assert streams == live.OpenStreams(), "no browser is remembered"
