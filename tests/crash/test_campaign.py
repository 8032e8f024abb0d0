"""The fault campaign, in short; in full it is `python -m tests.crash.campaign --runs 200 --lanes 2`."""

import os
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name

import pytest

from tests.crash.campaign import run_once
from tests.crash.plan import Plan, Start, plan_of
from tests.crash.points import POINTS, Point
from tests.nursery import Nursery, nursery_of_this_process
from tests.postgres import Postgres

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks real services")
SHORT, FULL = 2, 12


@pytest.fixture(scope="module")
def nursery() -> Nursery:
    return nursery_of_this_process()


@pytest.mark.parametrize("point", POINTS.values(), ids=lambda point: point.name)
def test_every_named_point_is_a_function_of_the_product(point: Point) -> None:
    module, _, attribute = point.place.partition(":")
    assert callable(resolve_name(f"{module}:{attribute}"))


def test_a_plan_is_decided_by_its_seed_alone() -> None:
    assert plan_of(7, "postgres", FULL, root=True) == plan_of(7, "postgres", FULL, root=True)
    assert plan_of(7, "postgres", FULL, root=True) != plan_of(8, "postgres", FULL, root=True)


def test_the_plans_of_a_campaign_come_to_every_named_point() -> None:
    planned = {
        act.die_at
        for seed in range(200)
        for act in plan_of(seed, "sqlite", FULL, root=False).acts
        if isinstance(act, Start)
    }
    assert set(POINTS) <= planned


def short_plan(seed: int, database: str) -> Plan:
    """Return a plan of few files, without the orders by notes, which have tests of their own."""
    return replace(plan_of(seed, database, SHORT, root=False), good=3, bad=1, small=2, last=())


def test_killed_again_and_again_every_promise_holds(tmp_path: Path, nursery: Nursery) -> None:
    outcome = run_once(short_plan(1, "sqlite"), tmp_path / "run", nursery, None)
    assert outcome.wrong == []
    assert outcome.kills >= SHORT


def test_the_same_on_postgres(tmp_path: Path, nursery: Nursery, postgres: Postgres) -> None:
    outcome = run_once(short_plan(3, "postgres"), tmp_path / "run", nursery, postgres)
    assert outcome.wrong == []
    assert outcome.kills >= SHORT


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_a_longer_campaign(tmp_path: Path, nursery: Nursery, postgres: Postgres, seed: int) -> None:
    for database, server in (("sqlite", None), ("postgres", postgres)):
        plan = plan_of(seed, database, FULL, root=os.geteuid() == 0)
        outcome = run_once(plan, tmp_path / database, nursery, server)
        assert outcome.wrong == [], outcome.replay()
        assert outcome.ordered > 0
