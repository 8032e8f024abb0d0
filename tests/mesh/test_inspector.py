"""The inspecting process may be killed, hang or run out of memory: the service gets a report, or words."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.mesh.odd_files import ACCEPTED, REJECTED, WARNED
from tests.mesh.solids import ascii_text, binary, box, circle, plate
from tests.waiting import until
from workflow.errors import InspectionFailed, StateFolderError
from workflow.mesh import InspectionLimits, Inspector, MeshPolicy
from workflow.mesh.inspection import inspect_mesh
from workflow.mesh.inspector import worker_environment
from workflow.model import MeshReport

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs signals to stop a process")
LINES_FOR_SECONDS = 4_000_000


@pytest.fixture(scope="module")
def inspector() -> Iterator[Inspector]:
    with Inspector() as opened:
        yield opened


@pytest.fixture
def part(tmp_path: Path) -> Path:
    file = tmp_path / "part.stl"
    file.write_bytes(binary(box()[1:]) + b"more")
    return file


@pytest.fixture
def slow_part(tmp_path: Path) -> Path:
    """A file that is read word by word, for seconds."""
    file = tmp_path / "slow.stl"
    file.write_bytes(
        ascii_text(box()).replace(b"endsolid", b"color 0 0 0\n" * LINES_FOR_SECONDS + b"endsolid")
    )
    return file


@contextmanager
def begun(inspector: Inspector, file: Path) -> Iterator[Future[MeshReport]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(inspector.inspect, file)


def process_of(inspector: Inspector) -> int | None:
    """Return the number of the inspecting process, if one runs."""
    worker = inspector._worker
    return worker.process.pid if worker and worker.process.poll() is None else None


def running(inspector: Inspector) -> int:
    number = process_of(inspector)
    assert number is not None
    return number


def is_reading(inspector: Inspector, file: Path) -> bool:
    """True if the inspecting process has the file open."""
    return _has_open(Path(f"/proc/{process_of(inspector)}"), file)


def _has_open(process: Path, file: Path) -> bool:
    try:
        return file in [entry.readlink() for entry in (process / "fd").iterdir()]
    except OSError:
        return False


def test_the_report_is_the_same_as_in_this_process(inspector: Inspector, part: Path) -> None:
    here, there = inspect_mesh(part, "inbox/part.stl"), inspector.inspect(part, "inbox/part.stl")
    assert replace(there, seconds=0) == replace(here, seconds=0)
    assert running(inspector) != os.getpid()


def test_one_process_serves_all_files_and_threads(inspector: Inspector, part: Path) -> None:
    inspector.inspect(part)
    first = running(inspector)
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(lambda _: inspector.inspect(part), range(40)))
    assert {report.sha256 for report in reports} == {inspect_mesh(part).sha256}
    assert running(inspector) == first


def test_any_file_name_gets_through(inspector: Inspector, tmp_path: Path) -> None:
    name = "Käse\n\udcff {}.stl" if os.name == "posix" else "Käse {}.stl"
    (tmp_path / name).write_bytes(binary(box()))
    assert inspector.inspect(tmp_path / name, name).path == name


def test_a_missing_file_is_an_error_of_the_system(inspector: Inspector, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"part\.stl"):
        inspector.inspect(tmp_path / "part.stl")


def test_the_policy_holds_there_too(part: Path) -> None:
    part.write_bytes(binary(plate(circle(5, 12))))
    with Inspector(MeshPolicy(largest_hole_mm=5.1)) as lenient:
        assert lenient.inspect(part).verdict == "accept"


def test_a_process_killed_at_rest_is_replaced(inspector: Inspector, part: Path) -> None:
    inspector.inspect(part)
    first = running(inspector)
    os.kill(first, signal.SIGKILL)
    assert inspector.inspect(part).triangles == 11
    assert running(inspector) != first


def test_a_crash_at_work_is_tried_again(inspector: Inspector, part: Path) -> None:
    inspector.inspect(part)
    first = running(inspector)
    os.kill(first, signal.SIGSTOP)
    with begun(inspector, part) as report:
        os.kill(first, signal.SIGSEGV)
        os.kill(first, signal.SIGCONT)
        assert report.result().triangles == 11
    assert running(inspector) != first


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to see what is open")
def test_a_file_that_crashes_it_every_time_is_given_up(slow_part: Path, part: Path) -> None:
    with Inspector() as inspector:
        with begun(inspector, slow_part) as report:
            killed: set[int | None] = {None}
            for _ in range(2):
                assert until(lambda: process_of(inspector) not in killed and is_reading(inspector, slow_part))
                killed.add(process_of(inspector))
                os.kill(running(inspector), signal.SIGKILL)
            with pytest.raises(
                InspectionFailed, match=r"2 times the inspection .* \(SIGKILL\)\. Export it again"
            ):
                report.result()
        assert inspector.inspect(part).triangles == 11


def test_a_hang_ends_at_the_limit(part: Path) -> None:
    with Inspector(limits=InspectionLimits(seconds=0.5)) as inspector:
        inspector.inspect(part)
        os.kill(running(inspector), signal.SIGSTOP)
        with pytest.raises(
            InspectionFailed, match=r"^0\.5 s were not enough .* raise inspection_limit_seconds\."
        ):
            inspector.inspect(part)
        assert inspector.inspect(part).triangles == 11


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its memory")
def test_a_file_that_needs_too_much_memory_is_given_up(tmp_path: Path, part: Path) -> None:
    soup = tmp_path / "soup.stl"
    soup.write_bytes(binary(np.random.default_rng(1).uniform(-9, 9, (300_000, 3, 3)).astype(np.float32)))
    with Inspector(limits=InspectionLimits(memory_mb=16)) as inspector:
        with pytest.raises(InspectionFailed, match=r"^16 MB of memory were not enough"):
            inspector.inspect(soup)
        assert inspector.inspect(part).triangles == 11


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its memory")
def test_no_odd_file_needs_much_memory_or_time(tmp_path: Path) -> None:
    odd = {**ACCEPTED, **{name: content for name, (content, _) in (WARNED | REJECTED).items()}}
    with Inspector(limits=InspectionLimits(seconds=10, memory_mb=64)) as inspector:
        for name, content in odd.items():
            (tmp_path / "part.stl").write_bytes(content)
            report = inspector.inspect(tmp_path / "part.stl")
            assert (report.verdict == "reject") == (name in REJECTED), name
            assert running(inspector)


def test_closing_ends_the_process_and_what_it_does(slow_part: Path) -> None:
    inspector = Inspector()
    with begun(inspector, slow_part) as report:
        assert until(lambda: process_of(inspector) is not None)
        inspector.close()
        with pytest.raises(StateFolderError, match="stlflow is stopping"):
            report.result()
    assert process_of(inspector) is None
    with pytest.raises(StateFolderError):
        inspector.inspect(slow_part)


def test_ctrl_c_and_a_stop_are_for_the_service(inspector: Inspector, part: Path) -> None:
    inspector.inspect(part)
    first = running(inspector)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(first, number)
    inspector.inspect(part)
    assert running(inspector) == first


def test_a_process_that_can_not_start_is_no_fault_of_the_file(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])
    with Inspector() as inspector, pytest.raises(OSError, match=r"did not start \(exit code 1\)"):
        inspector.inspect(part)


KILLED_SERVICE = """
import sys, threading, pathlib
from workflow.mesh import Inspector
inspector = Inspector()
threading.Thread(target=inspector.inspect, args=[pathlib.Path(sys.argv[1])], daemon=True).start()
while inspector._worker is None: pass
print(inspector._worker.process.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to see what is open")
def test_it_ends_with_the_service_even_when_that_is_killed_amid_a_file(slow_part: Path) -> None:
    command = [sys.executable, "-c", KILLED_SERVICE, str(slow_part)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as service:
        assert service.stdout is not None
        inspecting = Path(f"/proc/{int(service.stdout.readline())}")
        assert until(lambda: _has_open(inspecting, slow_part))
        service.kill()
    assert until(lambda: not _has_open(inspecting, slow_part), limit_seconds=60)


def test_no_key_reaches_it() -> None:
    here = {"STLFLOW_EIGER_URL": "x", "ACCESS_KEY": "x", "AWS_SECRET": "x", "PATH": "/bin", "Api_Token": "x"}
    assert set(worker_environment(here)) & set(here) == {"PATH"}


def test_no_thread_is_left(inspector: Inspector, part: Path) -> None:
    before = threading.active_count()
    inspector.inspect(part)
    assert until(lambda: threading.active_count() <= before)
