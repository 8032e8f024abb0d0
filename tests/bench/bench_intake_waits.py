"""How long complete files wait, and what is taken unfinished: the intake next to two products' rules.

    python -m tests.bench.bench_intake_waits [--files 2000] [--seed 7] [--scale 1]

Writers of 36 kinds (tests/intake/writing), 160 at a time, put the same files before four takers, one
after the other: the intake on a local disk, the intake where it gets neither notices nor an answer about
writers, and the rules of OctoPrint and paperless-ngx as in `watched_folder_rules.py`. Waits are from the
writer's last byte to the claim. `--scale 0.2` makes all pauses and all waits five times shorter.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.intake.campaign import Lines, Reckoning, run_campaign, service, table_of
from workflow.intake import Share

Taker = Callable[[Share, float], Lines]
TAKERS: dict[str, Taker] = {
    "stlflow, local": lambda share, scale: service(share, scale=scale),
    "stlflow, writer unknown": lambda share, scale: service(share, scale=scale, mode="network"),
    "OctoPrint's rule": lambda share, scale: Lines(
        "-m", "tests.bench.watched_folder_rules", share.root, "octoprint", "--scale", scale
    ),
    "paperless' rule": lambda share, scale: Lines(
        "-m", "tests.bench.watched_folder_rules", share.root, "paperless", "--scale", scale
    ),
}
_COLUMNS = "{:24} {:>10} {:>10} {:>7} {:>7} | {:>20} {:>14} {:>14}"


def measure(taker: Taker, seed: str, files: int, scale: float) -> Reckoning:
    """Put the files of a seed before one taker."""
    with tempfile.TemporaryDirectory() as folder:
        share = Share(Path(folder) / "share")
        share.prepare()
        return run_campaign(share, seed, files, takers=lambda: [taker(share, scale)], scale=scale, warm=True)


def row(name: str, result: Reckoning) -> str:
    """Return one line of the table."""
    wrong = (result.incomplete, result.unfinished, result.missed, result.doubled)
    return _COLUMNS.format(name, *(len(each) for each in wrong), *table_of(result).values())


def main() -> None:
    """Measure all takers and print the table."""
    words = argparse.ArgumentParser()
    words.add_argument("--files", type=int, default=2000)
    words.add_argument("--seed", default="7")
    words.add_argument("--scale", type=float, default=1.0)
    asked = words.parse_args()
    print(f"{asked.files} files, seed {asked.seed}, scale {asked.scale:g}; waits in s, p50 / p95")
    print(_COLUMNS.format("", "incomplete", "unfinished", "missed", "doubled", "binary, one session",
                          "ASCII", "all others"))  # fmt: skip
    for name, taker in TAKERS.items():
        result = measure(taker, asked.seed, asked.files, asked.scale)
        print(row(name, result), f" ({len(result.beyond)} not judged)" if result.beyond else "", flush=True)


if __name__ == "__main__":
    main()
