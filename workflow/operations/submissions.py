"""What is asked before a person changes a submission."""

from contextlib import closing

from workflow.assembly import open_ledger
from workflow.eiger import make_client
from workflow.errors import (
    NotFound,
    WrongSubmissionState,
)
from workflow.pipeline.commands import parse_build_id
from workflow.settings import Settings


def check_build_holds_part(settings: Settings, number: int, build_id: str) -> None:
    """Raise WrongSubmissionState if a build in Eiger does not hold a submission's part, or does not exist.

    Raises also UnknownSubmission, CloudError, SettingsError.
    """
    with closing(open_ledger(settings)) as ledger:
        part_version_id = ledger.get(number).part_version_id
    if part_version_id is None:  # the order itself says why that is too early
        return
    with make_client(settings) as client:
        try:
            build = client.read_build(parse_build_id(build_id))
        except NotFound:
            raise WrongSubmissionState(f"Eiger has no build {build_id}: nothing is attached.") from None
    if all(version.id != part_version_id for version in build.part_versions):
        parts = ", ".join(version.title for version in build.part_versions) or "no part"
        raise WrongSubmissionState(
            f"Build {build_id} ('{build.title}') does not hold the part of submission {number}, but {parts}. "
            f"If it is right, because the part was uploaded again by hand: "
            f"`stlflow attach {number} {build_id} --anyway`."
        )
