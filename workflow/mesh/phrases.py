"""How numbers read in sentences."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Give a number with its noun: "1 facet", "1,200 facets"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
