"""What became of the files of each folder: accepted, warned of, held, rejected, and with which words."""

import re
from collections import Counter
from dataclasses import dataclass, field

from workflow.model import MeshReport

_NUMBER = re.compile(r"-?\d[\d,.]*(e[-+]?\d+)?|`[^`]*`")
_PLACE = re.compile(r" \([^)]*\)| near x # y # z # mm")
_ENDED = {"hold": "held", "reject": "rejected"}
_PLURALS = (("facets", "facet"), ("edges", "edge"))


@dataclass
class Verdicts:
    """Counts by folder."""

    files: Counter[str] = field(default_factory=Counter)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, folder: str, report: MeshReport) -> None:
        """Count one report."""
        self.files[folder] += 1
        self.kinds[folder, _kind(report)] += 1
        for oddity in report.oddities if report.reason is None else ():
            self.kinds[folder, f"warned of: {oddity}"] += 1

    def print(self) -> None:
        """Print a table for each folder."""
        for folder, files in self.files.items():
            print(f"\n| of {files:,} files in {folder} | |\n|---|---|")
            for (where, kind), count in self.kinds.most_common():
                if where == folder:
                    print(f"| {kind} | {count:,} |")


def _kind(report: MeshReport) -> str:
    if report.reason is None:
        return "accepted with a warning" if report.warnings else "accepted"
    words = _PLACE.sub("", _NUMBER.sub("#", report.reason))
    for many, one in _PLURALS:
        words = words.replace(many, one)
    return f"{_ENDED[report.verdict]}: {words}"
