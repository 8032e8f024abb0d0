"""Answers of the operations on parts and people, but for the upload."""

from workflow.simulator import library, links
from workflow.simulator.call import Call, list_reply
from workflow.simulator.views import Views
from workflow.simulator.wire import Reply
from workflow.simulator.world import NotThere, found


def read_part(call: Call, views: Views) -> Reply:
    """One part."""
    return Reply(200, views.part(found(views.world.parts, call.ids["part_id"], "part")))


def get_slice_status(call: Call, views: Views) -> Reply:
    """How far a slicing is."""
    slicing = found(views.world.slice_jobs, call.ids["slice_job_id"], "slice job")
    return Reply(200, {"status": library.slice_status(views.world, slicing)})


def get_org_settings_presets(_call: Call, views: Views) -> Reply:
    """All settings presets, as a bare array."""
    return Reply(200, [{"title": preset.title, "id": preset.id} for preset in views.world.presets])


def read_part_version(call: Call, views: Views) -> Reply:
    """One part version."""
    version = found(views.world.part_versions, call.ids["part_version_id"], "part version")
    return Reply(200, views.part_version(version))


def read_signed_url(call: Call, views: Views) -> Reply:
    """A link to the part version's STL that works for half a minute."""
    version = found(views.world.part_versions, call.ids["part_version_id"], "part version")
    if version.stl is None:
        raise NotThere(f"{version.title} shipped with the simulator: there is no file of it.")
    url = views.links.sign(f"stl/{version.id}", views.world.now, links.DOWNLOAD_SECONDS)
    return Reply(200, {"url": url})


def list_users(call: Call, views: Views) -> Reply:
    """All users."""
    return list_reply(call, views.world.users, views.user)
