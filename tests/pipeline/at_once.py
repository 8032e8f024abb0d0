"""A shop whose threads are stopped: a test lets workers and folder watchers act in an order of its own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, select

from tests.cloud import simulated
from tests.pipeline.conftest import Shop, opened, written
from tests.states import put_in_state
from tests.stl import binary, box_facets
from tests.waiting import until
from workflow.errors import WrongSubmissionState
from workflow.intake import NotTakenYet, paths_below, signature_of
from workflow.intake.claim import FileClaimer
from workflow.ledger import Ledger, take_due_steps, work_of
from workflow.ledger.statements import PreparedStatement
from workflow.ledger.tables import submissions
from workflow.model import Destination, HoldReason, Step, Submission, SubmissionState
from workflow.pipeline.commands import (
    attach_build,
    cancel_submission,
    confirm_send,
    release_submission,
    retry_submission,
)
from workflow.pipeline.context import Context, now
from workflow.pipeline.heartbeat import Heartbeat
from workflow.pipeline.inbox_events import InboxEvents
from workflow.pipeline.moved_away import MoveWatcher
from workflow.pipeline.moved_files import ApprovedFiles
from workflow.pipeline.stages import Stages
from workflow.pipeline.transitions import hold

RULES = """
version: 1
intake:
  - name: ask first
    when: {path: "rule/**"}
    hold: "A person looks at these."
  - name: never
    when: {path: "rejected/**"}
    reject: "Nobody prints these."
  - name: everything else
    preset: Onyx
routing:
  - name: wait for a word
    when: {path: ["route/**", "send/**"]}
    hold: "A person says when."
  - name: everything else
    send_to: job_request
