"""Inspecting the mesh, and the intake rules: whether and how a part is uploaded."""

from pathlib import Path, PurePosixPath

from loguru import logger

from workflow.errors import NotInspected
from workflow.mesh import Inspector
from workflow.model import Facts, FactValue, Hold, IntakeDecision, MeshReport, State, Submission
from workflow.pipeline.catalog import Unlisted
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
    facts = file_facts(submission.path, submission.size or 0, submission.mesh)
    decision = decide_intake(shop.rulebook, facts, released=submission.released)
    if decision.action == "reject":
        return reject(shop, submission, decision.reason or "", intake_rule=decision.rule)
    if decision.action == "hold":
        return hold(shop, submission, Hold.RULE, decision.reason or "", intake_rule=decision.rule)
    try:
        named = _ids(shop, decision)
    except Unlisted as unlisted:
        return hold(shop, submission, Hold.PRESET, str(unlisted), intake_rule=decision.rule)
    detail = f"rule '{decision.rule}': preset {decision.preset or 'of the vendor'}"
    return shop.ledger.record(
        submission, "decided", detail, intake_rule=decision.rule, released=False, **named
    )


def facts_of_file(source: Path, path: str, inspector: Inspector) -> tuple[MeshReport, Facts]:
    """Measure a file that is no submission, for asking what the rules would do.

    Raises OSError, NotInspected.
    """
    report = inspector.inspect(source, path)
    return report, file_facts(path, source.stat().st_size, report)


def file_facts(path: str, size: int, mesh: MeshReport | None) -> Facts:
    """Give the facts known before the upload: of the file, and of its mesh if it was measured."""
    place = PurePosixPath(path)
    facts: dict[str, FactValue] = {
        "path": path,
        "folder": "" if str(place.parent) == "." else str(place.parent),
        "name": place.name,
        "size_mb": size / 1e6,
    }
    return facts if mesh is None else {**facts, **_mesh_facts(mesh)}


def _mesh_facts(mesh: MeshReport) -> dict[str, FactValue]:
    x, y, z = mesh.size_mm
    facts: dict[str, FactValue] = {
        "triangles": mesh.triangles,
        "x_mm": x,
        "y_mm": y,
        "z_mm": z,
        "longest_mm": max(mesh.size_mm),
        "area_cm2": mesh.area_cm2,
        "watertight": mesh.watertight,
        "open_edges": mesh.open_edges,
        "warnings": len(mesh.warnings),
    }
    return facts if mesh.volume_cm3 is None else {**facts, "volume_cm3": mesh.volume_cm3}


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
