"""A real Samba server on this machine, and a process that writes through it as a workstation does.

    python -m tests.intake.samba PORT FOLDER KIND...

writes one file of each kind into FOLDER of the share `parts`, all at once, and prints a JSON line for each
as it ends. The kind `dies` ends half-way, with the process.
"""

import getpass
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from tests.intake.parts import ascii_solid
from tests.waiting import until

PAUSE_SECONDS = 0.3
SETTINGS = """\
[global]
server role = standalone server
smb ports = {port}
interfaces = 127.0.0.1
bind interfaces only = yes
security = user
map to guest = Bad User
guest account = {user}
disable netbios = yes
disable spoolss = yes
load printers = no
log level = 0
log file = {folder}/log
state directory = {folder}/state
lock directory = {folder}/lock
cache directory = {folder}/cache
private dir = {folder}/private
pid directory = {folder}/run
ncalrpc dir = {folder}/run/ncalrpc
[parts]
path = {share}
guest only = yes
guest ok = yes
force user = {user}
read only = no
"""


@contextmanager
def samba(folder: Path, share: Path) -> Iterator[int]:
    """Serve a folder as the user of the tests; gives the port."""
    for name in ("state", "lock", "cache", "private", "run"):
        (folder / name).mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    settings = folder / "smb.conf"
    settings.write_text(SETTINGS.format(port=port, user=getpass.getuser(), folder=folder, share=share))
    smbd = shutil.which("smbd", path=f"{os.environ['PATH']}:/usr/sbin") or "smbd"
    command = [smbd, "-s", str(settings), "-F", "--no-process-group"]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as server:
        try:
            assert until(lambda: _answers(port)), (folder / "log").read_text("utf-8")
            yield port
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # it and the processes that serve its clients


def _answers(port: int) -> bool:
    with socket.socket() as question:
        return question.connect_ex(("127.0.0.1", port)) == 0


# -- the writer's side -----------------------------------------------------------------------------------

_WAIT = threading.Event().wait


class Workstation:
    """One client with a connection of its own."""

    def __init__(self, port: int, folder: str, kind: str) -> None:
        import smbclient

        self._smb = smbclient
        smbclient.ClientConfig(require_secure_negotiate=False)  # a guest has no key to sign with
        self._options: dict[str, Any] = {"port": port, "connection_cache": {}}
        smbclient.register_session(
            "127.0.0.1", username="anyone", password="x", require_signing=False, **self._options
        )
        self.place = rf"\\127.0.0.1\parts\inbox\{folder}\{kind}.stl"
        self.content = Random(kind).randbytes(50 * 9000)
        self.content = kind.encode().ljust(80) + (9000).to_bytes(4, "little") + self.content

    def open(self, mode: str = "wb", name: str = "") -> Any:
        """Open a file as Windows programs do: others may read meanwhile."""
        return self._smb.open_file(
            name or self.place, mode=mode, buffering=0, share_access="r", **self._options
        )

    def pieces(self) -> list[tuple[int, bytes]]:
        """Cut the content into five."""
        step = len(self.content) // 5 + 1
        return [(start, self.content[start : start + step]) for start in range(0, len(self.content), step)]

    def rename(self, name: str) -> None:
        """Return a finished file its name."""
        self._smb.rename(name, self.place, **self._options)

    def date(self) -> None:
        """Return a file the date of the one it is a copy of."""
        self._smb.utime(self.place, times=(1_000_000_000, 1_000_000_000), **self._options)


def put(file: Any, pieces: list[tuple[int, bytes]]) -> None:
    """Write pieces at their places, with pauses."""
    for start, piece in pieces:
        file.seek(start)
        rest = memoryview(piece)
        while rest:
            rest = rest[file.write(bytes(rest)) :]
        _WAIT(PAUSE_SECONDS)


def in_order(station: Workstation) -> None:
    with station.open() as file:
        put(file, station.pieces())


def end_first(station: Workstation) -> None:
    """As the Explorer copies: the size at once, then the bytes, the old date at last."""
    with station.open() as file:
        file.truncate(len(station.content))
        put(file, station.pieces())
    station.date()


def out_of_order(station: Workstation) -> None:
    with station.open() as file:
        put(file, station.pieces()[::-1])


def renamed(station: Workstation) -> None:
    loading = f"{station.place}.part"
    with station.open(name=loading) as file:
        put(file, station.pieces())
    station.rename(loading)


def in_sessions(station: Workstation) -> None:
    with station.open() as file:
        file.truncate(len(station.content))
    for piece in station.pieces():
        with station.open("r+b") as file:
            put(file, [piece])


def text(station: Workstation) -> None:
    station.content = ascii_solid(2000)
    in_order(station)


def dies(station: Workstation) -> None:
    with station.open() as file:
        file.truncate(len(station.content))
        put(file, station.pieces()[:2])
        print(json.dumps({"kind": "dies"}), flush=True)
        os._exit(9)


KINDS: dict[str, Callable[[Workstation], None]] = {
    kind.__name__: kind for kind in (in_order, end_first, out_of_order, renamed, in_sessions, text, dies)
}


def write(port: int, folder: str, kind: str) -> None:
    """Write one file, and say so."""
    station = Workstation(port, folder, kind)
    KINDS[kind](station)
    digest = hashlib.sha256(station.content).hexdigest()
    line = json.dumps({"kind": kind, "sha256": digest, "at": time.monotonic()})
    print(f"{line}\n", end="", flush=True)  # in one piece: other threads write, too


if __name__ == "__main__":
    a_port, a_folder, *kinds = sys.argv[1:]
    for each in kinds:
        threading.Thread(target=write, args=(int(a_port), a_folder, each)).start()
