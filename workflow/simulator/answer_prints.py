"""Answers of the operations on print jobs and printed parts."""

from collections.abc import Mapping
from dataclasses import replace

from workflow.simulator.call import Call, list_reply
from workflow.simulator.views import Views
from workflow.simulator.wire import AS_JSON, Reply
from workflow.simulator.world import found


def list_print_jobs(call: Call, views: Views) -> Reply:
    """All print jobs."""
    return list_reply(call, views.world.print_jobs, views.print_job_extended)


def read_print_job(call: Call, views: Views) -> Reply:
    """One print job."""
    job = found(views.world.print_jobs, call.ids["print_job_id"], "print job")
    return Reply(200, views.print_job_extended(job))


def get_print_job_part_scan_report(call: Call, views: Views) -> Reply:
    """The scan reports of a print's parts: null until one was asked for and has been made."""
    job = found(views.world.print_jobs, call.ids["print_job_id"], "print job")
    printed_parts = views.world.printed_parts.narrowed({"print_job": job.id})
    reports = [
        {"printed_part_id": printed.id, "scan_report_url": views.scan_report_url(printed)}
        for printed in printed_parts
    ]
    return Reply(200, reports)


def list_printed_parts(call: Call, views: Views) -> Reply:
    """All printed parts."""
    return list_reply(call, views.world.printed_parts, views.printed_part)


def read_printed_part(call: Call, views: Views) -> Reply:
    """One printed part."""
    printed = found(views.world.printed_parts, call.ids["printed_part_id"], "printed part")
    return Reply(200, views.printed_part(printed))


def get_printed_part_scan_report(call: Call, views: Views) -> Reply:
    """Ask for a scan report; the link stands in the Location header once there is one."""
    printed = found(views.world.printed_parts, call.ids["printed_part_id"], "printed part")
    if printed.scan_asked_at is None:
        printed = views.world.printed_parts.put(replace(printed, scan_asked_at=views.world.now))
        effect = {"asked": "scan_report", "id": printed.id}
        return Reply(200, headers=_scan_headers(None), effect=effect)
    return Reply(200, headers=_scan_headers(views.scan_report_url(printed)))


def _scan_headers(url: str | None) -> Mapping[str, str]:
    """The contract puts an object into the header; it is written as JSON there (assumed)."""
    return {"Location": AS_JSON({"scan_report_url": url})}
