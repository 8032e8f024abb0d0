"""Which printers a part fits: the data file, the poses, the facts, the sentence, and rules on them."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.errors import RulesError
from workflow.resources import resource_folder
from workflow.routing import BuildVolume, decide_intake, describe_fit, fit_facts, load_rules, parse_rules
from workflow.routing.build_volumes import (
    BUILD_VOLUMES_FILE,
    Pose,
    find_pose,
    fits_all_mm,
    load_build_volumes,
    read_build_volumes,
)
from workflow.routing.evaluate import evaluate_condition
from workflow.routing.rule_tests import evaluate_rule_tests

SHIPPED = load_build_volumes(resource_folder("rules") / "default.yaml")
MARK_TWO = BuildVolume("Mark Two", "Desktop Series", (320, 132, 154))
RULES = """\
version: 1
intake:
  - name: too large
    when: {not: {fits: "*"}}
    reject: No printer takes it.
  - name: large
    when: {fits_series: FX20, not: {fits: [X7, "Mark*"]}}
    preset: FX20 Onyx
  - name: rest
    preset: Onyx
routing:
  - name: all
    send_to: backlog
tests:
  - file: {path: a.stl, x_mm: 500}
    expect: {preset: FX20 Onyx}
  - file: {path: a.stl, x_mm: 900}
    expect: {reject: "No printer*"}
  - file: {path: a.stl}
    expect: {preset: Onyx}
