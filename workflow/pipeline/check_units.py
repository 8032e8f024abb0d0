"""The check of the unit and scale that Eiger took a part for, after slicing and before any routing rule.

An STL has no unit, and an upload can't name one: Eiger's preferred units of a user may decide. A part that
was taken for inches is sliced, and would be printed, 25.4 times too large. So a part with a unit or scale
that the shop has not accepted is held, and a person decides.
"""

from workflow.eiger import BuildDetail, PartVersion
from workflow.errors import NotFound
from workflow.intake import printable_path
from workflow.ledger import Draft
from workflow.model import HoldReason, Submission, SubmissionState
from workflow.pipeline.context import Context
from workflow.pipeline.part_units import LONGEST_WORD, PartUnits, is_accepted, size_in_words, units_of
from workflow.pipeline.transitions import held

PUT_RIGHT = (
    "In Eiger, set Preferred units to mm (My Profile of the part's owner) and the part's scale to 1. "
    "Then retry: the part is uploaded again."
)


def check_units(context: Context, draft: Draft) -> Draft:
    """Hold the submission if any part of its build has a unit or scale that is not accepted."""
    submission = draft.submission
    if not _is_unchecked(submission):
        return draft
    build = context.catalog.build(submission.build_id or "")
    context.catalog.cache_build(build)
    versions = _read_versions(context, submission, build)
    found = [(version, units_of(version.settings)) for version in versions]
    refused = [each for each in found if not is_accepted(each[1], context.accepted_units)]
    if refused:
        version, units = refused[0]
        is_ours = version.id == submission.part_version_id or len(versions) == 1
        reason = _why_held(submission, units) if is_ours else _why_held_for_another(version, units)
        return held(
            draft,
            HoldReason.UNITS,
            f"{reason} {_what_to_do(context, units)}",
            taken_as=str(units),
        )
    taken_as = str(found[0][1]) if found else ""
    return draft if taken_as == submission.taken_as else draft.change(taken_as=taken_as)


def _is_unchecked(submission: Submission) -> bool:
    """True before routing, unless a person released it. One that waits for a printer was checked before."""
    if submission.units_released:
        return False
    waits_unchecked = submission.hold is HoldReason.DEVICE and submission.taken_as is None
    return submission.state is SubmissionState.SLICED or waits_unchecked


def _read_versions(context: Context, submission: Submission, build: BuildDetail) -> tuple[PartVersion, ...]:
    """Return the build's part versions; ours, where the build holds it, is read by itself and comes first.

    A person may have attached a build that holds another part. Raises CloudError.
    """
    ours = submission.part_version_id
    in_build = [version for version in build.part_versions if version.id == ours]
    if ours is None or (build.part_versions and not in_build):
        return build.part_versions
    try:
        return (context.catalog.part_version(ours), *build.part_versions)
    except NotFound:  # the part was deleted in Eiger, and its build was not
        if not any(units_of(version.settings).units for version in in_build):
            raise
        return build.part_versions


def _why_held(submission: Submission, units: PartUnits) -> str:
    factor = units.to_mm()
    file_size = submission.mesh.size_mm if submission.mesh is not None else None
    became = ""
    if file_size is not None:
        taken = "a size that stlflow can't tell" if factor is None else size_in_words(file_size, factor)
        became = f": {taken}. In mm at scale 1, the file is {size_in_words(file_size)}"
    return f"Eiger took this part for {units}{became}."


def _why_held_for_another(version: PartVersion, units: PartUnits) -> str:
    title = printable_path(version.title[:LONGEST_WORD])
    return f"The build holds the part '{title}', which Eiger took for {units}, not for mm at scale 1."


def _what_to_do(context: Context, units: PartUnits) -> str:
    entry = units.as_setting()
    if entry is None:
        return PUT_RIGHT
    entries = ", ".join((*map(str, context.accepted_units), entry))
    return f'{PUT_RIGHT} If all such parts are meant so: accepted_units = "{entries}".'
