"""The names of printers in rules on `fits` and `fits_series`, checked against the build volumes.

A misspelled one would never match, and nothing would say so.
"""

from collections.abc import Sequence
from dataclasses import replace

from workflow.errors import Mistake, RulesError
from workflow.routing.build_volumes import BUILD_VOLUMES_FILE, BuildVolume
from workflow.routing.globs import Glob
from workflow.routing.rulebook import Mention, MentionKind, Rulebook
from workflow.routing.yaml_reader import suggest_option


def with_build_volumes(rulebook: Rulebook, volumes: Sequence[BuildVolume]) -> Rulebook:
    """Return the rulebook with the build volumes. Raises RulesError for each name that none of them has."""
    names = {
        MentionKind.FITS: [volume.name for volume in volumes],
        MentionKind.FITS_SERIES: [volume.series for volume in volumes],
    }
    mistakes = tuple(
        _unknown_name(rulebook.source, mention, names[mention.subject])
        for mention in rulebook.mentions
        if mention.subject in names and not any(map(Glob(mention.text).matches, names[mention.subject]))
    )
    if volumes and mistakes:
        raise RulesError(mistakes)
    return replace(rulebook, volumes=tuple(volumes))


def _unknown_name(source: str, mention: Mention, known: Sequence[str]) -> Mistake:
    message = f"{BUILD_VOLUMES_FILE} has no {mention.subject} `{mention.text}`: it never matches"
    hint = suggest_option(mention.text, known)
    return Mistake(source, mention.line, mention.column, message, hint, mention.source_line)