"""


def test_each_figure_has_a_source_and_no_printer_is_there_twice() -> None:
    assert len(SHIPPED) >= 9
    assert all(volume.source for volume in SHIPPED)
    assert len({volume.name for volume in SHIPPED}) == len(SHIPPED)


@pytest.mark.parametrize(
    ("size", "pose"),
    [
        ((320, 132, 154), Pose.AS_DRAWN),
        ((132, 320, 154), Pose.AS_DRAWN),
        ((100, 150, 300), Pose.ON_SIDE),
        ((335, 12, 20), Pose.DIAGONAL),
        ((12, 20, 335), Pose.DIAGONAL_ON_SIDE),
        ((340, 60, 20), None),
        ((360, 12, 20), None),
        ((321, 133, 154), None),
    ],
)
def test_the_simplest_pose_in_which_a_part_fits(size: tuple[float, float, float], pose: Pose | None) -> None:
    assert find_pose(size, MARK_TWO) == pose


@given(st.tuples(*[st.floats(1, 700)] * 2), st.tuples(*[st.floats(50, 500)] * 2), st.floats(0, math.pi / 2))
def test_a_rectangle_that_fits_at_an_angle_is_found(
    part: tuple[float, float], bed: tuple[float, float], angle: float
) -> None:
    width = part[0] * math.cos(angle) + part[1] * math.sin(angle)
    depth = part[0] * math.sin(angle) + part[1] * math.cos(angle)
    if width <= bed[0] - 1e-6 and depth <= bed[1] - 1e-6:
        assert find_pose((*part, 1.0), BuildVolume("any", "any", (*bed, 1.0))) is not None


@given(st.tuples(*[st.floats(10, 700)] * 2), st.tuples(*[st.floats(50, 500)] * 2))
def test_a_rectangle_that_is_said_to_fit_fits_at_some_angle(
    part: tuple[float, float], bed: tuple[float, float]
) -> None:
    if find_pose((*part, 0.0), BuildVolume("any", "any", (*bed, 0.0))) is None:
        return
    angles = [math.pi * step / 1800 for step in range(901)]
    tall = [
        min(bed[0] - part[0] * math.cos(angle) - part[1] * math.sin(angle),
            bed[1] - part[0] * math.sin(angle) - part[1] * math.cos(angle))
        for angle in angles
    ]  # fmt: skip
    assert max(tall) >= -0.7, "at a step of 0.1 degrees, 0.7 mm may be missing"


def test_the_facts_name_each_printer_and_each_series_once() -> None:
    assert fit_facts((320, 130, 30), SHIPPED) == {
        "fits": "Mark Two, Onyx One, Onyx Pro, X3, X5, X7, FX10, FX20",
        "fits_series": "Desktop Series, Industrial Series, FX10, FX20",
    }
    assert fit_facts((600, 600, 600), SHIPPED) == {"fits": "", "fits_series": ""}
    assert fit_facts((1, 1, 1), ()) == {}
    assert "Mark Two" not in str(fit_facts((265, 265, 20), SHIPPED)["fits"])
    assert "Mark Two" in str(fit_facts((265, 265, 20), SHIPPED, (300, 80, 20))["fits"])


def test_a_part_with_the_sides_that_fit_all_printers_fits_each_of_them() -> None:
    found = [fits_all_mm(volumes) for volumes in (SHIPPED, ())]
    assert found == [(235, 68.3, 65.5), None], "those of a finished part of Metal X"


def test_the_sentence_says_where_it_fits_and_how() -> None:
    assert describe_fit((330, 140, 30), SHIPPED, {"FX10", "FX20", "Mark Two"}) == (
        "fits FX10 and FX20; not Mark Two"
    )
    assert describe_fit((319, 130, 30), SHIPPED, {"Mark Two", "X7"}) == "fits X7; only just Mark Two"
    assert describe_fit((12, 20, 325), SHIPPED, {"Mark Two"}) == (
        "fits Mark Two on another side and turned on the bed"
    )
    assert describe_fit((900, 1, 1), SHIPPED, {"FX20"}) == "larger than the build volume of FX20"
    assert describe_fit((10, 10, 10), SHIPPED, {"A printer of 2030"}) == ""
    assert describe_fit((265, 265, 20), SHIPPED, {"FX20", "Mark Two"}, (300, 80, 20)) == (
        "fits FX20; Mark Two when laid straight (then 300 × 80 × 20 mm)"
    )
    assert describe_fit((265, 265, 20), SHIPPED, {"FX20", "Mark Two"}, (319, 131, 150)) == (
        "fits FX20; only just Mark Two when laid straight (then 319 × 131 × 150 mm)"
    )
    assert describe_fit((350, 350, 350), SHIPPED, {"FX20", "X7"}, (400, 300, 300)) == "fits FX20; not X7"


def test_rules_ask_for_any_of_the_names() -> None:
    rulebook = parse_rules(RULES, "rules.yaml")
    answers = {
        fits: decide_intake(rulebook, {"fits": fits, "fits_series": series}).rule
        for fits, series in (
            ("", ""), ("FX20", "FX20"), ("X7, FX20", "Industrial Series, FX20"), ("FX10", "FX10"),
        )
    }  # fmt: skip
    assert answers == {"": "too large", "FX20": "large", "X7, FX20": "rest", "FX10": "rest"}


def test_a_pattern_is_compared_with_each_name_and_never_with_two_at_once() -> None:
    rulebook = parse_rules(RULES.replace('"Mark*"]', '"F*7"]'), "rules.yaml")
    fits = "FX10, X3, X7"  # FX10 … X7 looks like F*7
    assert decide_intake(rulebook, {"fits": fits.removesuffix(", X7"), "fits_series": "FX20"}).rule == "large"
    assert (
        evaluate_condition(
            parse_rules(RULES.replace('not: {fits: "*"}', 'fits: "F*7"'), "r").intake[0].when, {"fits": fits}
        ).met
        is False
    )


def test_no_size_is_too_large_to_be_compared() -> None:
    assert find_pose((1e200, 1e200, 1.0), MARK_TWO) is None
    assert find_pose((math.inf, 1.0, 1.0), MARK_TWO) is None


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("fits: Mark Tow", "has no printer `Mark Tow`: it never matches"),
        ('not: {fits: [X7, "FX3*"]}', "has no printer `FX3*`: it never matches"),
        ("fits_series: Desktop", "has no series `Desktop`: it never matches"),
    ],
)
def test_a_printer_that_the_file_lacks_is_refused(tmp_path: Path, condition: str, said: str) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        f"version: 1\nintake:\n  - {{name: a, when: {{{condition}}}, hold: Look.}}\n"
        "  - {name: rest, preset: Onyx}\nrouting:\n  - {name: rest, send_to: backlog}\n",
        "utf-8",
    )
    with pytest.raises(RulesError) as caught:
        load_rules(rules)
    (mistake,) = caught.value.mistakes
    assert said in mistake.message
    assert mistake.line == 3
    if "Tow" in condition:
        assert mistake.hint == "did you mean `Mark Two`?"


def test_tests_of_rules_know_what_a_part_of_that_size_fits(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, "utf-8")
    results = evaluate_rule_tests(load_rules(rules))
    assert [result.differences for result in results] == [(), (), ()]


def test_the_shops_own_file_beside_the_rules_is_used(tmp_path: Path) -> None:
    row = '[[printer]]\nname = "Big"\nseries = "B"\nx_mm = 900\ny_mm = 900\nz_mm = 900.5\n'
    (tmp_path / BUILD_VOLUMES_FILE).write_text(row, "utf-8")
    assert load_build_volumes(tmp_path / "rules.yaml") == (BuildVolume("Big", "B", (900, 900, 900.5)),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[[printer]]\nname = "A"', "a [[printer]] has no x_mm"),
        ('[[printer]]\nname = "A"\nseries = "B"\nx_mm = 1\ny_mm = -1\nz_mm = 1', "a side of A is no length"),
        ('[[printer]]\nname = "A"\nserie = "B"', "A has the unknown entry serie"),
        ("printer = 3", ""),
        ("[[printer", ""),
    ],
)
def test_a_mistake_in_the_file_is_said_with_its_place(tmp_path: Path, text: str, reason: str) -> None:
    place = tmp_path / BUILD_VOLUMES_FILE
    place.write_text(text, "utf-8")
    with pytest.raises(RulesError) as caught:
        read_build_volumes(place)
    assert str(place) in str(caught.value)
    assert reason in str(caught.value)
