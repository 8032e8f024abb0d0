"""Uploading a large file: memory of both ends, and throughput next to `curl -F` of the same file.

    python -m tests.bench.bench_upload [--megabytes 500] [--rounds 3]

`stlflow eiger parts upload`, curl and the simulator are processes of their own; the two take turns.
The seconds of stlflow are those of the whole command, interpreter and imports included; the start of
an upload of one facet is quoted beside it. Exit code 1 when a peak is over its limit.
"""

import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.bench_throughput import box

CLIENT_LIMIT_MB = 100
SIMULATOR_LIMIT_MB = 150
MB = 1_000_000
_HEADER = 84


class Run(NamedTuple):
    """One upload: how long the whole process took, and its peak resident memory."""

    seconds: float
    peak_mb: float


def write_boxes(place: Path, megabytes: float) -> int:
    """Write a binary STL of many equal boxes; gives its size."""
    facets = box(10, 10, 10)[_HEADER:]
    copies = max(1, int(megabytes * MB) // len(facets))
    with place.open("wb") as stl:
        stl.write(b"boxes".ljust(80, b"\0") + struct.pack("<I", copies * 12))
        while copies:
            block = min(copies, 10_000)
            stl.write(facets * block)
            copies -= block
    return place.stat().st_size


@contextmanager
def simulator(folder: Path) -> Iterator[tuple[str, int]]:
    """Run the simulator; gives its URL and process id. Uploads go to `folder`, not into memory."""
    command = [sys.executable, "-m", "workflow", "simulator", "--port", "0", "--slice-seconds", "0"]
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"], process.pid
        finally:
            process.terminate()


def timed(command: Sequence[str], environment: dict[str, str]) -> Run:
    """Run a command to its good end."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return Run(seconds, usage.ru_maxrss / (MB if sys.platform == "darwin" else 1000))


def by_stlflow(url: str, stl: Path) -> Run:
    """Upload with the real command."""
    settings = {
        "STLFLOW_EIGER_URL": url,
        "STLFLOW_ACCESS_KEY": "demo",
        "STLFLOW_SECRET_KEY": "demo",
    }
    command = [sys.executable, "-m", "workflow", "eiger", "parts", "upload", str(stl)]
    return timed(command, {**os.environ, **settings})


def by_curl(url: str, stl: Path) -> Run:
    """Upload with the vendor's curl line."""
    line = ["curl", "-sS", "--fail", "-u", "demo:demo", "-F", f"stlFile=@{stl}", f"{url}/parts/upload_stl"]
    return timed(line, dict(os.environ))


def peak_mb(process_id: int) -> float:
    """Return the peak resident memory of a running process (Linux)."""
    status = Path(f"/proc/{process_id}/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


def main() -> int:
    """Measure in turns, and print medians and their ratio."""
    options = argparse.ArgumentParser()
    options.add_argument("--megabytes", type=float, default=500)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    if shutil.which("curl") is None:
        raise SystemExit("curl is not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write_boxes(folder / "large.stl", chosen.megabytes) / MB
        write_boxes(folder / "small.stl", 0)
        ours, curls = [], []
        with simulator(folder) as (url, process_id):
            start = median(by_stlflow(url, folder / "small.stl").seconds for _ in range(chosen.rounds))
            for _ in range(chosen.rounds):
                ours.append(by_stlflow(url, folder / "large.stl"))
                curls.append(by_curl(url, folder / "large.stl"))
            peak = peak_mb(process_id)
    return report(size, ours, curls, start, peak)


def report(size_mb: float, ours: Sequence[Run], curls: Sequence[Run], start: float, peak: float) -> int:
    """Print the figures; gives the exit code."""
    seconds, curl_seconds = median(run.seconds for run in ours), median(run.seconds for run in curls)
    client_peak = max(run.peak_mb for run in ours)
    print(f"{size_mb:.0f} MB, medians of {len(ours)} uploads in turns:")
    print(f"  stlflow {seconds:.2f} s, {size_mb / seconds:.0f} MB/s, of which {start:.2f} s for a small file")
    print(f"  curl -F {curl_seconds:.2f} s, {size_mb / curl_seconds:.0f} MB/s")
    whole, sending = curl_seconds / seconds, curl_seconds / (seconds - start)
    print(f"  throughput against curl {whole:.2f}, without the start {sending:.2f}")
    print(f"  peak memory: stlflow {client_peak:.0f} MB (limit {CLIENT_LIMIT_MB}),", end=" ")
    print(f"simulator {peak:.0f} MB (limit {SIMULATOR_LIMIT_MB})")
    return int(client_peak > CLIENT_LIMIT_MB or peak > SIMULATOR_LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
