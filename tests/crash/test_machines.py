"""Several machines on one share and one Postgres: each with a state folder of its own, as real processes."""

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.cli.command import Desk, Service
from tests.cloud import Cloud, simulated
from tests.stl import box
from tests.waiting import until

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="freezes processes"),
]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with simulated(slice_seconds=0.5) as cloud:
        yield cloud


class Machines:
    """Workstations that share one folder and one database."""

    def __init__(self, folder: Path, cloud: Cloud, database_url: str, count: int) -> None:
        self.cloud = cloud
        self.desks = [
            Desk(
                folder / f"machine{place}",
                cloud.url,
                {"STLFLOW_SHARE": str(folder / "share"), "STLFLOW_DATABASE_URL": database_url},
            )
            for place in range(count)
        ]
        for desk in self.desks:
            desk.folder.mkdir()
        self.share = folder / "share"

    def drop(self, name: str, content: bytes) -> None:
        unfinished = self.share / "unfinished"
        unfinished.write_bytes(content)
        unfinished.rename(self.share / "inbox" / name)

    def list_faults(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.desks[0].run("list", "--json").out)
        return rows

    def workers(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.desks[0].run("workers", "--json").out)
        return rows

    def done(self) -> int:
        return len(list((self.share / "done").glob("*.stl")))

    @contextmanager
    def running_stages(self) -> Iterator[list[Service]]:
        with ExitStack() as stack:
            services = []
            for desk in self.desks:
                services.append(stack.enter_context(desk.serving()))
                assert until(lambda desk=desk: "Watching" in services[-1].said()), services[-1].said()  # type: ignore[misc]
            yield services


@pytest.fixture
def machines(tmp_path: Path, cloud: Cloud, postgres_url: str) -> Machines:
    return Machines(tmp_path, cloud, postgres_url, 2)


def test_they_share_the_work_and_send_each_file_once(machines: Machines) -> None:
    with machines.running_stages() as services:
        for number in range(20):
            machines.drop(f"part{number}.stl", box(10 + number))
        assert until(lambda: machines.done() == 20, 300), machines.list_faults()
        assert [row["in_hands"] for row in machines.workers()] == [[], []]
        assert [service.stop() for service in services] == [0, 0]
    sent = machines.cloud.dispatches()
    assert (len(sent), set(sent.values())) == (20, {1})
    assert machines.workers() == []
    assert all("Submission" in service.said() for service in services)


def test_a_dead_machines_submissions_are_taken_over_within_15_seconds(machines: Machines) -> None:
    with machines.running_stages() as services:
        machines.cloud.fault("uploadStl", "delay", times=8, delay_seconds=30)
        for number in range(8):
            machines.drop(f"part{number}.stl", box(10 + number))
        victim, heir = services

        def busy() -> set[int]:
            return {each["submission"] for row in machines.workers() if row["pid"] == victim.process.pid
                    for each in row["in_hands"]}  # fmt: skip

        assert until(busy), machines.workers()
        machines.cloud.clear_faults()
        stranded = busy()
        victim.process.kill()
        killed_at = monotonic()

        def taken_over() -> bool:
            found = {
                int(number) for number in re.findall(r"Submission (\d+) \(.*?\) taken over", heir.said())
            }
            return stranded <= found

        assert until(taken_over), heir.said()
        print(f"{len(stranded)} submissions taken over {monotonic() - killed_at:.1f} s after kill -9")
        assert until(lambda: machines.done() == 8, 300), machines.list_faults()
        assert heir.stop() == 0
    sent = machines.cloud.dispatches()
    assert (len(sent), set(sent.values())) == (8, {1})


def test_one_that_was_cut_off_and_comes_back_does_no_harm(machines: Machines) -> None:
    with machines.running_stages() as services:
        frozen, heir = services
        for number in range(12):
            machines.drop(f"part{number}.stl", box(10 + number))
        assert until(lambda: machines.cloud.dispatches() or machines.list_faults())
        os.kill(frozen.process.pid, signal.SIGSTOP)
        try:
            assert until(lambda: "sends no heartbeat" in heir.said(), 300), heir.said()
            assert until(lambda: machines.done() == 12, 300), machines.list_faults()
        finally:
            os.kill(frozen.process.pid, signal.SIGCONT)
        assert until(lambda: "it takes part again" in frozen.said(), 300), frozen.said()
        machines.drop("after.stl", box(99))
        assert until(lambda: machines.done() == 13, 300), machines.list_faults()
        assert [service.stop() for service in services] == [0, 0]
    sent = machines.cloud.dispatches()
    assert (len(sent), set(sent.values())) == (13, {1})
    assert all("Traceback" not in service.said() for service in services)


def test_a_batch_works_on_its_own_machine_and_nobody_else_takes_its_files(
    machines: Machines, tmp_path: Path
) -> None:
    here, elsewhere = machines.desks
    folder = tmp_path / "machine0" / "parts"
    folder.mkdir()
    (folder / "lid.stl").write_bytes(box(33))
    with elsewhere.serving() as service:
        assert until(lambda: "Watching" in service.said()), service.said()
        ended = here.run("batch", "parts")
        assert ended.code == 0, ended.err
        assert service.stop() == 0
    assert machines.cloud.dispatches().total() == 1
    assert (folder / "lid.stl").read_bytes() == box(33)


def test_files_put_into_processing_by_hand_are_sent_once_when_all_start_at_once(machines: Machines) -> None:
    (machines.share / "processing").mkdir(parents=True)
    for number in range(10):
        (machines.share / "processing" / f"part{number}.stl").write_bytes(box(10 + number))
    with ExitStack() as stack:
        services = [stack.enter_context(desk.serving()) for desk in machines.desks]
        assert until(lambda: machines.done() == 10, 300), [service.said() for service in services]
        assert [service.stop() for service in services] == [0, 0]
    sent = machines.cloud.dispatches()
    assert (len(sent), set(sent.values())) == (10, {1})


def test_a_folder_that_is_only_read_and_mounted_elsewhere_is_sent_once(
    machines: Machines, tmp_path: Path
) -> None:
    """As two machines see one share: the same marker and the same files, but other paths and other times."""
    seen = [tmp_path / "mnt", tmp_path / "Z"]
    for place in seen:
        (place / "exports").mkdir(parents=True)
        (place / ".stlflow-share").write_text("0123456789abcdef" * 2 + "\n", "ascii")
        for number in range(8):
            (place / "exports" / f"part{number}.stl").write_bytes(box(10 + number))
    with ExitStack() as stack:
        services = [
            stack.enter_context(desk.serving(STLFLOW_READ_ONLY_INBOX=str(place / "exports")))
            for desk, place in zip(machines.desks, seen, strict=True)
        ]

        def all_sent() -> bool:
            return machines.cloud.dispatches().total() >= 8 and "Watching" in services[1].said()

        assert until(all_sent, 300), [service.said() for service in services]
        ended = machines.desks[0].run(
            "batch", str(seen[0] / "exports"), STLFLOW_STATE=str(tmp_path / "third")
        )
        assert "8 of them by an earlier batch: nothing was sent again." in ended.out, (ended.out, ended.err)
        assert [service.stop() for service in services] == [0, 0]
    sent = machines.cloud.dispatches()
    assert (len(sent), set(sent.values())) == (8, {1})
    assert len(machines.list_faults()) == 8
