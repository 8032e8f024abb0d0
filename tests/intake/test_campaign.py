"""Writers of 36 kinds, in processes of their own, and two real services that take what they write."""

import os
import sys

import pytest

from tests.intake.campaign import Lines, Reckoning, run_campaign, service, table_of
from tests.intake.writing.kinds import KINDS
from workflow.intake import Share
from workflow.intake.open_writers import sees_all_writers

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="needs links, pipes and an answer about writers"
)

SEED = os.environ.get("INTAKE_SEED", "7")
"""`INTAKE_SEED=8 pytest -m long tests/intake/test_campaign.py` writes other files."""


def report(reckoning: Reckoning, seed: str) -> None:
    print(f"seed {seed}: {len(reckoning.written)} files, {len(reckoning.beyond)} not judged")
    for group, waits in table_of(reckoning).items():
        print(f"  {group}: {waits} s")


def two_services(share: Share, mode: str, scale: float) -> list[Lines]:
    return [service(share, number, scale, mode) for number in range(2)]


@pytest.mark.parametrize("mode", ["hints", "network"])
def test_whatever_way_files_are_written_each_is_taken_once_and_whole(share: Share, mode: str) -> None:
    if not sees_all_writers(share.inbox):
        pytest.skip("the file system does not tell of writers")
    reckoning = run_campaign(share, SEED, 100, takers=lambda: two_services(share, mode, 0.2), scale=0.2)
    report(reckoning, SEED)
    assert {each.kind for each in reckoning.written} == set(KINDS)
    assert reckoning.faults() == {}
    assert len(reckoning.beyond) <= 50, "too few files were judged: writers paused longer than they meant to"


@pytest.mark.long
@pytest.mark.parametrize("mode", ["hints", "sweeps", "network"])
def test_two_thousand_files_are_each_taken_once_and_whole(share: Share, mode: str) -> None:
    if not sees_all_writers(share.inbox):
        pytest.skip("the file system does not tell of writers")
    reckoning = run_campaign(share, SEED, 2000, takers=lambda: two_services(share, mode, 1.0), scale=1.0)
    report(reckoning, SEED)
    assert reckoning.faults() == {}
    assert len(reckoning.beyond) <= 20
