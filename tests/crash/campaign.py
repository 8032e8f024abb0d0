"""The fault campaign: seeded runs of the real service, killed and disturbed, then audited from outside.

    python -m tests.crash.campaign --runs 200                  # both databases in turns, two runs at a time
    python -m tests.crash.campaign --seed 17 --database postgres    # one run again, as a failure prints it

What a seed decides is in `plan.py`; which moment a random kill hits still depends on the machine.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from threading import Event
from typing import Any

from tests.cloud import Cloud, simulated
from tests.crash.auditor import audit
from tests.crash.plan import (
    LONGEST_DELAY_SECONDS,
    Act,
    Again,
    Drop,
    Fault,
    Freeze,
    Kill,
    Move,
    Order,
    Outage,
    Plan,
    Start,
    Stop,
    plan_of,
)
from tests.crash.world import World, small_disks
from tests.inspectors import address
from tests.nursery import Nursery
from tests.postgres import Postgres, postgres_server
from tests.waiting import until
from workflow.intake import paths_below

KILLS = 12
CALM_SECONDS = 180.0
_NEVER = Event()


@dataclass
class Outcome:
    """How a run ended: every broken promise, and what was done to the services."""

    plan: Plan
    kills: int
    seconds: float
    wrong: list[str]
    folder: Path
    ends: Counter[str] = field(default_factory=Counter)
    ordered: int = 0
    """How many parts were ordered again by their notes."""

    def replay(self) -> str:
        return f"python -m tests.crash.campaign --seed {self.plan.seed} --database {self.plan.database}"


class Run:
    """One run: the plan's acts, then calm until nothing is pending, then the audit."""

    def __init__(self, world: World, server: Postgres | None) -> None:
        self.world, self._server = world, server
        self.released: set[int] = set()
        self.moved: dict[str, str] = {}
        """Where a person moved a held file last, by its path, unless an order came after that."""
        self._canceled: set[str] = set()
        self._ever_approved: set[str] = set()

    def go(self) -> list[str]:
        """Return every broken promise."""
        try:
            for act in self.world.plan.acts:
                self.do(act)
            stuck = self._calm()
            for act in self.world.plan.last if not stuck else ():
                self.do(act)
            stuck = stuck or self._calm()
            shown = self.world.submissions()
            self.released |= {each["id"] for each in shown if each["path"] in self._ever_approved}
            return [*stuck, *audit(self.world, self.released), *self._not_carried_out(shown)]
        finally:
            for worker in list(self.world.alive):
                self.world.signal(worker, signal.SIGCONT)
                pid = self.world.alive.get(worker)
                if pid is not None:
                    os.kill(pid, signal.SIGKILL)
                    until(lambda pid=pid: self.world.nursery.send_request(pid=pid) is not None, 10)  # type: ignore[misc]

    def do(self, act: Act) -> None:
        """Do one thing to the world."""
        world = self.world
        match act:
            case Start():
                world.start(act)
            case Kill(worker, after):
                until(lambda: not world.is_alive(worker), after)
                world.kill(worker)
            case Stop(worker):
                world.signal(worker, signal.SIGTERM)
            case Freeze(worker, seconds):
                world.signal(worker, signal.SIGSTOP)
                _NEVER.wait(seconds)
                world.signal(worker, signal.SIGCONT)
            case Drop(count):
                world.drop(count)
            case Fault():
                details = {"status": act.status, "delay_seconds": act.delay_seconds}
                if act.retry_after_seconds is not None:
                    details["retry_after_seconds"] = act.retry_after_seconds
                world.cloud.fault(act.operation, act.kind, act.times, **details)
            case Order(word, chance):
                self._order(word, chance)
            case Move(where, chance):
                self._move(where, chance)
            case Again(chance):
                self._order_again(chance)
            case Outage(what, seconds, after):
                _NEVER.wait(after)
                with self._missing(what):
                    _NEVER.wait(seconds)

    def _order(self, word: str, chance: float) -> None:
        """Whoever held a send looks in Eiger first; the others are ordered about as they come."""
        listed = [
            each for each in self.world.submissions() if "Outcome unknown" not in (each["reason"] or "")
        ]
        if not listed:
            return
        number = listed[int(chance * len(listed))]["id"]
        code, _ = self.world.command(word, str(number))
        self.world.note(f"{word} {number}: {code}")
        if code == 0:
            path = next(each["path"] for each in listed if each["id"] == number)
            if word != "retry" or self.moved.get(path) != "approved":  # a retry takes no approval back
                self.moved.pop(path, None)
            (self._canceled.add if word == "cancel" else self._canceled.discard)(path)
        if word == "release" and code == 0:
            self.released.add(number)

    def _move(self, where: str, chance: float) -> None:
        """Move a held file, as anyone with rights to the folders can."""
        top = self.world.share / "held"
        held = sorted(each for each in paths_below(top) if each.endswith(".stl"))
        if not held:
            return
        path = Path(held[int(chance * len(held))])
        target = self.world.share / where / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                return
            (top / path).rename(target)
        except OSError:  # the share is away, or the service was quicker
            return
        self.world.note(f"moved {path} to {where}")
        if (
            path.as_posix() in self._canceled
        ):  # its file was still in held/: the move decides nothing any more
            return
        self.moved[path.as_posix()] = where
        if where == "approved":
            self._ever_approved.add(path.as_posix())

    def _order_again(self, chance: float) -> None:
        """Move the note of a sent part into the inbox."""
        top = self.world.share / "done"
        notes = sorted(each for each in paths_below(top) if each.endswith(".stl.txt"))
        if not notes:
            return
        note = Path(notes[int(chance * len(notes))])
        target = self.world.share / "inbox" / note
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                return
            (top / note).rename(target)
        except OSError:  # the share is away
            return
        path = note.as_posix().removesuffix(".txt")
        self.world.note(f"ordered {path} again")
        self.world.ordered[path] += 1

    def _not_carried_out(self, shown: list[dict[str, Any]]) -> Iterator[str]:
        """What a rule held, and a person moved: it ends as the last move says."""
        ends = {"approved": "dispatched", "rejected": "canceled"}
        for each in shown:
            where = self.moved.get(each["path"])
            if where and each["path"].startswith("small") and each["state"] != ends[where]:
                yield f"{each['path']} was moved to {where} and ends as {each['state']}"

    @contextmanager
    def _missing(self, what: str) -> Iterator[None]:
        self.world.note(f"no {what}")
        if what == "database":
            assert self._server is not None
            self._server.stop("immediate")
            yield
            self._server.start()
        elif what == "good rules":
            self.world.save_rules("routing: a second time\n")
            yield
            self.world.save_rules(f"# reworded at {time.monotonic()}\n")
        elif what == "share" and not self.world.plan.disks and self.world.share.exists():
            away = self.world.folder / "away"
            self.world.share.rename(away)
            yield
            made_anew = self.world.share.exists()  # by a service at its very first start
            if made_anew:  # a service may be writing there
                local = self.world.share.rename(self.world.folder / f"local-{time.monotonic_ns()}")
                assert not list(local.rglob("*.stl")), "a file in a share that is not there"
            away.rename(self.world.share)
            if made_anew:  # whoever mounts the share after that says that it is the right one
                self.world.command("intake", "mark")
        elif what.startswith("full"):
            place = self.world.share if what == "full share" else self.world.state(0)
            filler = _fill(place)
            yield
            filler.unlink()
        else:
            yield
        self.world.note(f"{what} back")

    # -- the end ------------------------------------------------------------------------------------

    def _calm(self) -> list[str]:
        """No more faults: everything must come to an end, with a person who retries what is held."""
        self.world.cloud.clear_faults()
        self.world.drop(self.world.plan.files)
        for worker in range(self.world.plan.workers):
            self.world.start(Start(worker))
        patient_from = time.monotonic() + 2 * LONGEST_DELAY_SECONDS
        give_up_at = time.monotonic() + CALM_SECONDS
        listed: list[dict[str, Any]] = []
        pending, expected = listed, len(self.world.dropped) + self.world.ordered.total()
        while time.monotonic() < give_up_at:
            until(lambda: not self._on_the_way(), 1.0)  # a glance; the command below costs a process
            listed = self.world.submissions()
            pending = [each for each in listed if not self._has_ended(each)]
            if len(listed) >= expected and not pending and not self._on_the_way():
                return []
            if time.monotonic() > patient_from:
                for each in pending:
                    if each["state"] == "held" and self.world.command("retry", str(each["id"]))[0] == 0:
                        self.moved.pop(str(each["path"]), None)
            for worker in range(self.world.plan.workers):
                self.world.start(Start(worker))
            _NEVER.wait(1.0)
        return [
            f"after {CALM_SECONDS:.0f} s of calm: {len(listed)} of {expected} known, "
            f"pending {[(each['id'], each['state'], each['reason']) for each in pending]}, "
            f"on the way {self._on_the_way()}"
        ]

    def _has_ended(self, submission: dict[str, object]) -> bool:
        path = str(submission["path"])
        decided = submission["id"] in self.released or path in self.moved
        in_doubt = "Outcome unknown" in str(submission["reason"])
        by_rule = path.startswith("small") and not decided and not in_doubt
        return submission["state"] in {"dispatched", "rejected", "canceled"} or (
            submission["state"] == "held" and by_rule
        )

    def _on_the_way(self) -> list[str]:
        share = self.world.share
        return [
            f"{folder}/{found}"
            for folder in ("inbox", "processing", "approved")
            for found in paths_below(share / folder)  # folders come and go meanwhile
            if found.endswith(".stl") and (share / folder / found).is_file()
        ]


