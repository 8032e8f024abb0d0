"""Answers of the operations on builds."""

from datetime import date

from workflow.simulator import library
from workflow.simulator.call import Call, build_of, list_reply, made
from workflow.simulator.shelf import Shelf
from workflow.simulator.things import Build
from workflow.simulator.views import Views
from workflow.simulator.wire import Reply
from workflow.simulator.world import found


def list_builds(call: Call, views: Views) -> Reply:
    """All builds; `approved` is no field of the row but of the organization."""
    approved = views.world.approved

    def value_of(build: Build, field: str) -> object:
        if field == "approved":
            return None if approved is None else build.id in approved
        return getattr(build, field)

    return list_reply(call, views.world.builds, views.build, value_of)


def read_build(call: Call, views: Views) -> Reply:
    """One build with its part versions."""
    return Reply(200, views.build_extended(build_of(call, views.world)))


def list_approved_builds(call: Call, views: Views) -> Reply:
    """The approved builds; 204 while approvals are not in use."""
    if views.world.approved is None:
        return Reply(204)
    approved: Shelf[Build] = Shelf()
    for build in views.world.builds:
        if build.id in views.world.approved:
            approved.put(build)
    return list_reply(call, approved, views.build)


def approve_builds(call: Call, views: Views) -> Reply:
    """Replace the approved set by the builds named."""
    named = call.body["builds"]
    ids = [str(build_id) for build_id in named] if isinstance(named, list) else []
    for build_id in ids:
        found(views.world.builds, build_id, "build")
    views.world.approved = frozenset(ids)
    return Reply(204, effect={"changed": "approvals", "builds": ids})


def disable_approved_builds(_call: Call, views: Views) -> Reply:
    """Switch approvals off: every build may be printed."""
    views.world.approved = None
    return Reply(204, effect={"changed": "approvals", "builds": None})


def send_build_to_backlog(call: Call, views: Views) -> Reply:
    """Make a print job in state Backlogged."""
    return _wait_for_person(call, views, "backlog")


def send_build_to_job_request_queue(call: Call, views: Views) -> Reply:
    """Make a print job in state Backlogged, among the job requests."""
    return _wait_for_person(call, views, "job_request")


def _wait_for_person(call: Call, views: Views, asked_for: str) -> Reply:
    due = call.body.get("dueDate")
    build = build_of(call, views.world)
    job = library.wait_for_person(views.world, build, asked_for, due if isinstance(due, date) else None)
    return Reply(201, views.print_job(job), effect=made(job))


def remove_build_from_job_request_queue(call: Call, views: Views) -> Reply:
    """Delete the build's print jobs among the job requests."""
    gone = library.withdraw_job_requests(views.world, build_of(call, views.world))
    return Reply(204, effect={"removed": "print_job", "ids": [job.id for job in gone]})
