"""Which known name a mistyped word is nearest to."""

import pytest

from workflow.suggest import VERY_NEAR, nearest_name, nearest_option, nearest_options

MATERIALS = ["Onyx", "Onyx FR", "17-4 PH Stainless Steel", "Nylon White"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("onix", "Onyx"),
        ("ONYX fr", "Onyx FR"),
        ("nylon_white", "Nylon White"),
        ("nylon-whit", "Nylon White"),
        ("copper", ""),
        ("", ""),
    ],
)
def test_case_spaces_and_typos_do_not_matter(word: str, meant: str) -> None:
    assert nearest_option(word, MATERIALS) == meant


def test_several_come_best_first() -> None:
    assert nearest_options("onyx f", MATERIALS, count=2) == ["Onyx FR", "Onyx"]


def test_another_programs_variable_is_not_meant_for_ours() -> None:
    keys = ["ACCESS_KEY", "SECRET_KEY", "STLFLOW_SECRET_KEY"]
    assert nearest_option("SECRT_KEY", keys, VERY_NEAR) == "SECRET_KEY"
    assert nearest_option("AWS_SECRET_ACCESS_KEY", keys, VERY_NEAR) == ""


@pytest.mark.parametrize(
    ("word", "meant"), [("anvil", "Mark Two - Anvil"), ("anvli", "Mark Two - Anvil"), ("X7", ""), ("", "")]
)
def test_a_part_of_a_name_is_enough(word: str, meant: str) -> None:
    assert nearest_name(word, ["Mark Two - Anvil", "", "FX20 - Forge"]) == meant
