"""Troubles that a service finds: told once, by one worker, also where a share does not answer."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.cloud import Cloud, simulated
from tests.notices.outbox import Clock
from tests.pipeline.conftest import Shop, opened
from workflow.ledger import Ledger
from workflow.model import NoticeEvent
from workflow.pipeline.trouble_watch import TimedProbe, TroubleWatch, hears_trouble, make_trouble_watch
from workflow.settings.notices_reading import parse_notices


def told(ledger: Ledger) -> list[tuple[NoticeEvent, str]]:
    """Return what people are to be told, in order."""
    return [(each.event, each.detail) for each in ledger.notices.list_unaddressed()]


@pytest.fixture
def answer() -> list[str | None]:
    """What is wrong at present."""
    return [None]


def test_a_trouble_is_written_into_the_outbox_once(ledger: Ledger, answer: list[str | None]) -> None:
    clock = Clock()
    watch = TroubleWatch(ledger, {"cloud": lambda: answer[0]}, clock=clock)
    for wrong in (None, "no connection", None):
        answer[0] = wrong
        for _ in range(30):
            watch.check()
            clock.turn(20)
        lasting = [(each.kind, each.is_told) for each in ledger.troubles.read()]
        assert lasting == ([("cloud", True)] if wrong else [])
    assert told(ledger) == [
        (NoticeEvent.TROUBLE, "no connection"),
        (NoticeEvent.TROUBLE_OVER, "no connection"),
    ]


def test_a_restart_tells_it_no_second_time(ledger: Ledger) -> None:
    clock = Clock()
    for _ in range(40):
        TroubleWatch(ledger, {"cloud": lambda: "no connection"}, clock=clock).check()
        clock.turn(60)
    assert len(told(ledger)) == 1


def test_an_hour_of_flapping_is_two_messages_at_most(ledger: Ledger, answer: list[str | None]) -> None:
    clock = Clock()
    watch = TroubleWatch(ledger, {"cloud": lambda: answer[0]}, clock=clock)
    for at in range(180):  # down for 40 s of each minute
        answer[0] = None if at % 3 == 2 else "no connection"
        watch.check()
        clock.turn(20)
    answer[0] = None
    for _ in range(30):
        watch.check()
        clock.turn(20)
    assert [event for event, _ in told(ledger)] == [NoticeEvent.TROUBLE, NoticeEvent.TROUBLE_OVER]


def test_of_several_workers_one_checks_what_all_share(ledger: Ledger) -> None:
    asked: list[str] = []
    shared, own = {"cloud": lambda: asked.append("cloud")}, {"share": lambda: asked.append("share")}
    TroubleWatch(ledger, shared, own, leads=lambda: True).check()
    TroubleWatch(ledger, shared, own, leads=lambda: False).check()
    assert asked == ["share", "cloud", "share"]


def test_a_probe_that_fails_is_a_trouble_itself(ledger: Ledger) -> None:
    clock = Clock()

    def fails() -> None:
        raise OSError(5, "Input/output error")

    watch = TroubleWatch(ledger, {}, {"share": fails}, clock=clock)
    for _ in range(20):
        watch.check()
        clock.turn(20)
    assert told(ledger) == [(NoticeEvent.TROUBLE, "Input/output error")]


def test_a_share_that_does_not_answer_is_away_and_asked_by_one_thread() -> None:
    hangs, asked = threading.Event(), []

    def hang() -> str | None:
        asked.append(1)
        hangs.wait(60)
        return None

    probe = TimedProbe(hang, "/share does not answer.", seconds=0.05)
    assert [probe(), probe()] == ["/share does not answer."] * 2
    assert len(asked) == 1
    hangs.set()
    patient = TimedProbe(lambda: None, "silence", seconds=60)
    assert patient() is None
    with ThreadPoolExecutor(16) as pool:  # pages that ask at the same moment
        assert set(pool.map(lambda _: patient(), range(2000))) == {None}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with simulated() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def shop(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened(tmp_path_factory.mktemp("shop"), cloud) as shop:
        yield shop


def test_a_real_service_finds_its_cloud_and_its_share(shop: Shop, cloud: Cloud) -> None:
    watch = make_trouble_watch(shop.service.context, "here", lambda: True)
    clock = Clock(timedelta())
    watch.clock = clock
    watch.check()
    assert shop.service.ledger.troubles.read() == ()
    cloud.fault("getOrgSettingsPresets", "status", times=1000, status=401)
    marker = next(shop.share.glob(".stlflow*"))
    content = marker.read_text()
    marker.unlink()
    try:
        watch.check()
        clock.turn(301)
        watch.check()
    finally:
        marker.write_text(content)
        cloud.clear_faults()
    kinds = {each.kind: each.words for each in shop.service.ledger.troubles.read()}
    assert kinds.keys() == {"cloud", "share"}
    assert "is missing" in kinds["share"]
    watch.check()
    clock.turn(301)
    watch.check()
    assert shop.service.ledger.troubles.read() == ()


def test_without_anyone_who_hears_of_it_nothing_is_checked() -> None:
    mail = {"mail": "it@example.com"}
    assert not hears_trouble(parse_notices({}, (), "here"))
    assert not hears_trouble(parse_notices({"targets": {"shop": mail}}, (), "here"))
    assert hears_trouble(parse_notices({"targets": {"administrator": mail}}, (), "here"))
