"""Inspecting the mesh, and the intake rules: whether and how a part is uploaded."""

from loguru import logger

from workflow.errors import NotInspected
from workflow.model import Decided, Hold, IntakeDecision, MeshReport, State, Submission
from workflow.pipeline.catalog import Unlisted
from workflow.pipeline.clock import now
from workflow.pipeline.facts import facts_before_upload
from workflow.pipeline.outcome import hold, reject
from workflow.pipeline.workshop import Workshop
from workflow.routing import decide_intake


def inspect(shop: Workshop, submission: Submission) -> Submission:
    """Measure the mesh in the private copy; a bad file is rejected, one that can't be measured is held."""
    if submission.mesh is not None:
        return submission
    try:
        report = shop.inspector.inspect(shop.spool_file(submission), submission.path)
    except NotInspected as error:
        logger.opt(exception=True).debug("Submission {}: not inspected", submission.id)
        return hold(shop, submission, Hold.FILE, str(error))
    if report.verdict == "reject":
        return reject(shop, submission, report.reason or "The mesh is not printable.", mesh=report)
    return shop.ledger.record(
        submission, "inspected", _in_words(report), state=State.INSPECTED, mesh=report, reason=None
    )


def decide(shop: Workshop, submission: Submission) -> Submission:
    """Ask the intake rules, and the cloud for the ids of what they name."""
    if submission.intake_rule is not None:
        return submission
    rulebook = shop.rulebook
    facts = facts_before_upload(shop.ledger, submission, now(), shop.zone)
    decision = decide_intake(rulebook, facts, passed=submission.passed)
    decided = Decided("intake", now(), rulebook.revision, decision.rule, facts, submission.passed)
    if decision.action == "reject":
        return reject(shop, submission, decision.reason or "", decided, intake_rule=decision.rule)
    if decision.action == "hold":
        return hold(shop, submission, Hold.RULE, decision.reason or "", decided, intake_rule=decision.rule)
    try:
        named = _ids(shop, decision)
    except Unlisted as unlisted:
        return hold(shop, submission, Hold.PRESET, str(unlisted), decided, intake_rule=decision.rule)
    detail = f"rule '{decision.rule}': preset {decision.preset or 'of the vendor'}"
    return shop.ledger.record_decision(
        submission, decided, "decided", detail, intake_rule=decision.rule, passed=(), **named
    )


def _ids(shop: Workshop, decision: IntakeDecision) -> dict[str, str | None]:
    preset = shop.catalog.preset(decision.preset) if decision.preset else None
    return {
        "preset": preset.title if preset else None,
        "preset_id": preset.id if preset else None,
        "owner_id": shop.catalog.user_id(decision.owner) if decision.owner else None,
        "folder_id": decision.folder,
    }


def _in_words(mesh: MeshReport) -> str:
    size = " x ".join(f"{side:.1f}" for side in mesh.size_mm)
    volume = "" if mesh.volume_cm3 is None else f", {mesh.volume_cm3:.1f} cm³"
    warnings = "".join(f"; {warning}" for warning in mesh.warnings)
    return f"{mesh.triangles:,} triangles, {size} mm{volume}{warnings}"
