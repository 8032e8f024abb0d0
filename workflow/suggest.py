"""Did you mean …? Which of the known names a mistyped word is nearest to. Importable by every room.

Names are compared without case, and with spaces, hyphens and underscores taken as the same.
"""

import re
from collections.abc import Iterable

NEAR = 0.6
"""How similar two names have to be (difflib's ratio, 0 to 1) for one to be meant by the other."""
VERY_NEAR = 0.88
"""The same for a word that may belong to another program: S3_SECRET_KEY is not meant for SECRET_KEY."""


def nearest_options(word: str, options: Iterable[str], *, count: int = 1, cutoff: float = NEAR) -> list[str]:
    """Return the options most similar to a word, best first; none if no option is similar enough."""
    from difflib import get_close_matches  # late: a service that nobody mistypes to does without

    plain: dict[str, str] = {}
    for option in options:
        plain.setdefault(_normalize(option), option)
    return [plain[near] for near in get_close_matches(_normalize(word), plain, n=count, cutoff=cutoff)]


def nearest_option(word: str, options: Iterable[str], cutoff: float = NEAR) -> str:
    """Return the option most similar to a word; "" if no option is similar enough."""
    return next(iter(nearest_options(word, options, cutoff=cutoff)), "")


def nearest_name(word: str, names: Iterable[str]) -> str:
    """Return the name most similar to a word, or the one that contains it: "anvil" for "Mark Two - Anvil"."""
    known = [name for name in names if name]
    part = _normalize(word)
    containing = [name for name in known if len(part) > 1 and part in _normalize(name)]
    words = {piece: name for name in known for piece in name.split()}
    alike = nearest_option(word, known, 0.5) or next(iter(containing), "")
    return alike or words.get(nearest_option(word, words, 0.7), "")


def _normalize(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", word.casefold())
