"""The resources of Eiger's API, one group of commands each."""

from workflow.cli.eiger_builds import builds
from workflow.cli.eiger_devices import devices
from workflow.cli.eiger_part_versions import part_versions
from workflow.cli.eiger_parts import parts
from workflow.cli.eiger_people import backlog, job_requests
from workflow.cli.eiger_print_jobs import print_jobs
from workflow.cli.eiger_printed_parts import printed_parts
from workflow.cli.eiger_queue import queue
from workflow.cli.eiger_users import users

RESOURCES = (
    builds, devices, queue, backlog, job_requests, parts, part_versions, print_jobs, printed_parts, users,
)  # fmt: skip
