"""Where the system tells of changes, and where sweeps do it alone."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from loguru import logger

from tests.intake.conftest import Clock
from tests.waiting import until
from workflow.intake.events import FolderWatcher
from workflow.logs import set_up_logs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kinds of file systems are Linux's")


class Ears:
    """One listening, and how often it was woken."""

    def __init__(self, inbox: Path, clock: Clock) -> None:
        self.woken = 0
        self.listening = FolderWatcher(inbox, self._wake, clock)

    def _wake(self) -> None:
        self.woken += 1

    def hear(self) -> bool:
        return self.listening.is_started


@pytest.fixture
def ears(tmp_path: Path, clock: Clock) -> Iterator[Ears]:
    ears = Ears(tmp_path, clock)
    yield ears
    ears.listening.stop()


def test_a_local_disk_is_listened_to(ears: Ears, tmp_path: Path, clock: Clock, said: list[str]) -> None:
    ears.listening.ensure_watching("ext4", 2)
    assert until(ears.listening.has_seen_self_test)
    clock.turn(10)
    ears.listening.ensure_watching("ext4", 2)
    assert ears.hear()
    assert list(tmp_path.iterdir()) == [], "the echo leaves nothing behind"
    assert said == []


@pytest.mark.parametrize("kind", ["cifs", "nfs4", "fuse.sshfs", "9p"])
def test_a_network_mount_is_only_swept(ears: Ears, clock: Clock, said: list[str], kind: str) -> None:
    for _ in range(3):
        ears.listening.ensure_watching(kind, 5)
        clock.turn(3600)
    assert not ears.hear()
    assert said == [
        f"No events from the system ({kind}: changes of others there give no events): "
        "the inbox is scanned every 5 s."
    ]


def test_a_system_that_stays_silent_is_given_up(
    ears: Ears, clock: Clock, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflow.intake.events.FolderWatcher.has_seen_self_test", lambda _self: False)
    ears.listening.ensure_watching("ext4", 2)
    assert ears.hear()
    clock.turn(3)
    ears.listening.ensure_watching("ext4", 2)
    assert not ears.hear()
    assert said == [
        "No events from the system (the self-test file had no event): the inbox is scanned every 2 s."
    ]


def test_lost_notices_ask_for_a_walk_and_are_said_once(ears: Ears, said: list[str]) -> None:
    """A full queue is told in watchdog's log, and nowhere else."""
    ears.listening.ensure_watching("ext4", 2)
    for _ in range(2):
        logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed")
        heard = ears.listening.take_events()
        assert heard is not None
        assert heard.everywhere
    assert ears.woken >= 2
    assert said == ["Events of the system were lost (Inotify queue overflowed): the inbox is scanned."]


def test_the_logs_of_the_service_do_not_silence_that(ears: Ears) -> None:
    set_up_logs("ERROR", as_json=False, folder=None)
    try:
        ears.listening.ensure_watching("ext4", 2)
        logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed")
        heard = ears.listening.take_events()
    finally:
        logger.remove()
        logger.add(sys.__stderr__ or sys.stderr)
    assert heard is not None
    assert heard.everywhere
