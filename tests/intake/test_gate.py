from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.intake.gate import WHOLE, GateTimes, Sighting, decide, may_be_cached, observe, quiet_seconds
from workflow.intake.shape import Ends, Shape
from workflow.intake.sight import Look, Signature
from workflow.intake.writers import Writer

TIMES = GateTimes()
NOW = 5000.0


def look(
    shape: Shape = Shape.BINARY, *, inode: int = 1, mtime: int = 0, size: int = 1084, links: int = 1
) -> Look:
    return Look(Signature(1, inode, size, mtime, mtime), Ends(shape, size, size), links)


@pytest.mark.parametrize(
    ("shape", "alone", "unsure"),
    [
        (Shape.BINARY, 0.3, 4),
        (Shape.ASCII, 5, 10),
        (Shape.TRAILING, 10, 20),
        (Shape.FOREIGN, 5, 10),
        (Shape.EMPTY, 30, 60),
        (Shape.SHORT, 600, 1200),
        (Shape.NO_FACETS, 600, 1200),
        (Shape.ZEROS, 600, 1200),
        (Shape.UNENDED, 600, 1200),
    ],
)
def test_how_long_a_file_must_stand_still(shape: Shape, alone: float, unsure: float) -> None:
    sighting = Sighting(look(shape), NOW, sessions=1, born=True)
    for writer, seconds in ((Writer.NONE, alone), (Writer.UNKNOWN, unsure)):
        assert quiet_seconds(sighting, TIMES, writer) == seconds
        assert not decide(sighting, NOW + seconds - 0.01, TIMES, writer).ready
        assert decide(sighting, NOW + seconds, TIMES, writer).ready


def test_an_open_writer_is_waited_for_however_long() -> None:
    verdict = decide(Sighting(look(), NOW), NOW + 599, TIMES, Writer.OPEN)
    assert (verdict.ready, verdict.stalled) == (False, False)
    verdict = decide(Sighting(look(), NOW), NOW + 600, TIMES, Writer.OPEN)
    assert (verdict.ready, verdict.stalled, verdict.why) == (
        False,
        True,
        "it is still open in another program",
    )


@pytest.mark.parametrize(
    ("still", "writer", "shape", "asked"),
    [
        (30, Writer.OPEN, Shape.BINARY, True),
        (29, Writer.OPEN, Shape.BINARY, False),
        (30, Writer.NONE, Shape.BINARY, False),
        (600, Writer.OPEN, Shape.SHORT, False),
    ],
)
def test_who_holds_a_file_is_asked_only_when_it_looks_whole_and_has_long_stood_still(
    still: float, writer: Writer, shape: Shape, asked: bool
) -> None:
    assert may_be_cached(Sighting(look(shape), NOW), NOW + still, TIMES, writer) is asked


def test_a_hard_link_is_never_taken() -> None:
    verdict = decide(Sighting(look(links=2), NOW), NOW + 10_000, TIMES, Writer.NONE)
    assert not verdict.ready
    assert verdict.why == "it has 2 names (hard links): copy it into the inbox instead"


def test_what_is_missing_is_said() -> None:
    short = Look(Signature(1, 1, 12_345, 0, 0), Ends(Shape.SHORT, 12_345, 50_084))
    assert (
        decide(Sighting(short, NOW), NOW, TIMES, Writer.NONE).why
        == "it is incomplete: 12,345 of 50,084 bytes"
    )


def test_an_obstacle_holds_a_whole_file_back_until_it_stalls() -> None:
    sighting = Sighting(look(), NOW)
    verdict = decide(sighting, NOW + 599, TIMES, Writer.NONE, "part.stl.crdownload is still being loaded")
    assert (verdict.ready, verdict.why) == (False, "part.stl.crdownload is still being loaded")
    assert decide(sighting, NOW + 600, TIMES, Writer.NONE, "part.stl.crdownload is still being loaded").ready


def test_any_change_begins_the_wait_anew() -> None:
    first = observe(None, look(), NOW)
    assert observe(first, look(), NOW + 9) == first
    changed = observe(first, look(mtime=1), NOW + 0.05)
    assert (changed.since, changed.rewritten) == (NOW + 0.05, False)


