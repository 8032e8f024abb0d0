from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.intake.completeness import FileEnds, FileShape, FileSignature, FileSnapshot
from workflow.intake.open_writers import WriterState
from workflow.intake.stability import (
    COMPLETE_SHAPES,
    Observation,
    StabilityTimes,
    StabilityVerdict,
    decide_stability,
    incomplete_reason,
    may_be_server_cached,
    required_quiet_seconds,
    update_observation,
)

TIMES = StabilityTimes()
NOW = 5000.0


def look(
    shape: FileShape = FileShape.BINARY, *, inode: int = 1, mtime: int = 0, size: int = 1084, links: int = 1
) -> FileSnapshot:
    return FileSnapshot(FileSignature(1, inode, size, mtime, mtime), FileEnds(shape, size, size), links)


@pytest.mark.parametrize(
    ("shape", "alone", "unsure"),
    [
        (FileShape.BINARY, 0.3, 4),
        (FileShape.ASCII, 5, 10),
        (FileShape.TRAILING, 10, 20),
        (FileShape.FOREIGN, 5, 10),
        (FileShape.EMPTY, 600, 1200),
        (FileShape.SHORT, 600, 1200),
        (FileShape.NO_FACETS, 600, 1200),
        (FileShape.ZEROS, 600, 1200),
        (FileShape.UNENDED, 600, 1200),
    ],
)
def test_how_long_a_file_must_be_unchanged(shape: FileShape, alone: float, unsure: float) -> None:
    sighting = Observation(look(shape), NOW, sessions=1, born=True)
    for writer, seconds in ((WriterState.NONE, alone), (WriterState.UNKNOWN, unsure)):
        assert required_quiet_seconds(sighting, TIMES, writer) == seconds
        assert not decide_stability(sighting, NOW + seconds - 0.01, TIMES, writer).ready
        assert decide_stability(sighting, NOW + seconds, TIMES, writer).ready
        check = NOW + seconds if shape in COMPLETE_SHAPES else NOW + 0.25
        assert decide_stability(sighting, NOW, TIMES, writer).due == check


@pytest.mark.parametrize(
    ("links", "writer", "why"),
    [
        (1, WriterState.OPEN, "it is still open in another program"),
        (2, WriterState.NONE, "it has 2 names (hard links). Copy it into the inbox instead"),
    ],
)
def test_what_somebody_else_may_write_to_is_never_taken(links: int, writer: WriterState, why: str) -> None:
    for seconds, stalled in ((599, False), (600, True), (10_000, True)):
        now = NOW + seconds
        verdict = decide_stability(Observation(look(links=links), NOW), now, TIMES, writer)
        assert verdict == StabilityVerdict(False, now + 10, why, stalled, blocked=True)


@pytest.mark.parametrize(("still", "pause"), [(0.5, 0.25), (8, 2), (100, 10)])
def test_what_waits_is_checked_again_after_a_quarter_of_its_rest(still: float, pause: float) -> None:
    verdict = decide_stability(Observation(look(), NOW), NOW + still, TIMES, WriterState.OPEN)
    assert verdict.due == NOW + still + pause


@pytest.mark.parametrize(
    ("still", "writer", "shape", "asked"),
    [
        (30, WriterState.OPEN, FileShape.BINARY, True),
        (29, WriterState.OPEN, FileShape.BINARY, False),
        (30, WriterState.NONE, FileShape.BINARY, False),
        (600, WriterState.OPEN, FileShape.SHORT, False),
    ],
)
def test_open_writers_are_checked_only_for_a_whole_file_that_is_long_unchanged(
    still: float, writer: WriterState, shape: FileShape, asked: bool
) -> None:
    assert may_be_server_cached(Observation(look(shape), NOW), NOW + still, TIMES, writer) is asked


def test_what_is_missing_is_said() -> None:
    short = FileSnapshot(FileSignature(1, 1, 12_345, 0, 0), FileEnds(FileShape.SHORT, 12_345, 50_084))
    assert (
        decide_stability(Observation(short, NOW), NOW, TIMES, WriterState.NONE).why
        == "it is incomplete: 12,345 of 50,084 bytes"
    )


def test_an_obstacle_holds_a_whole_file_back_until_it_stalls() -> None:
    sighting = Observation(look(), NOW)
    verdict = decide_stability(
        sighting, NOW + 599, TIMES, WriterState.NONE, "part.stl.crdownload is still being loaded"
    )
    assert (verdict.ready, verdict.why) == (False, "part.stl.crdownload is still being loaded")
    assert verdict.due == NOW + 600
    assert decide_stability(sighting, NOW + 8, TIMES, WriterState.NONE, "holes").due == NOW + 10
    assert decide_stability(
        sighting, NOW + 600, TIMES, WriterState.NONE, "part.stl.crdownload is still being loaded"
    ).ready


def test_any_change_begins_the_wait_again() -> None:
    first = update_observation(None, look(), NOW)
    assert update_observation(first, look(), NOW + 9) == first
    changed = update_observation(first, look(mtime=1), NOW + 0.05)
    assert (changed.since, changed.rewritten) == (NOW + 0.05, False)


def test_a_whole_file_that_changes_again_waits_longer() -> None:
    """Same size, written in several goes: whole at every moment, so only quiet tells the end."""
    rewritten = update_observation(update_observation(None, look(), NOW), look(mtime=1), NOW + 0.2)
    for seen in (rewritten, update_observation(rewritten, look(mtime=2), NOW + 0.21)):
        assert required_quiet_seconds(seen, TIMES, WriterState.NONE) == 5
        assert required_quiet_seconds(seen, TIMES, WriterState.UNKNOWN) == 10


