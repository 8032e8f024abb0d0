"""kill -9 at fifty random instants while files keep arriving: all end, none twice."""

import random
import signal
from pathlib import Path

import pytest

from tests.cloud import simulated
from tests.crash.test_kill import everything, start
from tests.stl import box
from tests.waiting import until
from workflow.model import SubmissionState

KILLS = 50
PER_LIFE = 4


@pytest.mark.long
@pytest.mark.parametrize("seed", [4])
def test_killed_fifty_times_while_files_arrive_all_end_and_none_twice(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    inbox = tmp_path / "share" / "inbox"
    inbox.mkdir(parents=True)
    count = KILLS * PER_LIFE
    with simulated(slice_seconds=0.3) as cloud:
        for life in range(KILLS):
            process = start(tmp_path, cloud)
            for number in range(PER_LIFE * life, PER_LIFE * (life + 1)):
                (inbox / f"part{number}.stl").write_bytes(box(10 + number / 10))
            until(lambda: process.poll() is not None, chance.uniform(1.0, 3.5))  # noqa: B023
            assert process.poll() is None, "the service ended by itself"
            process.send_signal(signal.SIGKILL)
            process.wait()
        process = start(tmp_path, cloud)
        try:
            done = until(
                lambda: [each.state for each in everything(tmp_path)] == [SubmissionState.DISPATCHED] * count,
                300,
            )
            assert done, (
                [each for each in everything(tmp_path) if each.state is not SubmissionState.DISPATCHED],
                sorted(path.name for path in (tmp_path / "share").rglob("*.stl")),
            )
        finally:
            process.terminate()
            process.wait(timeout=60)
        sent = cloud.dispatches()
    assert (len(sent), set(sent.values())) == (count, {1})
    assert len([*(tmp_path / "share" / "done").rglob("*.stl")]) == count
