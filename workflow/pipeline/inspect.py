"""Inspecting the mesh, and the intake rules: whether and how a part is uploaded."""

from loguru import logger

from workflow.errors import InspectionFailed
from workflow.ledger import Draft
from workflow.model import (
    DecisionRecord,
    EventKind,
    HoldReason,
    IntakeDecision,
    MeshReport,
    SubmissionChanges,
    SubmissionState,
)
from workflow.pipeline.cloud_cache import NotInCloud
from workflow.pipeline.context import Context, now
from workflow.pipeline.facts import facts_before_upload
from workflow.pipeline.holds import MESH_RELEASED
from workflow.pipeline.ingest import STILL_CHANGING_SECONDS, is_still_as_taken
from workflow.pipeline.transitions import held, rejected, retried
from workflow.routing import decide_intake


def inspect_mesh(context: Context, draft: Draft) -> Draft:
    """Measure the mesh in the private copy: nobody can print a rejected one, a person may release a held one.

    A file that can't be measured is held, too. A release lets this one file past the verdict.
    """
    submission = draft.submission
    if submission.mesh is not None:
        return draft
    try:
        report = context.inspector.inspect(context.spool_path(submission), submission.path)
    except InspectionFailed as error:
        logger.opt(exception=True).debug("Submission {}: not inspected", submission.id)
        return held(draft, HoldReason.FILE, str(error))
    if report.verdict == "reject" and not is_still_as_taken(context, submission):
        incomplete = draft.change(sha256=None, size=None)
        return retried(incomplete, STILL_CHANGING_SECONDS, "The file was not complete yet.")
    if report.verdict == "reject":
        return rejected(draft, report.reason or "The mesh is not printable.", mesh=report)
    if report.verdict == "hold" and MESH_RELEASED not in submission.passed:
        return held(draft, HoldReason.MESH, report.reason or "", mesh=report)
    return draft.record(
        EventKind.INSPECTED,
        _describe_mesh(report),
        state=SubmissionState.INSPECTED,
        mesh=report,
        reason=None,
    )


def apply_intake_rules(context: Context, draft: Draft) -> Draft:
    """Decide by the intake rules, and ask the cloud for the ids of what they name. Raises CloudError."""
    submission = draft.submission
    if submission.intake_rule is not None:
        return draft
    rulebook = context.rulebook
    facts = facts_before_upload(context.ledger, submission, now(), context.zone, rulebook.volumes)
    decision = decide_intake(rulebook, facts, passed=submission.passed)
    decided = DecisionRecord("intake", now(), rulebook.revision, decision.rule, facts, submission.passed)
    if decision.action == "reject":
        return rejected(draft, decision.reason or "", decided, intake_rule=decision.rule)
    if decision.action == "hold":
        return held(draft, HoldReason.RULE, decision.reason or "", decided, intake_rule=decision.rule)
    try:
        named = _ids(context, decision)
    except NotInCloud as unlisted:
        return held(draft, HoldReason.PRESET, str(unlisted), decided, intake_rule=decision.rule)
    detail = f"rule '{decision.rule}': preset {decision.preset or 'of the vendor'}"
    changes: SubmissionChanges = {**named, "intake_rule": decision.rule, "passed": ()}
    return draft.record(EventKind.DECIDED, detail, decided, **changes)


def _ids(context: Context, decision: IntakeDecision) -> SubmissionChanges:
    preset = context.catalog.preset(decision.preset) if decision.preset else None
    return {
        "preset": preset.title if preset else None,
        "preset_id": preset.id if preset else None,
        "owner_id": context.catalog.user_id(decision.owner) if decision.owner else None,
        "folder_id": decision.folder,
    }


def _describe_mesh(mesh: MeshReport) -> str:
    size = " x ".join(f"{side:.1f}" for side in mesh.size_mm)
    volume = "" if mesh.volume_cm3 is None else f", {mesh.volume_cm3:.1f} cm³"
    warnings = "".join(f"; {warning}" for warning in mesh.warnings)
    return f"{mesh.triangles:,} facets, {size} mm{volume}{warnings}"
