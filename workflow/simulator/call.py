"""A call that fits the contract, and what most answers to one have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workflow.simulator.contract_check import Operation
from workflow.simulator.listing import Row, ValueOf, page, query_of
from workflow.simulator.shelf import Shelf
from workflow.simulator.things import Build, PrintJob
from workflow.simulator.views import View, Views
from workflow.simulator.wire import Reply
from workflow.simulator.world import World, found


@dataclass(frozen=True, slots=True)
class Call:
    """One request that fits the contract: ids of the path, typed query and body values by name."""

    operation: Operation
    ids: Mapping[str, str]
    query: Mapping[str, object]
    body: Mapping[str, object]


Answer = Callable[[Call, Views], Reply]


def list_reply(
    call: Call, shelf: Shelf[Row], show: Callable[[Row], View], value_of: ValueOf[Row] = getattr
) -> Reply:
    """Answer a list operation: the page that was asked for."""
    asked = page(shelf, query_of(call.operation, call.query), value_of)
    return Reply(200, {"has_more_items": asked.has_more, "items": [show(row) for row in asked.rows]})


def build_of(call: Call, world: World) -> Build:
    """Give the build that the path or the body names. Raises NotThere."""
    return found(world.builds, call.ids.get("build_id") or call.body["build"], "build")


def made(job: PrintJob) -> Mapping[str, object]:
    """Say for the journal that a print job was made."""
    return {
        "made": "print_job",
        "id": job.id,
        "asked_for": job.asked_for,
        "build": job.build,
        "device": job.device,
    }