def test_a_whole_file_that_changes_again_waits_longer() -> None:
    """Same size, written in several goes: whole at every moment, so only quiet tells the end."""
    rewritten = observe(observe(None, look(), NOW), look(mtime=1), NOW + 0.2)
    assert quiet_seconds(rewritten, TIMES, Writer.NONE) == 5
    assert quiet_seconds(observe(rewritten, look(mtime=2), NOW + 0.21), TIMES, Writer.NONE) == 5


def test_a_change_before_the_first_closing_is_no_second_go() -> None:
    """Samba sets the time of a file when it is closed, however long after the last byte."""
    open_yet = observe(None, look(), NOW, born=True)
    assert quiet_seconds(observe(open_yet, look(mtime=1), NOW + 0.5, 1), TIMES, Writer.NONE) == 0.3


def test_a_file_that_was_closed_twice_waits_longer() -> None:
    once = observe(None, look(), NOW, sessions=1, born=True)
    assert quiet_seconds(once, TIMES, Writer.NONE) == 0.3
    assert quiet_seconds(observe(once, look(), NOW, sessions=1), TIMES, Writer.NONE) == 5


@pytest.mark.parametrize(
    ("sessions", "born", "seconds"),
    [(1, True, 0.3), (0, True, 5), (1, False, 5), (0, False, 5)],
    ids=["seen whole", "end not heard", "start not heard", "nothing heard"],
)
def test_only_a_file_that_was_heard_from_its_start_to_its_end_need_not_wait(
    sessions: int, born: bool, seconds: float
) -> None:
    """Else a writer that closes and opens it again may have been at it before anybody listened."""
    assert quiet_seconds(observe(None, look(), NOW, sessions, born=born), TIMES, Writer.NONE) == seconds
    assert quiet_seconds(observe(None, look(), NOW, sessions, born=born), TIMES, Writer.UNKNOWN) == 4


def test_what_has_stood_still_before_the_first_look_counts() -> None:
    assert decide(observe(None, look(), NOW, age=5), NOW, TIMES, Writer.NONE).ready
    assert not decide(observe(None, look(), NOW, age=4.9), NOW, TIMES, Writer.NONE).ready


def test_another_file_under_the_same_name_begins_afresh() -> None:
    old = observe(observe(None, look(), NOW), look(mtime=1), NOW + 1)
    new = observe(old, look(inode=2), NOW + 2)
    assert (new.since, new.rewritten) == (NOW + 2, False)


SIGHTINGS = st.builds(
    Sighting,
    st.builds(look, st.sampled_from(Shape), links=st.integers(1, 2)),
    st.floats(0, 1e6),
    st.integers(0, 3),
    st.booleans(),
)


@given(SIGHTINGS, st.floats(0, 5000), st.sampled_from(Writer), st.none() | st.just("holes"))
def test_every_verdict_is_sound(
    sighting: Sighting, still: float, writer: Writer, obstacle: str | None
) -> None:
    now = sighting.since + still
    verdict = decide(sighting, now, TIMES, writer, obstacle)
    assert verdict.due >= now
    assert verdict.why
    if verdict.ready:
        assert writer is not Writer.OPEN
        assert sighting.look.links == 1
        assert sighting.look.ends.shape in WHOLE | {Shape.EMPTY} or still >= 599.9


@given(SIGHTINGS, st.floats(0, 5000), st.floats(0, 5000), st.sampled_from([Writer.NONE, Writer.UNKNOWN]))
def test_waiting_longer_never_turns_a_yes_into_a_no(
    sighting: Sighting, sooner: float, more: float, writer: Writer
) -> None:
    if decide(sighting, sighting.since + sooner, TIMES, writer).ready:
        assert decide(sighting, sighting.since + sooner + more, TIMES, writer).ready


def test_shorter_times_are_kept_in_step() -> None:
    quick = replace(TIMES, stall_seconds=2, wrong_seconds=1)
    for shape in (Shape.EMPTY, Shape.TRAILING, Shape.SHORT):
        assert quiet_seconds(Sighting(look(shape), NOW), quick, Writer.NONE) == 2
