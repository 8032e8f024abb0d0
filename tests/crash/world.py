"""One run's world: share, state folders, cloud, database, and the processes that are killed in it."""

import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cloud import Cloud
from tests.crash.plan import Plan, Start
from tests.nursery import Nursery
from tests.stl import box, flat_box
from tests.waiting import until
from workflow.resources import resource_folder

SETTINGS = {
    "STLFLOW_ACCESS_KEY": "demo",
    "STLFLOW_SECRET_KEY": "demo",
    "STLFLOW_SETTLE_SECONDS": "0.05",
    "STLFLOW_SETTLE_ASCII_SECONDS": "0.2",
    "STLFLOW_SETTLE_WRONG_SECONDS": "0.2",
    "STLFLOW_SWEEP_SECONDS": "0.2",
    "STLFLOW_SLICE_FIRST_POLL_SECONDS": "0.1",
    "STLFLOW_REQUEST_TIMEOUT_SECONDS": "1",
    "STLFLOW_LATE_EFFECT_SECONDS": "0.3",
    "STLFLOW_REQUESTS_PER_SECOND": "300",
    "STLFLOW_LOG_LEVEL": "DEBUG",
}
DISK_MEGABYTES = 24


@dataclass
class World:
    """What a run works on. Workers have state folders of their own, as machines would."""

    folder: Path
    plan: Plan
    cloud: Cloud
    database_url: str | None
    nursery: Nursery
    kills: int = 0
    alive: dict[int, int] = field(default_factory=dict)
    dropped: dict[str, bytes] = field(default_factory=dict)
    ordered: Counter[str] = field(default_factory=Counter)
    """How often each part was ordered again by its note."""
    _commands: int = 0

    @property
    def share(self) -> Path:
        return self.folder / "share"

    def state(self, worker: int) -> Path:
        return self.folder / f"state{worker}"

    @property
    def rules(self) -> Path:
        return self.folder / "rules.yaml"

    def save_rules(self, ending: str) -> None:
        """Save the rules that ship, with something behind them, as an editor does: in one piece."""
        unfinished = self.folder / "rules.new"
        unfinished.write_text(
            (resource_folder("rules") / "default.yaml").read_text("utf-8") + ending, "utf-8"
        )
        unfinished.replace(self.rules)

    @property
    def log(self) -> Path:
        return self.folder / "service.log"

    def environment(self, worker: int) -> dict[str, str]:
        places = {
            "STLFLOW_SHARE": str(self.share),
            "STLFLOW_STATE": str(self.state(worker)),
            "STLFLOW_EIGER_URL": self.cloud.url,
            "STLFLOW_RULES": str(self.rules),
        }
        database = {"STLFLOW_DATABASE_URL": self.database_url} if self.database_url else {}
        return {**os.environ, **SETTINGS, **places, **database}

    # -- files --------------------------------------------------------------------------------------

    def drop(self, count: int) -> None:
        """Drop the next files, as far as the share lets us: each appears in one piece."""
        for number in range(len(self.dropped), min(len(self.dropped) + count, self.plan.files)):
            path, content = file_of(self.plan, number)
            place, unfinished = self.share / "inbox" / path, self.share / "unfinished"
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                unfinished.write_bytes(content)
                unfinished.replace(place)
            except OSError as error:
                self.note(f"{path} not dropped: {error}")
                return
            self.dropped[path] = content

    # -- processes ----------------------------------------------------------------------------------

    def start(self, start: Start) -> None:
        """Start a worker, unless it lives."""
        if self.is_alive(start.worker):
            return
        self.alive[start.worker] = self.nursery.send_request(
            words=["run"],
            environment=self.environment(start.worker),
            folder=str(self.folder),
            out=str(self.log),
            err=str(self.log),
            die_at=start.die_at,
            nth=start.nth,
            clock_seconds=start.clock_seconds,
            quickened=True,
        )

    def is_alive(self, worker: int) -> bool:
        """True if a worker lives; counts it if it killed itself meanwhile."""
        pid = self.alive.get(worker)
        if pid is None:
            return False
        code = self.nursery.send_request(pid=pid)
        if code is None:
            return True
        del self.alive[worker]
        if code == -signal.SIGKILL:
            self.kills += 1
        else:
            self.note(f"worker {worker} ended by itself with {code}")
        return False

    def kill(self, worker: int) -> None:
        """Kill a worker that lives, and wait until it is gone."""
        if self.is_alive(worker):
            self.signal(worker, signal.SIGKILL)
            until(lambda: not self.is_alive(worker))

    def signal(self, worker: int, number: signal.Signals) -> None:
        """Send a signal to a worker that lives."""
        if self.is_alive(worker):
            os.kill(self.alive[worker], number)

    def command(self, *words: str) -> tuple[int, str]:
        """Run a command of stlflow to its end; gives its exit code and what it said on stdout."""
        self._commands += 1
        out = self.folder / f"command{self._commands}.txt"
        pid = self.nursery.send_request(
            words=words,
            environment=self.environment(0),
            folder=str(self.folder),
            out=str(out),
            err=str(self.folder / "commands.log"),
            quickened=True,
        )
        code: list[int] = []

        def ended() -> bool:
            answer = self.nursery.send_request(pid=pid)
            if answer is not None:
                code.append(answer)
            return bool(code)

        if not until(ended, 40):
            os.kill(pid, signal.SIGKILL)
            until(ended)
        said = out.read_text("utf-8")
        out.unlink()
        return code[0], said

    def note(self, what: str) -> None:
        """Write a line of the campaign's own between those of the services."""
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"=== {what}\n")

    def submissions(self) -> list[dict[str, Any]]:
        """Return what `stlflow list --json` says; nothing while it can't."""
        code, said = self.command("list", "--json")
        listed: list[dict[str, Any]] = json.loads(said) if code == 0 else []
        return [as_sent(each) for each in listed]


def as_sent(submission: dict[str, Any]) -> dict[str, Any]:
    """Return a submission as it was sent: in a long run, the print of some begins and is followed."""
    is_followed = submission["state"] in {"printing", "printed", "failed", "lost_track"}
    return {**submission, "state": "dispatched"} if is_followed else submission


def file_of(plan: Plan, number: int) -> tuple[str, bytes]:
    """Return path and content of the number-th file: the kinds are spread over the run."""
    kinds = ["bad"] * plan.bad + ["small"] * plan.small
    every = max(plan.files // (len(kinds) + 1), 1)
    place, rest = divmod(number, every)
    kind = kinds[place] if rest == every - 1 and place < len(kinds) else "good"
    side = 10 + number + plan.seed % 97 / 100
    if kind == "bad":
        return f"bad{number}.stl", _flat(number)
    if kind == "small":
        return f"small{number}.stl", box(1 + number / 100, 0.5, 0.5)
    tall = 154 if number % 5 == 3 else 20
    return (f"rush/good{number}.stl" if number % 3 == 0 else f"good{number}.stl"), box(side, 20, tall)


def _flat(number: int) -> bytes:
    """Return a flat box that no other file equals: the header is free text."""
    return f"bad {number}".encode().ljust(80, b"\0") + flat_box()[80:]


@contextmanager
def small_disks(places: Sequence[Path]) -> Iterator[None]:
    """Mount disks that are soon full."""
    with ExitStack() as stack:
        for place in places:
            place.mkdir(parents=True, exist_ok=True)
            size = f"size={DISK_MEGABYTES}m"
            subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)], check=True)
            stack.callback(subprocess.run, ["umount", "--lazy", str(place)], check=True)
        yield
