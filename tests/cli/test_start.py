"""The start: a full disk and a Ctrl-C at any moment are one line, never a library's traceback."""

import signal
import subprocess
import sys
from threading import Event

import pytest

from tests.cli.command import Desk
from tests.disks import fill, small_disk

BEGIN = """
import signal
from workflow.__main__ import main

install = signal.signal

def announce(*given):
    signal.signal = install
    previous = install(*given)
    print("ready", flush=True)
    return previous

signal.signal = announce
main()
"""
"""Says `ready` as soon as stlflow has its own handler for Ctrl-C."""


@pytest.mark.parametrize("after_seconds", [0.0, 0.1, 0.3, 0.6, 1.0])
def test_ctrl_c_right_after_the_start_is_one_line(desk: Desk, after_seconds: float) -> None:
    """Before that moment it is Python that starts, and says what it likes."""
    with subprocess.Popen(
        [sys.executable, "-c", BEGIN, "run"],
        cwd=desk.folder,
        env=desk.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        Event().wait(after_seconds)  # the moment is what is tested
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode in {0, 130}, out) == (True, "")
    assert [line for line in err.splitlines() if "INFO" not in line and line != "stlflow: stopped."] == []


def test_a_disk_that_is_full_at_the_start_is_one_line(desk: Desk) -> None:
    with small_disk(desk.state, 8):
        fill(desk.state)
        ended = desk.run("run")
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert "Logging error" not in ended.err
    assert len([line for line in ended.err.splitlines() if "No space left" in line or "full" in line]) == 1
    assert len(ended.err.splitlines()) == 1, ended.err


ANOTHER_THREAD_GETS_IT = """
import signal, threading
from workflow.cli.run import stop_on_signals, wait_for_stop

stop = stop_on_signals()
signal_itself = lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
threading.Timer(0.3, signal_itself).start()
wait_for_stop(stop, lambda: 0.0)
"""


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="the signal is sent to a thread")
def test_a_stop_that_another_thread_gets_is_not_slept_through() -> None:
    """The system picks the thread: it interrupts no wait of the main thread, whose handler runs after it."""
    subprocess.run([sys.executable, "-c", ANOTHER_THREAD_GETS_IT], check=True, timeout=30)
