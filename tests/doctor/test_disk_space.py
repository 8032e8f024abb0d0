"""Room on disks."""

import pytest

from workflow.doctor import Grade
from workflow.doctor.machine import judge_free_space

MB, GB = 2**20, 2**30


@pytest.mark.parametrize(
    ("free", "grade", "says"),
    [
        (63 * MB, Grade.FAIL, "63 MB free beside the share: stlflow stops below 64 MB."),
        (64 * MB, Grade.WARN, "64 MB free beside the share, and 2.0 GB may be needed for notes."),
        (2 * GB, Grade.OK, "2.0 GB free beside the share; 2.0 GB may be needed for notes."),
    ],
)
def test_what_is_free_is_held_against_what_is_needed(free: int, grade: Grade, says: str) -> None:
    found = judge_free_space(free, "the share", 2 * GB, "for notes")
    assert (found.grade, found.says) == (grade, says)
    assert found.fix == ("" if grade is Grade.OK else "Make room on that disk.")
