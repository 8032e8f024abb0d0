"""Approving builds beside those that are: Eiger only knows how to replace the whole set."""

from collections.abc import Collection

from workflow.eiger.client import EigerClient
from workflow.eiger.operations import APPROVE_BUILDS
from workflow.errors import Conflict, OutcomeUnknown, SettingsError

MAX_ATTEMPTS = 4


def add_approvals(
    client: EigerClient, build_ids: Collection[str], *, switch_on: bool = False
) -> frozenset[str]:
    """Approve these builds and keep every other approval; return the ids of all approved builds.

    The set is looked at twice before it is replaced and once after: a change seen in between starts
    it all over. What another changes between the last look and the write can't be seen by anybody,
    for the service has neither versions nor conditions.
    Raises SettingsError when approvals are not in use, unless they may be switched on (every build
    that is not approved could not be printed any more), Conflict when others keep changing the set,
    and CloudError.
    """
    added = frozenset(build_ids)
    for _ in range(MAX_ATTEMPTS):
        before = _read_approved_ids(client, switch_on=switch_on)
        if added <= before:
            return before
        if _read_approved_ids(client, switch_on=switch_on) != before:
            continue
        after = _replace_approvals(client, before | added)
        if added <= after:
            return after
    text = (
        f"Others changed the approved builds {MAX_ATTEMPTS} times meanwhile, and the approval did not last. "
        "Agree on who approves, then try again."
    )
    raise Conflict(text, operation=APPROVE_BUILDS.id)


def _read_approved_ids(client: EigerClient, *, switch_on: bool) -> frozenset[str]:
    approved = client.list_approved_builds()
    if approved is None and not switch_on:
        raise SettingsError(
            "Approvals are not in use: every build may be printed. Approving one would forbid all others; "
            "say --switch-on if that is meant."
        )
    return frozenset(build.id for build in approved or ())


def _replace_approvals(client: EigerClient, wanted: frozenset[str]) -> frozenset[str]:
    """Write, and look; where no response came, the look tells whether it was written."""
    try:
        client.approve_builds(sorted(wanted))
    except OutcomeUnknown:
        after = _read_approved_ids(client, switch_on=True)
        if not wanted <= after:
            raise
        return after
    return _read_approved_ids(client, switch_on=True)