def _fill(place: Path) -> Path:
    filler = place / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        for chunk in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while file.write(b"\0" * chunk):
                    pass
    return filler


def run_once(plan: Plan, folder: Path, nursery: Nursery, server: Postgres | None) -> Outcome:
    """Do one run in a fresh folder, which is left behind when a promise was broken."""
    began = time.monotonic()
    folder.mkdir(parents=True)
    url = server.database() if server is not None else None
    disks = small_disks([folder / "share", folder / "state0"]) if plan.disks else nullcontext()
    with simulated(slice_seconds=0.2) as cloud, disks:
        world = World(folder, plan, Cloud(cloud.url), url, nursery)
        world.save_rules("")
        wrong = Run(world, server).go()
        ends = Counter(str(each["state"]) for each in world.submissions())
        if wrong and plan.disks:
            shutil.copytree(folder / "state0", folder / "kept")
    if not wrong:
        shutil.rmtree(folder)
    if server is not None and url is not None and not wrong:
        server.drop(url)
    took, ordered = time.monotonic() - began, world.ordered.total()
    return Outcome(plan, world.kills, took, wrong, folder, ends, ordered)


def lane(seeds: Iterator[tuple[int, str]], kills: int, folder: Path) -> Iterator[Outcome]:
    """Do runs one after the other, with a nursery and a Postgres of its own."""
    nursery = Nursery(inspectors=address())
    try:
        with postgres_server() as server:
            for seed, database in seeds:
                plan = plan_of(seed, database, kills, root=os.geteuid() == 0)
                place = folder / f"{seed}-{database}"
                yield run_once(plan, place, nursery, server if database == "postgres" else None)
    finally:
        nursery.close()


