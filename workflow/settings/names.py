"""Names that no setting has: which one was probably meant."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from workflow.settings.given import BARE_NAMES, Given, Source
from workflow.settings.model import PREFIX, Settings

NEAR, VERY_NEAR = 0.6, 0.88
"""How alike two names are (difflib's ratio); a name without our prefix may well be another program's."""


def unknown_names(given: Sequence[Given]) -> Iterator[str]:
    """Say of each name that is meant for stlflow and for no setting what is wrong with it, in a sentence."""
    missing = [name for name, setting in BARE_NAMES.items() if all(each.setting != setting for each in given)]
    for each in given:
        if each.setting is None:
            meant = _meant_in_toml(each) if each.source is Source.TOML else _meant_variable(each, missing)
            if meant is not None:
                yield f"Unknown setting {each.name} in {each.place}: {_advice(meant)}"


def _advice(meant: str) -> str:
    return f"did you mean {meant}?" if meant else "no setting has such a name; remove it."


def _meant_in_toml(given: Given) -> str:
    return nearest(given.name.lower().removeprefix(PREFIX.lower()), Settings.model_fields, NEAR)


def _meant_variable(given: Given, missing: Iterable[str]) -> str | None:
    """Give what was meant: nothing ("") by a name with our prefix alone, None by one of another program.

    Names like ACCESS_KEY are looked at in .env only, and only where that key is still missing.
    """
    name = given.name.upper()
    variables = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    if name.startswith(PREFIX):
        meant = nearest(name.removeprefix(PREFIX).lower(), Settings.model_fields, NEAR)
        return meant and f"{PREFIX}{meant.upper()}"
    if name.startswith(PREFIX[:2]):
        return nearest(name, variables, VERY_NEAR) or None
    return (nearest(name, missing, VERY_NEAR) if given.source is Source.ENV_FILE else "") or None


def nearest(word: str, options: Iterable[str], cutoff: float) -> str:
    """Give the option that is most like a word; "" if none is."""
    return next(iter(get_close_matches(word, sorted(options), n=1, cutoff=cutoff)), "")
