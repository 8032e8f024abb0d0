"""What the names of files say, by documented patterns."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.routing.facts import FactKind
from workflow.routing.filename_tags import parse_name_pattern, with_tags

PROJECT = parse_name_pattern("{project}_{qty}x")


@pytest.mark.parametrize(
    ("pattern", "stem", "tags"),
    [
        ("{project}_{qty}x", "gearbox_4x", {"tag.project": "gearbox", "tag.qty": 4}),
        ("{project}_{qty}x", "gear_box_12X", {"tag.project": "gear_box", "tag.qty": 12}),
        ("{project}_{qty}x", "gearbox_x", None),
        ("{project}_{qty}x", "_4x", None),
        ("{project}_{qty}x", "gearbox_4x v2", None),
        ("{project}_{qty}x", "gearbox_99999999x", None),
        ("{project}_{qty}x", "gearbox_٤x", None),
        ("{customer}-{part}__rev{rev:number}", "Kim-lid__REV07", {
            "tag.customer": "Kim", "tag.part": "lid", "tag.rev": 7,
        }),
        ("{a}-{b}", "x-y-z", {"tag.a": "x", "tag.b": "y-z"}),
        ("[{a}]", "[x]", {"tag.a": "x"}),
    ],
)  # fmt: skip
def test_what_a_name_says(pattern: str, stem: str, tags: dict[str, object] | None) -> None:
    assert parse_name_pattern(pattern).read(stem) == tags


def test_the_ending_does_not_count_and_the_first_pattern_that_fits_does() -> None:
    patterns = [PROJECT, parse_name_pattern("{project}")]
    assert with_tags(patterns, {"name": "a_2x.STL"}) == {"name": "a_2x.STL", "tag.project": "a", "tag.qty": 2}
    assert with_tags(patterns, {"name": "a.stl"}) == {"name": "a.stl", "tag.project": "a"}
    assert with_tags([PROJECT], {"name": "a.stl"}) == {"name": "a.stl"}
    assert with_tags([PROJECT], {"name": 5}) == {"name": 5}


def test_accents_match_however_they_are_encoded() -> None:
    pattern = parse_name_pattern("größe_{size}")
    assert pattern.read(unicodedata.normalize("NFC", "GRÖSSE_m")) is None, "ß is not written as SS in names"
    tags = with_tags([pattern], {"name": unicodedata.normalize("NFD", "Größe_é.stl")})
    assert tags["tag.size"] == "é"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("bracket", "`bracket` has no tag: write one like {project}"),
        ("{a}{b}", "two tags in `{a}{b}` have nothing between them"),
        ("{a}_{a}", "`{a}` is there twice in `{a}_{a}`"),
        ("{a", "a `{` in `{a` has no partner"),
        ("{Part}", "`{Part}` is no tag: small letters, digits and _, like {project}"),
        ("{}", "`{}` is no tag: small letters, digits and _, like {project}"),
        ("{a}_{b}_{c}_{d}_{e}_{f}_{g}", "`{a}_{b}_{c}_{d}_{e}_{f}_{g}` has 7 tags: 6 at most"),
    ],
)
def test_what_is_no_pattern(text: str, why: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the whole sentence is compared
        parse_name_pattern(text)
    assert str(caught.value) == why


def test_the_kinds_of_tags() -> None:
    kinds = {tag.name: tag.kind for tag in parse_name_pattern("{a}_{qty}_{rev:number}").tags}
    assert kinds == {"a": FactKind.TEXT, "qty": FactKind.COUNT, "rev": FactKind.COUNT}


def test_no_name_takes_long() -> None:
    began = time.process_time()
    assert parse_name_pattern("{a}_{b}_{c}_{d}_{e}_{f}x").read("_" * 250) is None
    assert time.process_time() - began < 1


@given(st.text("ab_x0é/{", max_size=12))
def test_what_is_taken_apart_can_be_put_together_again(stem: str) -> None:
    tags = PROJECT.read(stem)
    if tags is not None:
        assert stem.startswith(f"{tags['tag.project']}_")
        assert int(stem.removeprefix(f"{tags['tag.project']}_")[:-1]) == tags["tag.qty"]