@pytest.mark.parametrize(("pause", "is_again"), [(0.125, True), (0.1, True), (0.0625, False)])
def test_a_change_of_a_whole_file_after_a_pause_is_a_second_go(pause: float, is_again: bool) -> None:
    first = Observation(look(), 0.0, sessions=1, born=True)
    assert update_observation(first, look(mtime=1), pause).rewritten is is_again
    growing = replace(first, snapshot=look(FileShape.SHORT))
    assert not update_observation(growing, look(mtime=1), pause).rewritten


@pytest.mark.parametrize(("sessions", "seconds"), [(1, 4), (2, 10)])
def test_of_several_goes_the_longer_wait_counts_also_where_writers_are_not_known(
    sessions: int, seconds: float
) -> None:
    seen = Observation(look(), NOW, sessions=sessions, born=True)
    assert required_quiet_seconds(seen, TIMES, WriterState.UNKNOWN) == seconds


def test_a_change_before_the_first_closing_is_no_second_go() -> None:
    """Samba sets the time of a file when it is closed, however long after the last byte."""
    open_yet = update_observation(None, look(), NOW, born=True)
    assert (
        required_quiet_seconds(
            update_observation(open_yet, look(mtime=1), NOW + 0.5, 1), TIMES, WriterState.NONE
        )
        == 0.3
    )


def test_a_file_that_was_closed_twice_waits_longer() -> None:
    once = update_observation(None, look(), NOW, sessions=1, born=True)
    assert required_quiet_seconds(once, TIMES, WriterState.NONE) == 0.3
    assert (
        required_quiet_seconds(update_observation(once, look(), NOW, sessions=1), TIMES, WriterState.NONE)
        == 5
    )


@pytest.mark.parametrize(
    ("sessions", "born", "seconds"),
    [(1, True, 0.3), (0, True, 5), (1, False, 5), (0, False, 5)],
    ids=["seen whole", "end not heard", "start not heard", "nothing heard"],
)
def test_only_a_file_that_was_heard_from_its_start_to_its_end_need_not_wait(
    sessions: int, born: bool, seconds: float
) -> None:
    """Else a writer that closes and opens it again may have been at it before anybody listened."""
    seen = update_observation(None, look(), NOW, sessions, born=born)
    assert required_quiet_seconds(seen, TIMES, WriterState.NONE) == seconds
    assert required_quiet_seconds(seen, TIMES, WriterState.UNKNOWN) == 4


def test_an_arrival_may_be_told_after_the_first_check() -> None:
    seen = update_observation(update_observation(None, look(), NOW), look(), NOW, 1, born=True)
    assert required_quiet_seconds(seen, TIMES, WriterState.NONE) == 0.3


def test_the_time_unchanged_before_the_first_check_counts() -> None:
    assert decide_stability(update_observation(None, look(), NOW, age=5), NOW, TIMES, WriterState.NONE).ready
    assert not decide_stability(
        update_observation(None, look(), NOW, age=4.9), NOW, TIMES, WriterState.NONE
    ).ready


def test_another_file_under_the_same_name_begins_afresh() -> None:
    old = update_observation(update_observation(None, look(), NOW), look(mtime=1), NOW + 1)
    new = update_observation(old, look(inode=2), NOW + 2)
    assert (new.since, new.rewritten) == (NOW + 2, False)


SIGHTINGS = st.builds(
    Observation,
    st.builds(look, st.sampled_from(FileShape), links=st.integers(1, 2)),
    st.floats(0, 1e6),
    st.integers(0, 3),
    st.booleans(),
)


@given(SIGHTINGS, st.floats(0, 5000), st.sampled_from(WriterState), st.none() | st.just("holes"))
def test_every_verdict_is_sound(
    sighting: Observation, still: float, writer: WriterState, obstacle: str | None
) -> None:
    now = sighting.since + still
    verdict = decide_stability(sighting, now, TIMES, writer, obstacle)
    assert verdict.due >= now
    assert verdict.why
    if verdict.ready:
        assert writer is not WriterState.OPEN
        assert sighting.snapshot.links == 1
        assert sighting.snapshot.ends.shape in COMPLETE_SHAPES or still >= 599.9


@given(
    SIGHTINGS,
    st.floats(0, 5000),
    st.floats(0, 5000),
    st.sampled_from([WriterState.NONE, WriterState.UNKNOWN]),
)
def test_waiting_longer_never_turns_a_yes_into_a_no(
    sighting: Observation, sooner: float, more: float, writer: WriterState
) -> None:
    if decide_stability(sighting, sighting.since + sooner, TIMES, writer).ready:
        assert decide_stability(sighting, sighting.since + sooner + more, TIMES, writer).ready


def test_shorter_times_are_kept_in_step() -> None:
    quick = replace(TIMES, stall_seconds=2, wrong_seconds=1)
    for shape in (FileShape.EMPTY, FileShape.TRAILING, FileShape.SHORT):
        assert required_quiet_seconds(Observation(look(shape), NOW), quick, WriterState.NONE) == 2


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        (FileEnds(FileShape.SHORT, 100, 684), "it is incomplete: 100 of 684 bytes"),
        (FileEnds(FileShape.TRAILING, 700, 684), "it has just been written"),
        (FileEnds(FileShape.SHORT, 83), f"it is incomplete: {FileShape.SHORT}"),
        (FileEnds(FileShape.EMPTY, 0), f"it is incomplete: {FileShape.EMPTY}"),
    ],
)
def test_what_a_waiting_file_lacks_is_told(ends: FileEnds, reason: str) -> None:
    seen = Observation(replace(look(), ends=ends), NOW)
    assert incomplete_reason(seen) == reason
