"""What people write about their decisions gets into notes, terminals and logs: as one clean line."""

import pytest

from workflow.pipeline.decider import LONGEST_WHY, Decider, one_line


@pytest.mark.parametrize(
    "written",
    ["wrong\nSHA-256   0", "red\x1b[31m", "\u202egnorw", "zero\0byte", "half\ud800", "long " * 999],
)
def test_who_decided_and_why_is_one_clean_line(written: str) -> None:
    by = Decider(written, written).by
    assert by.isprintable()
    assert not {"\u202e", "\x1b"} & set(by)
    assert len(by) <= 2 * LONGEST_WHY + len("by : ")
    assert len(one_line(written)) <= LONGEST_WHY


def test_what_is_clean_stays() -> None:
    assert Decider("Änna Kim", "  wrong   revision: über Maß ").by == "by Änna Kim: wrong revision: über Maß"
