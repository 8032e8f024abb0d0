"""What notices cost: files a second without a target, with one that takes all, and with one that hangs.

    python -m tests.bench.bench_notices [--files 300] [--rounds 3]

Each file is told of (`sent`). In turn, several rounds, so that a busy machine slows all of them alike.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.bench.bench_notes import RULES
from tests.bench.bench_throughput import box, cpu_seconds, drop, service, simulated_cloud, wait_until
from tests.notices.receivers import Receiver, http_receiver

KINDS = ("without", "taking", "hanging")


def write_settings(folder: Path, receiver: Receiver) -> None:
    """Write settings with a target that hears of every file at once."""
    (folder / "stlflow.toml").write_text(
        "[notices]\ngather_seconds = 0\n[notices.targets.shop]\ninternal = true\n"
        f'webhook = "{receiver.url}"\nevents = ["sent"]\n',
        "utf-8",
    )


def measure(files: int, kind: str) -> tuple[float, float, int]:
    """Return files per second, CPU milliseconds per file, and how many messages the receiver got."""
    with tempfile.TemporaryDirectory() as name, simulated_cloud() as url, http_receiver() as receiver:
        folder, rules = Path(name), Path(name) / "printing.yaml"
        rules.write_text(RULES)
        if kind != "without":
            write_settings(folder, receiver)
        receiver.behavior = "hang" if kind == "hanging" else "take"
        with service(folder, url, STLFLOW_RULES=str(rules)) as process:
            done, before = folder / "share" / "done", cpu_seconds(process)
            began = time.monotonic()
            drop(
                {f"p{number}.stl": box(10 + number / 100, 20, 30) for number in range(files)},
                folder / "share" / "inbox",
            )
            wait_until(lambda: len(list(done.glob("*.stl.txt"))) >= files, process)
            took, used = time.monotonic() - began, cpu_seconds(process) - before
    return files / took, 1000 * used / files, receiver.asked


def main() -> None:
    """Measure all kinds in turn, and print the ratios of the medians."""
    options = argparse.ArgumentParser()
    options.add_argument("--files", type=int, default=300)
    options.add_argument("--rounds", type=int, default=3)
    asked = options.parse_args()
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(asked.rounds):
        for kind in KINDS:
            rate, cpu, messages = measure(asked.files, kind)
            rates[kind].append(rate)
            print(f"{kind:<8} {rate:.1f} files/s, {cpu:.1f} ms CPU a file, {messages} messages")
    base = median(rates["without"])
    for kind in KINDS[1:]:
        print(f"{kind}: {median(rates[kind]) / base:.2f} of the rate without notices ({base:.1f} files/s)")


if __name__ == "__main__":
    main()
