"""A call that hangs is named in the log, in `status` and in `doctor`, and no longer once it goes on."""

import pytest
from loguru import logger

from tests.cloud import simulated
from tests.pipeline.conftest import Open, dispatched
from tests.stl import box
from tests.waiting import until
from workflow.doctor.ledger import LedgerAccess
from workflow.doctor.submissions import check_hanging_calls
from workflow.ledger import HANGING_KEY
from workflow.model import SubmissionState
from workflow.pipeline import watchdog


def test_a_call_that_hangs_is_named_with_its_duration(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "WATCH_SECONDS", 0.05)
    said: list[str] = []
    sink = logger.add(lambda line: said.append(str(line)), format="{message}", level="INFO")
    try:
        with simulated() as cloud:
            shop = open_shop(cloud, upload_timeout_seconds=60.0)
            assert until(lambda: shop.service.ledger.metadata.read(HANGING_KEY) == "")
            cloud.fault("uploadStl", "delay", delay_seconds=3.0)
            shop.drop("part.stl", box(31))
            shop.wait("part.stl", lambda seen: seen.state is SubmissionState.INSPECTED)
            monkeypatch.setattr(watchdog, "HANG_SECONDS", 0.2)
            stored = shop.service.ledger.metadata.read
            assert until(lambda: "uploadStl" in (stored(HANGING_KEY) or ""))
            (finding,) = check_hanging_calls(LedgerAccess(shop.settings))
            monkeypatch.setattr(watchdog, "HANG_SECONDS", 1800.0)
            shop.wait("part.stl", dispatched)
            assert until(lambda: shop.service.ledger.metadata.read(HANGING_KEY) == "")
    finally:
        logger.remove(sink)
    assert finding.says.startswith("Submission 1 (intake) hangs: ")
    assert finding.says.endswith(" s so far, in Eiger's uploadStl.")
    assert len([line for line in said if "hangs: " in line]) == 1
    assert len([line for line in said if "Submission 1 (intake) goes on after " in line]) == 1
