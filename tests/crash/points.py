"""The named points between intent, effect and outcome of each step, where a process can be made to die.

The product knows nothing of them. A process of the campaign wraps the function that a point names, and
kills itself there with SIGKILL, as a power cut would; a point that no longer exists is an error.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from itertools import count
from pkgutil import resolve_name
from typing import Any

from workflow.ledger import Draft


@dataclass(frozen=True)
class Point:
    """Right before or after a function, `module:attribute`; `word` narrows it to calls with that argument."""

    name: str
    place: str
    word: str | None = None
    before: bool = False


RECORD = "workflow.ledger.ledger:Ledger.record_event"
WRITE = "workflow.ledger.ledger:Ledger.write"
CONTENT = "workflow.ledger.duplicates:DuplicateStore.write_content"
INGEST = "workflow.pipeline.ingest"
AWAY = "workflow.pipeline.finish"
DISPATCH = "workflow.pipeline.dispatch"
MOVED = "workflow.pipeline.moved_files"
POINTS = {
    point.name: point
    for point in (
        Point("claim: intent", "workflow.ledger.ledger:Ledger.open"),
        Point("claim: effect", "workflow.intake.claim:claim_file"),
        Point("claim: outcome", "workflow.ledger.ledger:Ledger.claimed"),
        Point("stage: taken", "workflow.pipeline.local_queue:take_due_steps"),
        Point("stage: handed over", "workflow.pipeline.postgres_queue:hand_over_due_steps"),
        Point("stage: begun", "workflow.pipeline.executor:Executor.mark_begun"),
        Point("ingest: effect", f"{INGEST}:copy_to_spool"),
        Point("inspect: effect", "workflow.mesh.inspector:Inspector.inspect"),
        Point("examine: outcome", CONTENT, "decided"),
        Point("reject: outcome", CONTENT, "rejected"),
        Point("hold: outcome", CONTENT, "held"),
        Point("hold later: outcome", WRITE, "held"),
        Point("upload: intent", RECORD, "uploading"),
        Point("upload: effect", "workflow.pipeline.upload:_post_part"),
        Point("upload: outcome", WRITE, "uploaded"),
        Point("poll: answer", "workflow.eiger.client:EigerClient.get_slice_status"),
        Point("poll: outcome", WRITE, "sliced"),
        Point("build: answer", "workflow.pipeline.find_build:search_builds"),
        Point("route: outcome", WRITE, "routed"),
        Point("send: intent", "workflow.ledger.sends:SendStore.begin"),
        Point("send: looked", f"{DISPATCH}:find_earlier_send"),
        Point("send: announced", "workflow.ledger.sends:SendStore.renew_lease"),
        Point("send: about to", f"{DISPATCH}:_post_to_destination", before=True),
        Point("send: effect", f"{DISPATCH}:_post_to_destination"),
        Point("send: settled", "workflow.ledger.sends:SendStore.complete"),
        Point("send: outcome", "workflow.ledger.sends:SendStore.complete_last", "dispatched"),
        Point("put away: planned", f"{AWAY}:plan_outcome_path"),
        Point("put away: about to", f"{AWAY}:move_to_outcome", before=True),
        Point("put away: effect", f"{AWAY}:move_to_outcome"),
        Point("put away: noted", "workflow.pipeline.submission_notes:write_note"),
        Point("put away: outcome", "workflow.pipeline.stages:finish_submission"),
        Point("reclaim: effect", f"{INGEST}:reclaim_file"),
        Point("approve: about to", f"{MOVED}:release_submission", before=True),
        Point("approve: effect", f"{MOVED}:release_submission"),
        Point("approve: taken", f"{MOVED}:reclaim_file"),
        Point("approve: put back", f"{MOVED}:return_moved_file"),
        Point("cancel by moving: outcome", "workflow.pipeline.commands:cancel_submission"),
        Point("order: taken", "workflow.pipeline.reorder:move_file"),
        Point("order: begun", "workflow.ledger.commands:CommandStore.begin_reorder"),
        Point("order: put away", "workflow.pipeline.reorder:remove_note_file"),
        Point("start: requeued", "workflow.pipeline.local_queue:requeue_interrupted_steps"),
        Point("take over: outcome", "workflow.pipeline.postgres_queue:take_over_orphaned_steps"),
        Point("poll: postponed", "workflow.pipeline.poller:postpone_due_polls"),
        Point("leave: about to", "workflow.pipeline.heartbeat:deregister_worker", before=True),
    )
}


def arm(name: str, nth: int = 1) -> None:
    """Let this process die the n-th time that it comes to a point."""
    point, times = POINTS[name], count(1)
    module, _, attribute = point.place.partition(":")
    owner_name, _, function_name = f"{module}:{attribute}".replace(":", ".").rpartition(".")
    owner = resolve_name(owner_name)
    function: Callable[..., Any] = getattr(owner, function_name)

    def reached(arguments: tuple[Any, ...], result: Any) -> bool:
        spoken = point.word is None or point.word in arguments or point.word in _events_of(arguments)
        return spoken and result != () and next(times) >= nth

    @wraps(function)
    def doomed(*args: Any, **kwargs: Any) -> Any:
        arguments = (*args, *kwargs.values())
        if point.before and reached(arguments, None):
            die()
        result = function(*args, **kwargs)
        if not point.before and reached(arguments, result):
            die()
        return result

    setattr(owner, function_name, doomed)


def _events_of(arguments: tuple[Any, ...]) -> list[str]:
    """Return the events of the drafts among the arguments."""
    drafts = (argument for argument in arguments if isinstance(argument, Draft))
    return [event for draft in drafts for event, _ in draft.events]


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)
