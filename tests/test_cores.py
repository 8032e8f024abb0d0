"""The service stays on one core, moves to one with room, and its inspecting processes use all."""

import os
import subprocess
import sys
import threading

import pytest

from tests.waiting import until
from workflow import cores
from workflow.cores import ALL_CORES, allowed_cores, sharing_one_core, use_all_cores

pytestmark = pytest.mark.skipif(len(ALL_CORES) < 2, reason="needs two cores, and a system that tells them")
CORES_OF_A_CHILD = "import os; input(); print(len(os.sched_getaffinity(0)))"


def test_threads_share_one_core_until_the_end() -> None:
    before, stop = [threading.Event(), threading.Event()], threading.Event()

    def rest(begun: threading.Event) -> None:
        begun.set()
        stop.wait()

    old = threading.Thread(target=rest, args=(before[0],))
    old.start()
    try:
        with sharing_one_core():
            new = threading.Thread(target=rest, args=(before[1],))
            new.start()
            assert all(begun.wait(60) for begun in before)
            mine, *others = (os.sched_getaffinity(each.native_id or 0) for each in (_here(), old, new))
            assert len(mine) == 1
            assert others == [mine, mine]
        assert allowed_cores() == ALL_CORES
        assert os.sched_getaffinity(old.native_id or 0) == ALL_CORES
    finally:
        stop.set()
        old.join()
        new.join()


def _here() -> threading.Thread:
    return threading.current_thread()


def test_a_process_that_was_started_uses_all_cores() -> None:
    with sharing_one_core():
        child = subprocess.Popen(
            [sys.executable, "-c", CORES_OF_A_CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        use_all_cores(child.pid)
        said, _ = child.communicate(b"\n", timeout=60)
    assert int(said) == len(ALL_CORES)
    use_all_cores(child.pid)  # it has ended: nothing happens


def test_the_core_is_chosen_again(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = iter([*sorted(ALL_CORES)[:2], *[sorted(ALL_CORES)[1]] * 10_000])
    monkeypatch.setattr(cores, "CHOOSE_SECONDS", 0.01)
    monkeypatch.setattr(cores, "_present_core", lambda: next(chosen))
    with sharing_one_core():
        assert until(lambda: allowed_cores() == {sorted(ALL_CORES)[1]})


def test_a_system_that_tells_nothing_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise FileNotFoundError("/proc is not mounted")

    monkeypatch.setattr(cores, "_present_core", refuse)
    with sharing_one_core():
        assert allowed_cores() == ALL_CORES
    monkeypatch.setattr(cores, "ALL_CORES", frozenset())
    with sharing_one_core():
        assert allowed_cores()
