"""Files per second of the real service, next to the same calls by a plain concurrent script.

    python -m tests.bench.bench_throughput [--files 1000] [--rounds 1] [--folder /dev/shm]

Simulator, service and script are processes of their own; slicing is instant. The yardstick makes for
each file the seven calls that the service makes, with 16 threads and nothing durable: no claim, no hash, no
mesh inspection, no ledger. The simulator's journal counts the calls of both. `--folder` is where state and
share are: a folder in memory shows the processor's part, one on a disk adds the disk's.
"""

import argparse
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import local

import requests

from tests.free_ports import free_port
from tests.waiting import until

AUTH = ("demo", "demo")
THREADS = 16
OPERATIONS = frozenset({
    "uploadStl", "getSliceStatus", "readPartVersion", "listBuilds", "readBuild", "listPrintJobs",
    "sendBuildToJobRequestQueue",
})  # fmt: skip
"""Of the contract: what one file needs. Presets, users and devices are asked for once for all."""
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
    """Return a closed binary STL of a box."""
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
    """Return the settings of a service that nothing holds back."""
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
        "STLFLOW_CONSOLE_PORT": str(free_port()),
        "STLFLOW_LOG_LEVEL": "WARNING",
    }


@contextmanager
def service(
    folder: Path, url: str, program: str = "workflow", **changes: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `stlflow run` over the share of a folder, and go on once it says that it is ready.

    `program` is what runs it. How long it takes to start is measured by bench_console.
    """
    (folder / "rules.yaml").write_text(RULES)
    told = folder / "told"
    settings = {**settings_of(folder, url), "NOTIFY_SOCKET": str(told), **changes}
    command = [sys.executable, "-m", program, "run"]
    path = os.pathsep.join(sys.path)  # the programs of these measurements are not installed
    environment = {**os.environ, **settings, "PYTHONPATH": path}
    with ready_line(told) as is_ready, subprocess.Popen(command, env=environment, cwd=folder) as process:
        try:
            wait_until(is_ready, process)
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)


@contextmanager
def ready_line(place: Path) -> Iterator[Callable[[], bool]]:
    """Listen where a service says that it is ready (sd_notify(3)); gives a function that tells if it did."""
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(place))
        line.setblocking(False)

        def is_ready() -> bool:
            with suppress(BlockingIOError):
                return line.recv(64) == b"READY=1"
            return False

        yield is_ready


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
    """Return the peak resident memory (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def resident_mb(process: subprocess.Popen[bytes]) -> float:
    """Return the present resident memory (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Return the CPU time used so far (Linux)."""
    ticks = Path(f"/proc/{process.pid}/stat").read_text("utf-8").rpartition(") ")[2].split()
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """What one run over all files took."""

    files_per_second: float
    calls: Counter[str]
    """Calls to the cloud that are made for each file, by operation."""
    cpu_ms: float = 0.0
    """Of the service, for each file."""
    peak_mb: float = 0.0


def calls_per_file(url: str) -> Counter[str]:
    """Count the calls so far of the operations that serve one file, from the simulator's journal."""
    journal = requests.get(url.removesuffix("/api/v3") + "/_sim/journal", timeout=60).json()
    return Counter(each["operation"] for each in journal if each["operation"] in OPERATIONS)


def by_service(files: dict[str, bytes], parent: str | None) -> Measured:
    """Measure the real service."""
    with tempfile.TemporaryDirectory(dir=parent) as folder, simulated_cloud() as url:
        before = effects(url)
        with service(Path(folder), url) as process:
            started, cpu = time.monotonic(), cpu_seconds(process)
            drop(files, Path(folder) / "share" / "inbox")
            done = Path(folder) / "share" / "done"
            wait_until(lambda: len(list(done.glob("*.stl"))) == len(files), process)
            seconds = time.monotonic() - started
            cpu_ms = (cpu_seconds(process) - cpu) * 1000 / len(files)
            peak = peak_mb(process)
        assert effects(url) - before == len(files), "each file exactly once"
        return Measured(len(files) / seconds, calls_per_file(url), cpu_ms, peak)


def by_script(files: dict[str, bytes]) -> Measured:
    """Measure the plain script."""
    with simulated_cloud() as url, ThreadPoolExecutor(THREADS) as threads:
        started = time.monotonic()
        list(threads.map(lambda item: send_plainly(url, *item), files.items()))
        seconds = time.monotonic() - started
        return Measured(len(files) / seconds, calls_per_file(url))


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
    session.get(f"{url}/builds/{build}", timeout=60).json()
    session.get(
        f"{url}/print_jobs", params={"filter[build][eq]": build, "sort[order]": "desc"}, timeout=60
    ).json()
    session.post(f"{url}/job-requests/{build}", json={}, timeout=60).raise_for_status()


def main() -> None:
    """Measure both in turns, and print the medians and their ratio."""
    options = argparse.ArgumentParser()
    options.add_argument("--files", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--folder", help="where state and share are; default: the system's temporary folder")
    asked = options.parse_args()
    files = {f"part{number:05}.stl": box(10 + number / 1000, 20, 30) for number in range(asked.files)}
    rounds = [(by_script(files), by_service(files, asked.folder)) for _ in range(asked.rounds)]
    plain_rate = median(plain.files_per_second for plain, _ in rounds)
    our_rate = median(ours.files_per_second for _, ours in rounds)
    ratio = median(ours.files_per_second / plain.files_per_second for plain, ours in rounds)
    print(f"{asked.files} files, {asked.rounds} round(s), load {os.getloadavg()[0]:.1f}:")
    print(f"service {our_rate:.1f} files/s, plain script {plain_rate:.1f} files/s, ratio {ratio:.2f};")
    print(f"service: {median(ours.cpu_ms for _, ours in rounds):.1f} ms of CPU a file,", end=" ")
    print(f"peak memory {max(ours.peak_mb for _, ours in rounds):.0f} MB;")
    for who, runs in (("service", [ours for _, ours in rounds]), ("script", [plain for plain, _ in rounds])):
        calls = sum((run.calls for run in runs), Counter[str]())
        counted = ", ".join(f"{name} {calls[name] / len(runs) / len(files):.2f}" for name in sorted(calls))
        print(f"calls of the {who} for each file: {counted}")


if __name__ == "__main__":
    main()
