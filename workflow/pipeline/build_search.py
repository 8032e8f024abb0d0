"""Searching Eiger for builds: the one loop that lists builds and reads each of them.

A build's title or time never decides whose it is; what is in the build does, and only reading it tells.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from workflow.eiger import Build, BuildDetail, BuildFilter, EigerClient
from workflow.errors import NotFound


def search_builds_by(
    client: EigerClient,
    filters: BuildFilter,
    limit: int,
    *,
    is_worth_reading: Callable[[Build], bool] = lambda _: True,
) -> Iterator[BuildDetail]:
    """Return the newest `limit` builds that match the filters, each as it was read. Raises CloudError.

    Those that are not worth reading, or were deleted meanwhile, are left out.
    """
    for listed in islice(client.list_builds(filters, order="desc", page_size=limit), limit):
        if is_worth_reading(listed) and (build := read_build_if_present(client, listed.id)) is not None:
            yield build


def read_build_if_present(client: EigerClient, build_id: str) -> BuildDetail | None:
    """Return a build, None if it was deleted. Raises CloudError."""
    try:
        return client.read_build(build_id)
    except NotFound:
        return None


def holds_part_version(build: BuildDetail, part_version_id: str) -> bool:
    """True if a part version is in the build."""
    return any(version.id == part_version_id for version in build.part_versions)
