"""Two services, each with a state folder of its own, on one share: each file is claimed and sent once."""

from collections import Counter
from pathlib import Path

import pytest

from tests.cli.command import Desk
from tests.cloud import simulated
from tests.stl import box
from tests.waiting import until
from workflow.model import SubmissionState


@pytest.mark.long
@pytest.mark.parametrize("count", [30, 1000])
def test_two_services_on_one_share_claim_each_file_once(tmp_path: Path, count: int) -> None:
    share = tmp_path / "share"
    settings = {
        "STLFLOW_SHARE": str(share),
        "STLFLOW_MASS_ARRIVAL_FILES": "0",
        "STLFLOW_REQUESTS_PER_SECOND": "1000",
    }
    with simulated(slice_seconds=0) as cloud:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
        desks = [Desk(tmp_path / name, cloud.url, settings) for name in ("one", "two")]
        with desks[0].serving() as one, desks[1].serving() as two:
            services = (one, two)
            assert all(until(lambda: "Watching" in each.said()) for each in services)  # noqa: B023
            for number in range(count):
                (share / "inbox" / f"part {number}.stl").write_bytes(box(10 + number / 100))

            def sent() -> bool:
                return len([*(share / "done").glob("*.stl")]) == count

            assert until(sent, 120 + count), (one.said(), two.said())
            assert [service.stop() for service in services] == [0, 0]
        dispatched = cloud.dispatches()
    assert (len(dispatched), set(dispatched.values())) == (count, {1})
    claimed = Counter(path for desk in desks for path in desk.submissions())
    assert claimed == {f"part {number}.stl": 1 for number in range(count)}
    assert all(
        each.state is SubmissionState.DISPATCHED for desk in desks for each in desk.submissions().values()
    )
    print(f"{count} files: {' + '.join(str(len(desk.submissions())) for desk in desks)}")
