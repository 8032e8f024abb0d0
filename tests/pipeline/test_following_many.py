"""Many prints at once in a shop where everything goes wrong that was seen on the real service, or may.

What stlflow says is compared with what the simulator knows: nothing is called printed that is not, and
track is lost only of prints whose end Eiger never hears of.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import simulated
from tests.pipeline.conftest import Shop, opened, written
from tests.stl import box
from tests.waiting import until
from workflow.model import FollowedPrint, PrintPhase, SubmissionState
from workflow.pipeline.following import PrintFollower
from workflow.pipeline.watchdog import Watchdog
from workflow.simulator import REALISTIC_QUIRKS

RULES = """
version: 1
intake:
  - {name: industrial, when: {path: "x7/**"}, preset: Onyx Industrial}
  - {name: all, preset: Onyx}
routing:
  - {name: x7, when: {path: "x7/**"}, send_to: device_queue, device: {name: "X7*"}}
  - {name: asked, when: {path: "ask/**"}, send_to: job_request, follow: true}
  - {name: later, when: {path: "later/**"}, send_to: backlog, follow: true}
  - name: twice
    when: {path: "two/**"}
    send_to: device_queue
    device: {name: "Mark Two*"}
    copies: 2
    spread: true
  - {name: queue, send_to: device_queue, device: {name: "Mark Two*", choose: shortest_queue}}
"""
FOLDERS = ("", "", "", "x7", "x7", "ask", "later", "two")
PRINTERS = ("Mark Two - Anvil", "Mark Two - Bolt", "Mark Two - Cam", "X7 - Flange")
FATES = ("", "", "", "", "", "", "Failed", "Canceled", "Unknown", "Printing")
"""How prints end: most by their time, some otherwise; `Printing` is an end that Eiger never hears of."""
HIDDEN = {"Unknown", "Printing"}


class Life:
    """People and accidents at the printers, drawn from one seed."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop, self.chance = shop, random.Random(seed)
        self.fates: dict[str, str] = {}
        self.away: dict[str, int] = {}
        self.by_hand: set[str] = set()
        self.removed: set[str] = set()
        self.taken: set[str] = set()

    def go_on(self, step: int) -> None:
        """Let some time pass, and everything happen that happens meanwhile."""
        self.shop.cloud.advance(self.chance.choice((60, 60, 300, 600)))
        world = self.shop.cloud.world()
        for device in world["devices"]:
            if device["name"] in PRINTERS:
                self._at_device(device, world, step)

    def _at_device(self, device: dict[str, Any], world: Mapping[str, Any], step: int) -> None:
        act, chance = self.shop.cloud.act, self.chance
        queue, job = world["queues"][device["id"]], device["job_id"]
        if device["id"] in self.away:
            if step >= self.away[device["id"]]:
                del self.away[device["id"]]
                act("devices", device_id=device["id"], state="Printing" if job else "Ready")
                if queue and not job and chance.random() < 0.7:
                    self._print_by_hand(device, queue)
                act("attend", device_id=device["id"])
            return
        if job is not None:
            fate = self.fates.setdefault(job, chance.choice(FATES))
            if fate and chance.random() < 0.15:
                act("prints", print_job_id=job, state=fate)
        if queue and chance.random() < 0.01:
            self._take_out(device, chance.choice(queue)["id"])
        if chance.random() < (0.01 if job else 0.05):
            self.away[device["id"]] = step + chance.choice((3, 10, 40))
            act("devices", device_id=device["id"], state="Offline", listed=chance.random() < 0.5)
        elif device["state"] == "Ready" and job is None and not queue and "Mark Two" in device["name"]:
            self._start_request(device, world)

    def _print_by_hand(self, device: dict[str, Any], queue: Sequence[dict[str, Any]]) -> None:
        """Print a build of ours once more, while our own entry waits in the queue."""
        with self.shop.client() as client:
            job = client.print_to_printer(device["id"], self.chance.choice(queue)["build_id"])
        self.by_hand.add(job.id)

    def _take_out(self, device: dict[str, Any], entry: str) -> None:
        with self.shop.client() as client:
            client.remove_from_device_queue(device["id"], entry)
        self.removed.add(entry)

    def _start_request(self, device: dict[str, Any], world: Mapping[str, Any]) -> None:
        requests = {job["id"] for job in world["print_jobs"] if job["state"] == "Backlogged"} - self.taken
        if not requests:
            return
        asked = self.chance.choice(sorted(requests))
        self.taken.add(asked)
        if self.chance.random() < 0.05:
            self.shop.cloud.act("prints", print_job_id=asked, state="Removed")
            self.removed.add(asked)
        else:
            self.shop.cloud.act("start", print_job_id=asked, device_id=device["id"])


