"""The answer to an upload, whose body is too big to be read before it is answered."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request

from workflow.simulator import library, stl
from workflow.simulator.contract_check import Operation, checked_body
from workflow.simulator.schema import Unfit
from workflow.simulator.simulation import Simulation
from workflow.simulator.upload import FILE_FIELD, Form, read_form
from workflow.simulator.wire import Reply

UPLOAD = "uploadStl"


async def upload_stl(request: Request, operation: Operation, simulation: Simulation) -> Reply:
    """Store the file, measure it beside the event loop, and take it into the library.

    Raises Unfit and NotThere; then nothing of the upload is kept.
    """
    target = simulation.next_upload()
    form = await read_form(request.headers.get("content-type", ""), request.stream(), target)
    try:
        return await _take_in(form, target, operation, simulation)
    except BaseException:  # raised again: a refused or cut upload leaves no file
        target.unlink(missing_ok=True)
        raise


async def _take_in(form: Form, target: Path, operation: Operation, simulation: Simulation) -> Reply:
    if form.file is None:
        raise Unfit(f"{FILE_FIELD} must be a file.")
    fields = checked_body(operation, {**form.fields, FILE_FIELD: form.file.name})
    try:
        measured = await asyncio.to_thread(stl.measure, target)
    except stl.NotStl as error:
        raise Unfit(str(error)) from error
    version = library.add_part(
        simulation.present(),
        form.file,
        measured,
        preset_id=_optional(fields, "settingsPresetId"),
        user_id=_optional(fields, "userId"),
        folder_id=_optional(fields, "folderId"),
    )
    made = {"slice_job_id": version.slice_job_id, "part_version_id": version.id}
    effect = {
        "made": "part_version",
        "id": version.id,
        "title": version.title,
        "sha256": form.file.sha256,
        "slice_job": version.slice_job_id,
    }
    return Reply(201, made, effect=effect)


def _optional(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    return None if value is None else str(value)
