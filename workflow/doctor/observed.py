"""What the first contact learnt, as a document, and the settings that follow from it."""

from collections.abc import Iterable, Mapping

from workflow import __version__
from workflow.doctor.first_contact import Observation
from workflow.pipeline.part_units import PartUnits
from workflow.settings import Settings

BUILD_WAIT_FACTOR = 5
"""A build may take this many times longer than the first one before its file is held."""


def observed_document(observations: Iterable[Observation], when: str) -> dict[str, object]:
    """Return what is written to observed.json; it has no key, no id and no name of a person."""
    learnt = {each.name: each.value for each in observations}
    return {"stlflow": __version__, "observed_at": when, **learnt, "settings": follow_up_settings(learnt)}


def follow_up_settings(learnt: Mapping[str, object]) -> dict[str, object]:
    """Return the settings, other than the defaults, that fit what was learnt."""
    wanted: dict[str, object] = {}
    units, scale, delay = learnt.get("units"), learnt.get("scale"), learnt.get("build_delay_seconds")
    if isinstance(units, str) and isinstance(scale, int | float | None):
        entry = PartUnits(units, scale).as_setting()
        if entry is not None and entry != Settings.model_fields["accepted_units"].default:
            wanted["accepted_units"] = entry
    if isinstance(delay, int | float) and delay * BUILD_WAIT_FACTOR > _default("build_wait_seconds"):
        wanted["build_wait_seconds"] = round(delay * BUILD_WAIT_FACTOR)
    if learnt.get("builds") == "manual":
        wanted["build_wait_seconds"] = 0  # held at once: a person has to make the build
    return wanted


def _default(name: str) -> float:
    return float(Settings.model_fields[name].default)
