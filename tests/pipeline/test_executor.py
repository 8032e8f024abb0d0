"""The engine's port: what goes wrong at its start is one error of ours."""

import threading
from pathlib import Path

import pytest

from tests.waiting import until
from workflow.errors import EXIT_CLOUD, DatabaseUnavailable
from workflow.pipeline.executor import Executor, ExecutorLimits

NOBODY = "postgresql://postgres@127.0.0.1:9/nothing"


def test_a_database_that_goes_away_during_the_start_is_told_in_one_line() -> None:
    with pytest.raises(DatabaseUnavailable, match="The engine's database can't be used") as caught:
        Executor(NOBODY, "worker", {}, ExecutorLimits(), lambda: None)
    assert caught.value.exit_code == EXIT_CLOUD


def test_what_stlflow_does_not_use_of_the_engine_does_not_run(tmp_path: Path) -> None:
    """Its threads for queues, delays, timeouts and schedules would ask the database all day."""
    engine = Executor(f"sqlite:///{tmp_path / 'engine.db'}", "worker", {}, ExecutorLimits(), lambda: None)
    unused = ("queue_thread", "queue-worker", "dbos-background-jobs", "dynamic_scheduler_loop")

    def running() -> set[str]:
        names = [thread.name for thread in threading.enumerate()]
        return {name for name in unused if any(name in each for each in names)}

    try:
        assert until(lambda: not running(), 10), running()
    finally:
        engine.stop()
