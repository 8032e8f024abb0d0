"""The canary goes the way of every part up to the inspection, leaves nothing, and its absence is noticed."""

from pathlib import Path

import pytest

from tests.cloud import Cloud, simulated
from tests.pipeline.conftest import held, opened
from tests.waiting import until
from workflow.doctor.readiness import CANARY_LIMIT_SECONDS, check_canary_flight
from workflow.ledger import CanaryFlight, Ledger
from workflow.mesh.inspection import inspect_mesh
from workflow.pipeline.canary import canary_content, drop_canary, is_canary


def test_it_is_a_closed_box_that_is_another_file_each_time(tmp_path: Path) -> None:
    (tmp_path / "c.stl").write_bytes(canary_content("0badcafe"))
    report = inspect_mesh(tmp_path / "c.stl")
    assert (report.verdict, report.watertight, report.size_mm) == ("accept", True, (10.0, 10.0, 10.0))
    assert report.volume_cm3 == pytest.approx(1)
    assert canary_content("0badcafe") != canary_content("deadbeef")


@pytest.mark.parametrize(
    ("path", "is_one"),
    [("stlflow-canary-0badcafe.stl", True), ("x/stlflow-canary-0badcafe.stl", False), ("canary.stl", False),
     ("stlflow-canary-.stl", False), ("stlflow-canary-0badcafe.stl.stl", False)],
)  # fmt: skip
def test_only_its_own_name_is_a_canary(path: str, is_one: bool) -> None:
    assert is_canary(path) is is_one


def test_it_passes_and_leaves_neither_file_nor_row_nor_request(tmp_path: Path) -> None:
    with simulated() as cloud, opened(tmp_path, cloud, canary_minutes=60) as shop:
        ledger = shop.service.ledger
        assert until(lambda: ledger.canary.read().passed_at > 0, 60)
        flight = ledger.canary.read()
        assert not flight.is_under_way
        assert check_canary_flight(flight, flight.passed_at + 5).says.startswith(
            "The last canary passed 5 s ago"
        )
        assert ledger.all() == ()
        assert [each.name for each in shop.share.rglob("*canary*")] == []
        assert list((shop.settings.state / "spool").iterdir()) == []
        assert _uploads(cloud) == []
        assert drop_canary(shop.service.context)
        assert until(lambda: not ledger.canary.read().is_under_way, 60)


def _uploads(cloud: Cloud) -> list[object]:
    return [each for each in cloud.journal() if each["operation"] == "createPart"]


def test_a_share_that_is_away_is_noticed_though_the_process_lives(tmp_path: Path) -> None:
    with simulated() as cloud, opened(tmp_path, cloud, canary_minutes=60) as shop:
        ledger = shop.service.ledger
        assert until(lambda: ledger.canary.read().passed_at > 0, 60)
        shop.share.rename(shop.share.with_name("away"))
        assert not drop_canary(shop.service.context)
        flight = ledger.canary.read()
        shop.share.with_name("away").rename(shop.share)
    waiting = check_canary_flight(flight, flight.dropped_at + CANARY_LIMIT_SECONDS - 1)
    broken = check_canary_flight(flight, flight.dropped_at + CANARY_LIMIT_SECONDS + 1)
    assert (waiting.ready, broken.ready) == (True, False)
    assert broken.says.startswith(
        "The canary that was dropped 301 s ago has not passed. Dropped files may wait"
    )


def test_a_persons_file_of_such_a_name_is_never_deleted(tmp_path: Path) -> None:
    name, content = "stlflow-canary-0badcafe.stl", canary_content("deadbeef")
    with simulated() as cloud, opened(tmp_path, cloud) as shop:
        shop.drop(name, content)
        submission = shop.wait(name, held)
        assert (shop.share / "held" / name).read_bytes() == content
        assert "Rename it" in shop.note(f"held/{name}")
    assert submission.sha256 is not None


def test_one_that_still_lies_in_the_inbox_is_not_joined_by_others(tmp_path: Path) -> None:
    with simulated() as cloud, opened(tmp_path, cloud) as shop:
        shop.service.stop()
        assert drop_canary(shop.service.context)
        dropped = shop.service.ledger.canary.read()
        assert not drop_canary(shop.service.context)
        assert shop.service.ledger.canary.read() == dropped
        assert len(list((shop.share / "inbox").glob("*canary*"))) == 1


def test_the_flights_are_kept(ledger: Ledger) -> None:
    assert ledger.canary.read() == CanaryFlight()
    assert check_canary_flight(CanaryFlight(), 0).ready
    ledger.canary.begin()
    assert ledger.canary.read().is_under_way
    ledger.canary.end(99, passed=False)
    assert ledger.canary.read().is_under_way
    ledger.canary.end(99, passed=True)
    assert not ledger.canary.read().is_under_way
