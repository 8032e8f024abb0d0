"""Files per second of the real service, next to the same calls by a plain concurrent script.

    python -m tests.bench.bench_throughput [--files 1000]

Simulator, service and script are processes of their own; slicing is instant. The yardstick makes for
each file the calls that the service makes, with 16 threads and nothing durable: no claim, no hash,
no mesh inspection, no ledger.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import local

import requests

from tests.waiting import until

AUTH = ("demo", "demo")
THREADS = 16
RULES = """\
version: 1
intake:
  - {name: all, preset: Onyx}
routing:
  - {name: all, send_to: job_request}
"""
_FACETS = ((0, 2, 1), (0, 3, 2), (4, 5, 6), (4, 6, 7), (0, 1, 5), (0, 5, 4),
           (1, 2, 6), (1, 6, 5), (2, 3, 7), (2, 7, 6), (3, 0, 4), (3, 4, 7))  # fmt: skip


def box(x_mm: float, y_mm: float, z_mm: float) -> bytes:
    """Give a closed binary STL of a box."""
    corners = [(i * x_mm, j * y_mm, k * z_mm) for k in (0, 1) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
    facets = b"".join(
        struct.pack("<12fH", 0, 0, 0, *(value for corner in facet for value in corners[corner]), 0)
        for facet in _FACETS
    )
    return b"box".ljust(80, b"\0") + struct.pack("<I", len(_FACETS)) + facets


@contextmanager
def simulated_cloud(slice_seconds: float = 0) -> Iterator[str]:
    """Run the simulator in a process of its own; gives its URL."""
    slow = ["--slice-seconds", str(slice_seconds)]
    command = [sys.executable, "-m", "workflow", "simulator", "--port", "0", *slow]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def settings_of(folder: Path, url: str) -> dict[str, str]:
    """Give the settings of a service that nothing holds back."""
    return {
        "STLFLOW_SHARE": str(folder / "share"),
        "STLFLOW_STATE": str(folder / "state"),
        "STLFLOW_RULES": str(folder / "rules.yaml"),
        "STLFLOW_EIGER_URL": url,
        "STLFLOW_ACCESS_KEY": AUTH[0],
        "STLFLOW_SECRET_KEY": AUTH[1],
        "STLFLOW_REQUESTS_PER_SECOND": "10000",
        "STLFLOW_SLICE_FIRST_POLL_SECONDS": "0",
        "STLFLOW_SETTLE_SECONDS": "0.3",
        "STLFLOW_SETTLE_ASCII_SECONDS": "0.3",
        "STLFLOW_MASS_ARRIVAL_FILES": "0",
        "STLFLOW_LOG_LEVEL": "WARNING",
    }


@contextmanager
def service(
    folder: Path, url: str, program: str = "workflow", **changes: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `stlflow run` over the share of a folder; `program` is what runs it."""
    (folder / "rules.yaml").write_text(RULES)
    settings = {**settings_of(folder, url), **changes}
    command = [sys.executable, "-m", program, "run"]
    path = os.pathsep.join(sys.path)  # the programs of these measurements are not installed
    with subprocess.Popen(command, env={**os.environ, **settings, "PYTHONPATH": path}, cwd=folder) as process:
        try:
            wait_until((folder / "share" / "inbox").is_dir, process)
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)


def wait_until(
    reached: Callable[[], bool], process: subprocess.Popen[bytes], limit_seconds: float = 1800
) -> None:
    """Wait for a condition while the process lives."""
    if (
        not until(lambda: reached() or process.poll() is not None, limit_seconds)
        or process.poll() is not None
    ):
        raise SystemExit("the service ended, or took too long")


def drop(files: dict[str, bytes], inbox: Path) -> None:
    """Put all files into the inbox at once, each by a rename."""
    staging = inbox.parent.parent / "staging"
    staging.mkdir()
    for name, content in files.items():
        (staging / name).write_bytes(content)
    for name in files:
        (staging / name).rename(inbox / name)


def effects(url: str) -> int:
    """Count the job requests that the simulator has seen."""
    world = requests.get(url.removesuffix("/api/v3") + "/_sim/world", timeout=60).json()
    return len(world["print_jobs"])


def peak_mb(process: subprocess.Popen[bytes]) -> float:
    """Give the peak resident memory (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def resident_mb(process: subprocess.Popen[bytes]) -> float:
    """Give the present resident memory (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Give the CPU time used so far (Linux)."""
    ticks = Path(f"/proc/{process.pid}/stat").read_text("utf-8").rpartition(") ")[2].split()
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


def by_service(files: dict[str, bytes]) -> tuple[float, float]:
    """Give files per second and peak memory of the real service."""
    with tempfile.TemporaryDirectory() as folder, simulated_cloud() as url:
        before = effects(url)
        with service(Path(folder), url) as process:
            started = time.monotonic()
            drop(files, Path(folder) / "share" / "inbox")
            done = Path(folder) / "share" / "done"
            wait_until(lambda: len(list(done.glob("*.stl"))) == len(files), process)
            seconds = time.monotonic() - started
            peak = peak_mb(process)
        assert effects(url) - before == len(files), "each file exactly once"
    return len(files) / seconds, peak


def by_script(files: dict[str, bytes]) -> float:
    """Give files per second of the plain script."""
    with simulated_cloud() as url, ThreadPoolExecutor(THREADS) as threads:
        started = time.monotonic()
        list(threads.map(lambda item: send_plainly(url, *item), files.items()))
        return len(files) / (time.monotonic() - started)


_THREAD = local()


def send_plainly(url: str, name: str, content: bytes) -> None:
    """Make the calls that one file needs."""
    session = getattr(_THREAD, "session", None) or requests.Session()
    _THREAD.session, session.auth = session, AUTH
    part = session.post(f"{url}/parts/upload_stl", files={"stlFile": (name, content)}, timeout=60).json()
    while (
        session.get(f"{url}/parts/slice_status/{part['slice_job_id']}", timeout=60).json()["status"]
        != "COMPLETED"
    ):
        pass
    version = session.get(f"{url}/part_versions/{part['part_version_id']}", timeout=60).json()
    query = {"filter[title][eq]": version["title"], "sort[order]": "desc"}
    build = session.get(f"{url}/builds", params=query, timeout=60).json()["items"][0]["id"]
    for _ in range(2):  # once to know its part versions, once for the facts
        session.get(f"{url}/builds/{build}", timeout=60).json()
    session.get(
        f"{url}/print_jobs", params={"filter[build][eq]": build, "sort[order]": "desc"}, timeout=60
    ).json()
    session.post(f"{url}/job-requests/{build}", json={}, timeout=60).raise_for_status()


def main() -> None:
    """Measure both, and print the ratio."""
    options = argparse.ArgumentParser()
    options.add_argument("--files", type=int, default=1000)
    count = options.parse_args().files
    files = {f"part{number:05}.stl": box(10 + number / 1000, 20, 30) for number in range(count)}
    plain = by_script(files)
    ours, peak = by_service(files)
    print(f"{count} files: service {ours:.1f} files/s, plain script {plain:.1f} files/s,")
    print(f"ratio {ours / plain:.2f}; peak memory of the service {peak:.0f} MB")


if __name__ == "__main__":
    main()