def true_outcomes(life: Life) -> Mapping[str, str]:
    """Return what became of each receipt, as the simulator knows."""
    ended = dict.fromkeys(life.removed, "removed")
    for job in life.shop.cloud.world()["print_jobs"]:
        hidden = life.fates.get(job["id"]) == "Printing" and job["state"] == "Printing"
        state = "hidden" if hidden else job["state"]
        ended[job["origin"] or job["id"]] = state
    return ended


SAID = {
    "Completed": {PrintPhase.PRINTED},
    "Failed": {PrintPhase.FAILED},
    "Canceled": {PrintPhase.CANCELED},
    "Unknown": {PrintPhase.LOST},
    "hidden": {PrintPhase.LOST},
    "removed": {PrintPhase.CANCELED, PrintPhase.LOST},
}


def check(copies: list[FollowedPrint], truth: Mapping[str, str]) -> None:
    """Check each copy against the truth; of copies with one build only the numbers can be compared."""
    by_build = Counter(copy.build_id for copy in copies)
    wrong = [
        (copy, truth.get(copy.receipt_id))
        for copy in copies
        if by_build[copy.build_id] == 1 and copy.phase not in SAID[truth[copy.receipt_id]]
    ]
    assert wrong == []
    several = [copy for copy in copies if by_build[copy.build_id] > 1]
    said = Counter(copy.build_id for copy in several if copy.phase is PrintPhase.PRINTED)
    true = Counter(copy.build_id for copy in several if truth[copy.receipt_id] == "Completed")
    assert said == true


@pytest.mark.parametrize(
    ("count", "more"),
    [
        (6, frozenset({"request-makes-job"})),
        pytest.param(300, frozenset[str](), marks=pytest.mark.long),
        pytest.param(300, frozenset({"queue-keeps-id", "request-makes-job"}), marks=pytest.mark.long),
    ],
    ids=["few", "many", "many, with other ids"],
)
def test_nothing_is_called_printed_that_is_not(tmp_path: Path, count: int, more: frozenset[str]) -> None:
    with simulated(slice_seconds=0, quirks=REALISTIC_QUIRKS | more, operator_seconds=120) as cloud:
        settings = {"rules": written(tmp_path, RULES), "mass_arrival_files": 0}
        with opened(tmp_path, cloud, **settings) as shop:
            life = Life(shop, seed=count)
            for number in range(count):
                size = 5 + 13 * number / count
                shop.drop(f"{FOLDERS[number % len(FOLDERS)]}/{number}.stl".lstrip("/"), box(size, size, size))
            ledger = shop.service.ledger

            def sent() -> bool:
                counts = ledger.count_by_state()
                return counts.get(SubmissionState.DISPATCHED, 0) == count and not any(
                    each.step for each in ledger.all()
                )

            assert until(sent, 600), ledger.count_by_state()
            follower = PrintFollower(shop.service.context, 60, Watchdog())
            for step in range(100 * count):
                life.go_on(step)
                follower.follow()
                if life.chance.random() < 0.02:  # killed, and started again
                    follower = PrintFollower(shop.service.context, 60, Watchdog())
                if not ledger.prints.any_followed():
                    break
            copies = [copy for known in ledger.prints.read(ledger.all()).values() for copy in known]
            check(copies, true_outcomes(life))
            states = Counter(each.state for each in ledger.all())
            phases = Counter(copy.phase for copy in copies)
            asked = Counter(entry["operation"] for entry in cloud.journal())
    print(
        f"{count} parts, {len(copies)} copies, {step + 1} rounds, {len(life.by_hand)} prints by hand, "
        f"{len(life.removed)} taken out"
    )
    print(f"said: {dict(states)}, {dict(phases)}; asked: {dict(asked)}")
    assert set(states) <= {SubmissionState.PRINTED, SubmissionState.FAILED, SubmissionState.LOST_TRACK}
