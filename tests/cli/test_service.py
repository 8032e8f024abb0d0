"""`stlflow service` and how `run` behaves under systemd."""

import os
import plistlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.cli.command import Desk
from tests.cli.conftest import Say
from tests.waiting import until
from workflow.cli.run import notify_systemd, wait_for_stop, watchdog_seconds

SECRET = "hemmelig-1f6b-90d2cc03"


@contextmanager
def systemd(patch: pytest.MonkeyPatch, limit_seconds: float) -> Iterator[socket.socket]:
    """The socket that systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(Path("notify").absolute()))
        line.settimeout(60)
        patch.setenv("NOTIFY_SOCKET", str(Path("notify").absolute()))
        patch.setenv("WATCHDOG_USEC", str(int(limit_seconds * 1e6)))
        yield line


def heard(line: socket.socket) -> list[bytes]:
    """Return all that was said and not heard yet."""
    line.setblocking(False)
    said = []
    while True:
        try:
            said.append(line.recv(100))
        except BlockingIOError:
            return said


@pytest.mark.parametrize("limit", ["²", "٣", "9" * 5000, "0", "", "soon"])
def test_a_watchdog_limit_that_is_no_number_is_none(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", limit)
    assert watchdog_seconds() is None


def test_a_unit_is_shown_and_no_key_with_it(
    say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STLFLOW_SECRET_KEY", SECRET)
    shown = say("service", "show", "--kind", "systemd", "--user", "shop")
    assert shown.code == 0
    assert shown.out.startswith("[Unit]\n")
    assert f"WorkingDirectory={tmp_path}\nUser=shop\n" in shown.out
    assert "sudo systemctl enable --now stlflow.service" in shown.err
    assert SECRET not in shown.out + shown.err
    assert "Nobody has tried these steps yet" in say("service", "show", "--kind", "windows").out


def test_a_proxy_with_a_password_is_left_out_and_said(
    say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://shop:{SECRET}@proxy:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://plain:3128")
    warning = (
        "Warning: HTTPS_PROXY has a password in it, so it is not in the unit, which anyone may read. "
        f"Add HTTPS_PROXY=… to {tmp_path / '.env'}, with mode 600."
    )
    for words in (("show", "--kind", "systemd", "--user", "shop"), ("install", "--kind", "systemd-user")):
        told = say("service", *words)
        assert warning in told.err.splitlines()
        assert SECRET not in told.out + told.err
    unit = (tmp_path / "config" / "systemd" / "user" / "stlflow.service").read_text("utf-8")
    assert (SECRET in unit, "HTTP_PROXY=http://plain:3128" in unit) == (False, True)


def test_a_unit_is_installed_once(say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    place = tmp_path / "config" / "systemd" / "user" / "stlflow.service"
    first = say("service", "install", "--kind", "systemd-user")
    assert first.out.startswith(f"{place} written.\nNext:\n")
    assert place.read_text("utf-8") == say("service", "show", "--kind", "systemd-user").out
    again = say("service", "install", "--kind", "systemd-user")
    assert again.out.startswith(f"{place} unchanged: it was there already.\n")
    place.write_text("[Unit]\n")
    refused = say("service", "install", "--kind", "systemd-user")
    assert refused.code == 2
    assert refused.one_line().startswith(f"stlflow: {place} is there already, and is another one.")
    assert place.read_text("utf-8") == "[Unit]\n"
    assert say("service", "install", "--kind", "systemd-user", "--force").code == 0
    assert place.read_text("utf-8") == say("service", "show", "--kind", "systemd-user").out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ("--kind", "systemd-user", "--user", "shop"),
            "--user is for --kind systemd: one of systemd-user is always your own.",
        ),
        (
            ("--kind", "systemd-user", "--start"),
            "systemctl is not there: say --kind for what this machine runs.",
        ),
    ],
    ids=["whose", "no systemd"],
)
def test_what_can_not_be_done_is_one_line(
    say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...], line: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", str(tmp_path))
    refused = say("service", "install", *words)
    assert refused.code == 2
    assert refused.err.splitlines()[-1].startswith(f"stlflow: {line}")


def test_the_system_is_asked_and_the_unit_removed(
    say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Stand-ins for systemctl and journalctl write down how they are called: there is no systemd here."""
    for name in ("systemctl", "journalctl"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/called\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    kind = ("--kind", "systemd-user")
    missing = say("service", "uninstall", *kind)
    assert (missing.code, missing.one_line().endswith(": nothing is installed.")) == (2, True)
    assert say("service", "install", *kind).code == 0
    assert say("service", "status", *kind).code == 0
    assert say("service", "logs", *kind, "-n", "5").code == 0
    place = tmp_path / "config" / "systemd" / "user" / "stlflow.service"
    assert place.exists()
    assert say("service", "uninstall", *kind).code == 0
    assert not place.exists()
    assert (tmp_path / "called").read_text().splitlines() == [
        "systemctl --user status --no-pager stlflow.service",
        "journalctl --user-unit stlflow.service --lines=5 --no-pager",
        "systemctl --user disable --now stlflow.service",
        "systemctl --user daemon-reload",
    ]


def test_the_same_for_launchd(say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Stand-ins for launchctl and tail write down how they are called: there is no macOS here."""
    for name in ("launchctl", "tail"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/called\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    kind = ("--kind", "launchd-user")
    installed = say("service", "install", *kind)
    place = tmp_path / "Library" / "LaunchAgents" / "stlflow.plist"
    assert installed.out.startswith(f"{place} written.\nNext:\n# Put the keys into .env in {tmp_path}")
    assert plistlib.loads(place.read_bytes())["ProgramArguments"][-1] == "run"
    assert say("service", "status", *kind).code == 0
    assert say("service", "logs", *kind, "-n", "5").code == 0
    assert say("service", "uninstall", *kind).code == 0
    assert not place.exists()
    domain = f"gui/{os.getuid()}"
    assert (tmp_path / "called").read_text().splitlines() == [
        f"launchctl print {domain}/stlflow",
        f"tail -n5 {tmp_path / 'state' / 'logs' / 'stlflow.log'}",
        f"launchctl bootout {domain}/stlflow",
    ]


def test_the_same_for_windows(say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "schtasks").write_text(f'#!/bin/sh\necho "schtasks $*" >> {tmp_path}/called\n')
    (tmp_path / "schtasks").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    kind = ("--kind", "windows")
    installed = say("service", "install", *kind)
    assert "schtasks /Create /TN stlflow /XML" in installed.out
    assert (tmp_path / "stlflow-task.xml").read_bytes().startswith(b"\xff\xfe")
    (tmp_path / "stlflow-service.xml").write_text("<mine/>")
    assert "replace it with --force" in say("service", "install", *kind).err
    assert (tmp_path / "stlflow-service.xml").read_text() == "<mine/>"
    forced = say("service", "install", *kind, "--force").out
    assert f"{tmp_path / 'stlflow-service.xml'} written." in forced
    assert say("service", "logs", *kind).one_line().startswith("stlflow: There is no log ")
    assert say("service", "status", *kind).code == 0
    assert say("service", "uninstall", *kind).code == 0
    assert (tmp_path / "called").read_text().splitlines() == [
        "schtasks /Query /TN stlflow /V /FO LIST",
        "schtasks /Delete /TN stlflow /F",
    ]


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd's sockets")
def test_run_says_when_it_is_ready_that_it_lives_and_that_it_stops(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with systemd(monkeypatch, 4.0) as line, desk.serving() as service:
        assert line.recv(100) == b"READY=1", service.said()
        assert line.recv(100) == b"WATCHDOG=1"
        assert service.stop() == 0
        assert heard(line)[-1] == b"STOPPING=1"


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd's sockets")
def test_a_stalled_queue_sends_no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, asked = Event(), list[None]()

    def stands_still_seconds() -> float:
        asked.append(None)
        return 0.0 if len(asked) == 1 else 600.0

    with systemd(monkeypatch, 0.04) as line:
        waiting = Thread(target=wait_for_stop, args=(stop, stands_still_seconds))
        waiting.start()
        assert until(lambda: len(asked) > 4)
        stop.set()
        waiting.join()
        assert heard(line) == [b"WATCHDOG=1"]


def test_outside_of_systemd_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify_systemd("READY=1")
