"""Who decided about a submission, and why: it is in the history and in the note."""

from workflow.frozen import frozen
from workflow.intake import printable_path

LONGEST_WHY = 300


def one_line(text: str) -> str:
    """Return what a person wrote as one line, cut, without characters that control a terminal."""
    return printable_path(" ".join(text.split()))[:LONGEST_WHY]


@frozen
class Decider:
    """A person, and the reason that they gave, if any."""

    name: str = "a person"
    why: str = ""

    @property
    def by(self) -> str:
        """Return both for the history: `by Anna: wrong revision`."""
        name, why = one_line(self.name), one_line(self.why)
        return f"by {name}: {why}" if why else f"by {name}"


PERSON = Decider()
"""Whoever has a terminal on the machine: stlflow does not know who that is."""
