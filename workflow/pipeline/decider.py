"""Who decided about a submission, and why: it is in the history and in the note."""

from dataclasses import dataclass

LONGEST_WHY = 300


@dataclass(frozen=True, slots=True)
class Decider:
    """A person, and the reason that they gave, if any."""

    name: str = "a person"
    why: str = ""

    @property
    def by(self) -> str:
        """Return both for the history: `by Anna: wrong revision`."""
        why = " ".join(self.why.split())[:LONGEST_WHY]
        return f"by {self.name}: {why}" if why else f"by {self.name}"


PERSON = Decider()
"""Whoever has a terminal on the machine: stlflow does not know who that is."""
