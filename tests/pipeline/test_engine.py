"""The engine's port: what goes wrong at its start is one error of ours."""

import pytest

from workflow.errors import EXIT_CLOUD, DatabaseAway
from workflow.pipeline.engine import Engine, EngineLimits

NOBODY = "postgresql://postgres@127.0.0.1:9/nothing"


def test_a_database_that_goes_away_during_the_start_is_told_in_one_line() -> None:
    with pytest.raises(DatabaseAway, match="The engine's database can't be used") as caught:
        Engine(NOBODY, "worker", {}, EngineLimits(), lambda: None)
    assert caught.value.exit_code == EXIT_CLOUD