def main() -> None:
    """Do the runs that were asked for; exits with 1 when a promise was broken."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--runs", type=int, default=1)
    options.add_argument("--seed", type=int, default=1, help="of the first run")
    options.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    options.add_argument("--kills", type=int, default=KILLS, help="at least so many in each run")
    options.add_argument("--lanes", type=int, default=1, help="so many runs at a time")
    asked = options.parse_args()
    databases = cycle(["sqlite", "postgres"] if asked.database == "both" else [asked.database])
    seeds = iter(list(zip(range(asked.seed, asked.seed + asked.runs), databases, strict=False)))
    folder = Path(tempfile.mkdtemp(prefix="stlflow-campaign-"))
    outcomes: list[Outcome] = []
    began = time.monotonic()

    def work() -> None:
        for outcome in lane(seeds, asked.kills, folder):
            outcomes.append(outcome)
            tell(outcome)

    with ThreadPoolExecutor(asked.lanes) as lanes:
        for each in [lanes.submit(work) for _ in range(asked.lanes)]:
            each.result()
    broken = [outcome for outcome in outcomes if outcome.wrong]
    kills = sum(outcome.kills for outcome in outcomes)
    ends = sum((outcome.ends for outcome in outcomes), Counter[str]())
    print(f"{len(outcomes)} runs, {kills} kills, {len(broken)} broken, {time.monotonic() - began:.0f} s")
    print(f"submissions: {sum(ends.values())}, {dict(ends)}")
    sys.exit(1 if broken else 0)


def tell(outcome: Outcome) -> None:
    """Say how a run went; a broken one with everything that is needed to see it again."""
    plan = outcome.plan
    print(
        f"seed {plan.seed} {plan.database}: {plan.workers} worker(s), {plan.files} files, "
        f"{outcome.ordered} ordered again, {outcome.kills} kills, {outcome.seconds:.0f} s: "
        f"{'BROKEN' if outcome.wrong else 'ok'}",
        flush=True,
    )
    for wrong in outcome.wrong:
        print(f"    {wrong}")
    if outcome.wrong:
        print(f"    again: {outcome.replay()}\n    left behind: {outcome.folder}", flush=True)


if __name__ == "__main__":
    main()