"""
FOLDERS = ("approved", "inbox", "rejected", "held", "done")
OF_PATH = PreparedStatement(
    select(submissions).where(submissions.c.path == bindparam("at_path")).order_by(submissions.c.id)
)
Act = Callable[[], None]


@dataclass
class Bench:
    """What a service does, without its threads."""

    shop: Shop
    seconds: float = 0.0
    refusal: str = ""
    _sizes: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        context = self.context
        heartbeat = Heartbeat(context.ledger, "bench", context.client)
        self.claimer = FileClaimer(context.share, InboxEvents(context, heartbeat, _nothing, 0))
        self.approved = ApprovedFiles(context.ledger, context.share, _nothing, clock=lambda: self.seconds)
        self.moves = MoveWatcher(context, "bench", _nothing, 1.0)

    @property
    def context(self) -> Context:
        return self.shop.service.context

    @property
    def ledger(self) -> Ledger:
        return self.shop.service.ledger

    def work(self, path: str) -> None:
        """Run the steps that are due of all submissions of a path."""
        while due := [each for each in self.submissions(path) if each.due_at and each.due_at <= now()]:
            self.run(due)

    def run(self, due: Sequence[Submission]) -> None:
        """Run the step of each of these submissions, and what follows at once."""
        for work in take_due_steps(self.ledger, map(work_of, due)):
            following = Stages(self.context).run_stage(work)
            while following is not None:
                following = Stages(self.context).run_stage(following)

    def watch(self, path: str) -> None:
        """Let the watchers of the folders find what was moved."""
        for folder, taker in (("approved", self.approved), ("inbox", self.claimer)):
            place = self.shop.share / folder / path
            if place.exists():
                try:
                    taker.submit_file(path, signature_of(place.lstat()))
                except NotTakenYet:
                    continue
        self.moves.carry_out_moves()

    def rest(self, path: str, *actors: Callable[[str], None]) -> None:
        """Let the actors act in turns until nothing changes any more."""
        before = None
        while (seen := self._world(path)) != before:
            before = seen
            for act in actors or (self.work, self.watch):
                act(path)
            self.seconds += 20.0 if self._world(path) == before else 0.0
            soon = [each.due_at for each in self.submissions(path) if each.due_at]
            if self._world(path) == before and soon and (min(soon) - now()).total_seconds() < 5:
                assert until(lambda: min(soon) <= now())  # noqa: B023  # called at once
                before = None

    def _world(self, path: str) -> object:
        return self.submissions(path), self.places(path), self.seconds > 60

    def submissions(self, path: str) -> tuple[Submission, ...]:
        """Return the submissions of a path, oldest first."""
        return self.ledger.find_submissions(OF_PATH, at_path=path)

    def places(self, path: str) -> tuple[str, ...]:
        """Return the top folders that have the file."""
        share, name = self.shop.share, Path(path).name
        claimed = ["processing" for each in paths_below(share / "processing") if each.endswith(f"~{name}")]
        return (*claimed, *(folder for folder in FOLDERS if (share / folder / path).exists()))

    def is_at_rest(self, path: str) -> bool:
        """True if nothing of a path waits to be taken or worked on."""
        found, folders = self.submissions(path), self.places(path)
        return bool(found) and not any(each.step for each in found) and not {"approved", "inbox"} & {*folders}

    def dropped(self, kind: str) -> str:
        """Drop a part of its own size that is held for this reason; return its path."""
        size = next(self._sizes)
        path = f"{kind}/{size}.stl"
        self.shop.drop(path, content(kind, size))
        return path

    def put_on_hold(self, kind: str) -> Submission:
        """Drop a part that gets held or rejected for a reason; return it, in its folder."""
        self.shop.cloud.take_parts_for("in" if kind == "units" else "mm")
        path = self.dropped(kind)
        self.rest(path)
        self.shop.cloud.take_parts_for("mm")
        (part,) = self.submissions(path)
        if kind == "send":
            part = self._with_lost_send(part)
        assert part.step is None, self.ledger.events(part.id)
        return part

    def _with_lost_send(self, part: Submission) -> Submission:
        """Hold a routed part whose send was begun by a worker that is gone."""
        release_submission(self.ledger, part.id)
        part = put_in_state(
            self.ledger,
            self.ledger.get(part.id),
            state=SubmissionState.ROUTED,
            destination=Destination.JOB_REQUEST,
            passed=("wait for a word",),
            copies=1,
        )
        self.ledger.sends.begin(part, 1, 0.0)
        part = hold(self.context, self.ledger.get(part.id), HoldReason.SEND, "It may have been sent.")
        part = self.ledger.schedule_next_step(part, Step.FINISH, now())
        self.rest(part.path)
        return self.ledger.get(part.id)

    def command(self, part: Submission, name: str) -> Act:
        """Return a command of a person; what it refuses is kept as text."""
        ledger, share = self.ledger, self.context.share
        orders: dict[str, Callable[[], Any]] = {
            "retry": lambda: retry_submission(ledger, part.id, share),
            "release": lambda: release_submission(ledger, part.id, share),
            "cancel": lambda: cancel_submission(ledger, part.id),
            "attach": lambda: attach_build(ledger, part.id, str(part.build_id), share=share),
            "sent": lambda: confirm_send(ledger, part.id, "a word"),
            "not sent": lambda: confirm_send(ledger, part.id, None, share=share),
        }

        def order() -> None:
            self.refusal = ""
            try:
                orders[name]()
            except WrongSubmissionState as refusal:
                self.refusal = str(refusal)

        return order

    def move(self, part: Submission, there: str) -> Act:
        """Return the move of a file by a person to a folder; `deleted`: it is deleted."""
        here = self.shop.share / (part.claimed_as or "")

        def move() -> None:
            if there == "deleted":
                here.unlink()
                return
            target = self.shop.share / there / part.path
            target.parent.mkdir(parents=True, exist_ok=True)
            here.rename(target)

        return move

    def clear(self) -> None:
        """Cancel what is held, and remove every file: each walk of a watcher looks at all of them."""
        for each in self.ledger.all([SubmissionState.HELD]):
            put_in_state(self.ledger, each, state=SubmissionState.CANCELED, step=None, due_at=None)
        for folder in (*FOLDERS, "processing"):
            for place in paths_below(self.shop.share / folder):
                (self.shop.share / folder / place).unlink()

    def history(self, path: str) -> list[str]:
        """Return everything that happened to the submissions of a path."""
        events = (event for each in self.submissions(path) for event in self.ledger.events(each.id))
        return [f"{event.event}: {event.detail}" for event in events]

    def sent(self, part: Submission) -> int:
        """Count how often the cloud was told to take a build of these bytes."""
        builds = {str(each.build_id) for each in self.submissions(part.path)} - {"None"}
        dispatches = self.shop.cloud.dispatches()
        return sum(dispatches[build] for build in builds)


@contextmanager
def cleared(bench: Bench) -> Iterator[Bench]:
    """Yield a bench, and leave nothing on it."""
    yield bench
    bench.clear()


@contextmanager
def opened_bench(folder: Path, **changes: object) -> Iterator[Bench]:
    """Open a shop, whose service runs."""
    usual = {"rules": written(folder, RULES), "slice_first_poll_seconds": 0.0, "mass_arrival_files": 0}
    with (
        simulated(slice_seconds=0) as cloud,
        opened(folder, cloud, **{**usual, "hold_meshes_with": "crumbs", **changes}) as shop,
    ):
        yield Bench(shop)


def content(kind: str, size: int) -> bytes:
    """Return a part of its own size that is held for this reason."""
    corners = box_facets(9, 8, 7 + size / 1000)
    if kind != "mesh":
        return binary(corners)
    crumb = [[(x / 100 + 20, y / 100, z / 100) for x, y, z in facet] for facet in corners]
    return binary([*corners, *crumb])


def _nothing() -> None:
    """Wake nobody."""
