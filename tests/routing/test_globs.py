"""Patterns: what they take, that they take it fast, and which pattern covers which."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.routing.globs import Glob


def path(pattern: str) -> Glob:
    return Glob(pattern, by_folder=True)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("rush/**", "rush/a.stl"),
        ("rush/**", "rush/x/y/a.stl"),
        ("rush/**", "rush"),
        ("**/a.stl", "a.stl"),
        ("**/a.stl", "x/y/a.stl"),
        ("a/**/b/**/c", "a/x/b/b/y/c"),
        ("*.stl", "a.STL"),
        ("part?.stl", "part7.stl"),
        ("p[1].stl", "p[1].stl"),
        ("Größe/*", "GRÖSSE/a"),
        ("caf\u00e9/*", "cafe\u0301/a.stl"),
        ("**", ""),
        ("*/**", "x/y/z"),
    ],
)
def test_takes(pattern: str, text: str) -> None:
    assert path(pattern).matches(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("*.stl", "rush/a.stl"),
        ("rush/*", "rush/x/a.stl"),
        ("rush/**", "rush2/a.stl"),
        ("part?.stl", "part.stl"),
        ("part?.stl", "part/.stl"),
        ("p[1].stl", "p1.stl"),
        ("*", ""),
        ("a/**/b", "a/x"),
        ("a.stl", "a.stl.stl"),
        ("a", "a\n"),
    ],
)
def test_does_not_take(pattern: str, text: str) -> None:
    assert not path(pattern).matches(text)


def test_without_folders_a_star_takes_anything() -> None:
    assert Glob("*split*").matches("a/b: split\nit")
    assert Glob("a**b").matches("a/x/b")
    assert Glob("a??b").matches("a**b")
    assert Glob("**").matches("a/b")


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("metal/**", "metal/copper/*.stl"),
        ("metal/**", "Metal/a?.stl"),
        ("**/*.stl", "x/*.stl"),
        ("**", "a/**/b"),
        ("a*", "a*b"),
        ("a/**", "a/**/x/**"),
        ("?", "a"),
    ],
)
def test_covers(wide: str, narrow: str) -> None:
    assert path(wide).covers(path(narrow))


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("metal/*", "metal/**"),
        ("metal/*", "metal/x/*"),
        ("?", "*"),
        ("??", "*"),
        ("a*b", "a*"),
        ("*.stl", "*"),
        ("*", "**"),
    ],
)
def test_does_not_cover(wide: str, narrow: str) -> None:
    assert not path(wide).covers(path(narrow))


def test_patterns_of_different_kinds_never_cover_each_other() -> None:
    assert not Glob("*").covers(path("a"))


PATTERNS = st.lists(st.sampled_from(["**", "*", "?", "a", "b", "a*", "*b", "?a"]), min_size=1, max_size=4)
TEXTS = st.lists(st.text("ab*", min_size=1, max_size=3), max_size=5).map("/".join)


@given(wide=PATTERNS.map("/".join).map(path), narrow=PATTERNS.map("/".join).map(path), text=TEXTS)
def test_what_is_covered_is_taken(wide: Glob, narrow: Glob, text: str) -> None:
    if wide.covers(narrow) and narrow.matches(text):
        assert wide.matches(text)


@given(one=PATTERNS.map("/".join).map(path), other=PATTERNS.map("/".join).map(path), text=TEXTS)
def test_what_is_excluded_never_fits_both(one: Glob, other: Glob, text: str) -> None:
    assert one.excludes(other) == other.excludes(one)
    if one.excludes(other):
        assert not (one.matches(text) and other.matches(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [("rush/**", "metal/**"), ("a*", "b*"), ("*.stl", "*.obj"), ("a", "?b"), ("a/b", "a/b/c")],
)
def test_patterns_that_exclude_each_other(one: str, other: str) -> None:
    assert path(one).excludes(path(other))


@given(st.text("aé/ßÉ.*?[x", min_size=1).filter(lambda text: text.strip("/") == text and "//" not in text))
def test_a_text_without_wildcards_takes_itself(text: str) -> None:
    plain = text.replace("*", "").replace("?", "")
    assert path(plain).matches(plain.upper())
    assert path(plain).matches(plain)


def test_no_pattern_takes_long() -> None:
    began = time.process_time()
    assert not path("*a" * 100 + "*b").matches("a" * 5000)
    assert not path("**/a/" * 50 + "b").matches("a/" * 500 + "a")
    assert time.process_time() - began < 2
