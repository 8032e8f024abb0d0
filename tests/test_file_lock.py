"""The lock on a file: one holder at a time, and none that stays behind."""

import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.waiting import until
from workflow.file_lock import LockHeld, locked_file


def test_one_holder_at_a_time_in_one_process_too(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with locked_file(file, 0):
        with pytest.raises(LockHeld), locked_file(file, 0.05):
            pass
        with locked_file(tmp_path / "another", 0):
            pass
    with locked_file(file, 0):
        pass


def test_who_waits_gets_it_once_it_is_free(tmp_path: Path) -> None:
    held, order = ExitStack(), list[str]()
    held.enter_context(locked_file(tmp_path / "lock", 0))

    def wait() -> None:
        order.append("waits")
        with locked_file(tmp_path / "lock", 60):
            order.append("has it")

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert until(lambda: order == ["waits"])
    order.append("given up")
    held.close()
    waiting.join(timeout=60)
    assert order == ["waits", "given up", "has it"]


def test_threads_that_count_under_the_lock_lose_nothing(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")

    def count() -> None:
        for _ in range(20):
            with locked_file(tmp_path / "lock", 60):
                counter.write_text(str(int(counter.read_text()) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert counter.read_text() == "80"


def test_a_program_that_was_started_meanwhile_does_not_keep_it(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with locked_file(tmp_path / "lock", 0):
            command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
            started = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE))
            stack.callback(started.kill)
        with locked_file(tmp_path / "lock", 0):
            assert started.poll() is None


def test_an_error_under_the_lock_gives_it_up(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked_file(tmp_path / "lock", 0):
        1 / 0  # noqa: B018
    with locked_file(tmp_path / "lock", 0):
        pass


def test_a_file_that_can_not_be_made_is_another_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked_file(tmp_path / "missing" / "lock", 0):
        pass
