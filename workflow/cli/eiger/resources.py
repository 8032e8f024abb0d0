"""The resources of Eiger's API, one group of commands each."""

from workflow.cli.eiger.builds import builds
from workflow.cli.eiger.devices import devices, queue
from workflow.cli.eiger.parts import part_versions, parts
from workflow.cli.eiger.print_jobs import backlog, job_requests, print_jobs, printed_parts
from workflow.cli.eiger.users import users

RESOURCE_GROUPS = (
    builds, devices, queue, backlog, job_requests, parts, part_versions, print_jobs, printed_parts, users,
)  # fmt: skip
