import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.conftest import Book
from workflow.intake.mass_arrival import MassArrivalGuard, MassArrivalLimit

FEW = {f"few {number}.stl" for number in range(3)}
MANY = {f"many {number}.stl" for number in range(4)}


@pytest.fixture
def arrivals(book: Book) -> MassArrivalGuard:
    return MassArrivalGuard(MassArrivalLimit(files=3, window_seconds=60), book)


def test_a_few_files_pass(arrivals: MassArrivalGuard) -> None:
    assert arrivals.arrive(FEW, now=0) == frozenset()
    assert arrivals.waiting == set()


def test_a_mass_arrival_is_held_whole(arrivals: MassArrivalGuard) -> None:
    assert arrivals.arrive(MANY, now=0) == MANY
    assert arrivals.waiting == MANY


def test_a_mass_arrival_in_portions_is_held_with_its_first_files(
    arrivals: MassArrivalGuard,
) -> None:
    assert arrivals.arrive({"a", "b"}, now=0) == frozenset()
    assert arrivals.arrive({"c", "d"}, now=50) == {"a", "b", "c", "d"}
    assert arrivals.arrive({"e"}, now=59) == {"e"}, "the crowd goes on"


def test_a_late_event_about_a_taken_file_counts_it_no_second_time(arrivals: MassArrivalGuard) -> None:
    for path in sorted(FEW):
        assert arrivals.arrive({path}, now=0) == frozenset()
        arrivals.taken(path)
    assert arrivals.arrive(FEW, now=1) == frozenset()
    assert arrivals.arrive({"one more.stl"}, now=2) == {"one more.stl"}
    assert arrivals.arrive(FEW, now=3) == FEW, "a mass arrival goes on, also with names that came before"


def test_files_that_were_taken_away_and_put_back_are_a_mass_arrival_again(
    arrivals: MassArrivalGuard,
) -> None:
    assert arrivals.arrive(MANY, now=0) == MANY
    arrivals.update_from_scan(())
    assert arrivals.arrive(MANY, now=5) == MANY


def test_files_far_apart_are_no_mass_arrival(arrivals: MassArrivalGuard) -> None:
    for number in range(10):
        assert arrivals.arrive({f"{number}.stl"}, now=30.0 * number) == frozenset()


def test_after_a_mass_arrival_single_files_pass_again(arrivals: MassArrivalGuard) -> None:
    arrivals.arrive(MANY, now=0)
    assert arrivals.arrive({"single.stl"}, now=61) == frozenset()
    assert arrivals.waiting == MANY


def test_what_a_person_accepted_is_no_mass_arrival_again(arrivals: MassArrivalGuard, book: Book) -> None:
    arrivals.arrive(MANY, now=0)
    book.waitlist = dict.fromkeys(MANY, True)
    arrivals.update_from_scan(MANY)
    assert arrivals.waiting == set()
    assert arrivals.arrive(MANY, now=100) == frozenset()


def test_what_waited_before_a_restart_waits_after_it(arrivals: MassArrivalGuard, book: Book) -> None:
    """Even when so few are left that they would pass."""
    book.waitlist = {"left over.stl": False}
    arrivals.begin()
    assert arrivals.arrive({"left over.stl", "new.stl"}, now=0) == frozenset()
    assert arrivals.waiting == {"left over.stl"}


def test_what_is_taken_away_is_forgotten(arrivals: MassArrivalGuard, book: Book) -> None:
    arrivals.arrive(MANY, now=0)
    stays = min(MANY)
    arrivals.update_from_scan({stays})
    assert arrivals.waiting == book.waitlist.keys() == {stays}


def test_what_has_passed_counts_and_is_not_set_aside(arrivals: MassArrivalGuard) -> None:
    arrivals.arrive(FEW, now=0)
    for path in FEW:
        arrivals.taken(path)
    assert arrivals.arrive({"one too many.stl"}, now=1) == {"one too many.stl"}


def test_a_renamed_folder_counts_once(arrivals: MassArrivalGuard) -> None:
    arrivals.arrive({"old/1.stl", "old/2.stl"}, now=0)
    arrivals.update_from_scan(set())
    assert arrivals.arrive({"new/1.stl", "new/2.stl"}, now=1) == frozenset()
    assert arrivals.arrive({"3.stl", "4.stl"}, now=2) == {"new/1.stl", "new/2.stl", "3.stl", "4.stl"}


def test_without_a_limit_all_pass(book: Book) -> None:
    assert (
        MassArrivalGuard(MassArrivalLimit(), book).arrive({str(number) for number in range(1000)}, now=0)
        == frozenset()
    )


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 5)), max_size=20))
def test_never_more_than_the_limit_pass_within_the_window(portions: list[tuple[float, int]]) -> None:
    arrivals, now, passed = (
        MassArrivalGuard(MassArrivalLimit(files=3, window_seconds=60), Book()),
        0.0,
        list[float](),
    )
    for portion, (pause, count) in enumerate(portions):
        now += pause
        paths = {f"{portion} {number}" for number in range(count)}
        crowd = arrivals.arrive(paths, now)
        passed += [now] * len(paths - crowd)
        assert sum(now - at <= 60 for at in passed) <= 3
