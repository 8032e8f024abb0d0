"""What is known of a submission: every fact that is documented, in its unit, and nothing else."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Unpack

import pytest

from tests.states import put_in_state
from tests.stl import box
from workflow.eiger import Build
from workflow.eiger.models import BuildCosts
from workflow.ledger import Ledger
from workflow.mesh import MeshPolicy
from workflow.mesh.inspection import inspect_mesh
from workflow.model import FactValue, SubmissionChanges, SubmissionState
from workflow.pipeline.facts import build_facts, facts_before_upload, time_facts
from workflow.routing import FACT_TABLE, BuildVolume, DecisionStage, FactKind, is_of_kind

NOON = datetime(2026, 12, 18, 12, 30, tzinfo=UTC)
VOLUMES = (BuildVolume("Mark Two", "Desktop Series", (320, 132, 154)),)
FULL = Build(
    id="b-1",
    title="bracket",
    created_at=NOON - timedelta(hours=3),
    updated_at=NOON - timedelta(hours=1),
    part_count=2,
    device_series="Desktop Series",
    primary_material="Onyx",
    secondary_material="Carbon Fiber",
    ccs_primary_required=28.9,
    ccs_secondary_required=0.4,
    ccs_tertiary_required=1.2,
    ccs_fiber_required=3.1,
    standard_costs=BuildCosts(total=6.8),
    estimated_print_seconds=23400,
    sliced=True,
    blacksmith_enabled=False,
    approved=True,
)


def a_submission(ledger: Ledger, folder: Path, **changes: Unpack[SubmissionChanges]) -> int:
    file = folder / "a.stl"
    file.write_bytes(box(30, 20, 10))
    report = inspect_mesh(file, "rush/a.stl", MeshPolicy())
    number = ledger.open("rush/a.stl")
    measured: SubmissionChanges = {"mesh": report, "sha256": report.sha256, "size": 684}
    all_changes: SubmissionChanges = {**measured, **changes}
    put_in_state(ledger, ledger.get(number), **all_changes)
    return number


def test_every_documented_fact_is_given_in_its_kind_and_nothing_else(ledger: Ledger, tmp_path: Path) -> None:
    number = a_submission(ledger, tmp_path, dropped_by="kim")
    given = {
        **facts_before_upload(ledger, ledger.get(number), NOON, UTC, VOLUMES),
        **build_facts(FULL, NOON),
        "preset": "Onyx",
    }
    kinds = {fact.name: fact.kind for fact in FACT_TABLE}
    assert set(given) == set(kinds)
    assert [name for name, value in given.items() if not is_of_kind(value, kinds[name])] == []


def test_the_examples_of_the_table_are_of_their_kinds() -> None:
    for fact in FACT_TABLE:
        example: FactValue = fact.example
        if fact.kind in {FactKind.NUMBER, FactKind.COUNT}:
            example = float(fact.example)
        elif fact.kind is FactKind.FLAG:
            example = fact.example == "true"
        assert is_of_kind(example, fact.kind), fact.name


def test_the_file_and_its_mesh(ledger: Ledger, tmp_path: Path) -> None:
    facts = facts_before_upload(ledger, ledger.get(a_submission(ledger, tmp_path)), NOON, UTC)
    assert (facts["path"], facts["folder"], facts["name"]) == ("rush/a.stl", "rush", "a.stl")
    assert (facts["longest_mm"], facts["shells"], facts["size_mb"]) == (30.0, 1, 0.000684)
    assert "dropped_by" not in facts, "nobody knows whose it was"


def test_what_was_sent_before_is_counted_without_itself(ledger: Ledger, tmp_path: Path) -> None:
    sent: SubmissionChanges = {"state": SubmissionState.DISPATCHED, "receipt_id": "r-1"}
    numbers = [
        a_submission(ledger, tmp_path, **changes) for changes in (sent, sent, {}, {"receipt_id": "r-2"})
    ]
    counts = [facts_before_upload(ledger, ledger.get(each), NOON, UTC)["sent_before"] for each in numbers]
    assert counts == [2, 2, 3, 2]


def test_times_are_those_of_the_shop() -> None:
    facts = time_facts(NOON - timedelta(hours=14), NOON, timezone(timedelta(hours=12)))
    assert facts == {
        "dropped_weekday": "friday",
        "dropped_time": "10:30",
        "weekday": "saturday",
        "time": "00:30",
    }


def test_a_build_in_useful_units() -> None:
    facts = build_facts(FULL, NOON)
    assert (facts["build.print_hours"], facts["build.age_hours"], facts["build.unchanged_hours"]) == (
        6.5,
        3,
        1,
    )
    assert (facts["build.fiber"], facts["build.fiber_cm3"], facts["build.secondary_cm3"]) == (
        "Carbon Fiber",
        3.1,
        0.4,
    )


@pytest.mark.parametrize(
    ("build", "fiber"),
    [
        (Build(id="b", title="", part_count=1, sliced=True, secondary_material="None"), (None, None)),
        (
            Build(
                id="b",
                title="",
                part_count=1,
                sliced=True,
                secondary_material="Kevlar",
                ccs_secondary_required=2.5,
            ),
            ("Kevlar", 2.5),
        ),
        (Build(id="b", title="", part_count=1, sliced=True, ccs_secondary_required=2.5), (None, None)),
    ],
)
def test_fiber_where_there_is_some(build: Build, fiber: tuple[str | None, float | None]) -> None:
    facts = build_facts(build, NOON)
    assert (facts.get("build.fiber"), facts.get("build.fiber_cm3")) == fiber


def test_what_the_cloud_does_not_say_is_not_known() -> None:
    facts = build_facts(Build(id="b", title="x", part_count=1, sliced=False), NOON)
    assert facts == {"build.title": "x", "build.part_count": 1, "build.sliced": False}


def test_a_cloud_whose_clock_is_ahead_makes_no_build_of_the_future() -> None:
    ahead = FULL.model_copy(update={"created_at": NOON + timedelta(minutes=2)})
    assert build_facts(ahead, NOON)["build.age_hours"] == 0


def test_the_routing_facts_are_those_of_the_build_and_the_preset() -> None:
    routing = {fact.name for fact in FACT_TABLE if fact.stage is DecisionStage.ROUTING}
    assert routing == {*build_facts(FULL, NOON), "preset"}
