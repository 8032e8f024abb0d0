"""Unit and scale of a part: what is accepted, and how the setting and the messages say it."""

import pytest

from workflow.eiger import PartSettings
from workflow.errors import SettingsError
from workflow.pipeline.part_units import (
    MM,
    PartUnits,
    is_accepted,
    read_accepted_units,
    size_in_words,
    units_of,
)


@pytest.mark.parametrize(
    "settings",
    [
        PartSettings(units="mm", scale=1),
        PartSettings(units="mm", scale=1.0000001),
        PartSettings(units=" Millimeters ", scale=1),
        PartSettings(units="MILLIMETRE", scale=1),
        PartSettings(units="mm"),
        PartSettings(scale=1),
        PartSettings(units=""),
        PartSettings(),
        None,
    ],
)
def test_mm_at_scale_1_and_what_is_not_told_are_accepted(settings: PartSettings | None) -> None:
    assert is_accepted(units_of(settings), (MM,))


@pytest.mark.parametrize(
    ("settings", "words", "factor"),
    [
        (PartSettings(units="in", scale=1), "in", 25.4),
        (PartSettings(units="Inches"), "in", 25.4),
        (PartSettings(units="cm", scale=1), "cm", 10),
        (PartSettings(units="mm", scale=25.4), "mm at scale 25.4", 25.4),
        (PartSettings(units="mm", scale=0.999), "mm at scale 0.999", 0.999),
        (PartSettings(units="mm", scale=0), "mm at scale 0", None),
        (PartSettings(units="mm", scale=-1), "mm at scale -1", None),
        (PartSettings(scale=25.4), "an unknown unit at scale 25.4", 25.4),
        (PartSettings(units="Furlong", scale=1), "furlong", None),
        (PartSettings(units="m\x1b[31mm", scale=1), "m [31mm", None),
    ],
)
def test_all_else_is_refused_with_its_size(settings: PartSettings, words: str, factor: float | None) -> None:
    found = units_of(settings)
    assert not is_accepted(found, (MM,))
    assert (str(found), found.to_mm()) == (words, factor)


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("mm", (MM,)),
        ("mm, Inches", (MM, PartUnits("in", 1))),
        ("mm,mm at 25.4,", (MM, PartUnits("mm", 25.4))),
        ("in at scale 2", (PartUnits("in", 2),)),
        ("nautical mile", (PartUnits("nautical mile", 1),)),
    ],
)
def test_the_setting_names_what_a_shop_means(text: str, accepted: tuple[PartUnits, ...]) -> None:
    assert read_accepted_units(text) == accepted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",", "no unit in ','. Write mm"),
        ("inchs", "'inchs' is no unit: did you mean inch"),
        ("mm at much", "'mm at much' has no scale above 0. Write it like 'mm at scale 25.4'"),
        ("mm at 0", "'mm at 0' has no scale above 0"),
        ("mm at nan", "'mm at nan' has no scale above 0"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_accepted_units(text)


@pytest.mark.parametrize(
    "units", [PartUnits("in", 1), PartUnits("mm", 25.4), PartUnits(None, 25.4), PartUnits("furlong", None)]
)
def test_what_a_message_proposes_is_accepted_as_a_setting(units: PartUnits) -> None:
    entry = units.as_setting()
    assert entry is not None
    assert is_accepted(units, read_accepted_units(f"mm, {entry}"))


@pytest.mark.parametrize("units", [PartUnits("mm", 0), PartUnits("a, b", 1), PartUnits('"', 1)])
def test_nothing_is_proposed_that_no_setting_can_say(units: PartUnits) -> None:
    assert units.as_setting() is None


def test_small_sides_keep_their_digits() -> None:
    assert size_in_words((20, 0.5, 0.01234), 25.4) == "508.0 × 12.7 × 0.313 mm"
