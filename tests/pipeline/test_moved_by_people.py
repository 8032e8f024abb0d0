"""Held files moved by people without a shell: by an account of the system, and through Samba."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import simulated
from tests.intake.samba import samba
from tests.pipeline.conftest import Open, Shop, held, opened
from tests.stl import box
from tests.waiting import until
from workflow.model import SubmissionState

PATIENT = 60.0
NOBODY = 65534
MANY = 200
needs_root = pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="needs another account")
needs_samba = pytest.mark.skipif(
    shutil.which("smbd", path=f"{os.environ['PATH']}:/usr/sbin") is None
    or find_spec("smbclient") is None
    or sys.platform != "linux",
    reason="needs a Samba server, and smbprotocol (extra: samba)",
)


@pytest.fixture
def group_shop() -> Iterator[Shop]:
    """A shop whose share belongs to a group of people, in a folder that everyone may enter."""
    with tempfile.TemporaryDirectory() as name, simulated() as cloud:
        folder = Path(name)
        folder.chmod(0o711)
        (folder / "share").mkdir()
        os.chown(folder / "share", 0, NOBODY)
        (folder / "share").chmod(0o2770)
        with opened(folder, cloud) as shop:
            yield shop


def move_as_nobody(shop: Shop, here: str, there: str) -> bool:
    """Move a file as an account that can't log in; tell whether it may."""
    words = ["mv", str(shop.share / here), str(shop.share / there)]
    asked = subprocess.run(
        words,
        user=NOBODY,
        group=NOBODY,
        extra_groups=(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return asked.returncode == 0


class Station:
    """A workstation with its own connection to the share."""

    def __init__(self, port: int) -> None:
        import smbclient

        self._smb = smbclient
        smbclient.ClientConfig(require_secure_negotiate=False)  # a guest has no key to sign with
        self._options: dict[str, Any] = {"port": port, "connection_cache": {}}
        smbclient.register_session(
            "127.0.0.1", username="anyone", password="x", require_signing=False, **self._options
        )

    def rename(self, here: str, there: str) -> None:
        self._smb.rename(rf"\\127.0.0.1\parts\{here}", rf"\\127.0.0.1\parts\{there}", **self._options)

    def write(self, place: str, content: bytes) -> None:
        with self._smb.open_file(rf"\\127.0.0.1\parts\{place}", mode="wb", **self._options) as file:
            file.write(content)


def reaches(shop: Shop, path: str, state: SubmissionState) -> bool:
    def there() -> bool:
        seen = shop.submission(path)
        return seen is not None and seen.state is state and seen.step is None

    return until(there, PATIENT)


@needs_root
def test_an_account_without_a_shell_approves_if_the_folder_lets_it(group_shop: Shop) -> None:
    shop = group_shop
    for number, name in enumerate(("yes.stl", "no.stl")):
        shop.drop(name, box(1, 1, 0.5 + number / 10))
        shop.wait(name, held, PATIENT)
    assert move_as_nobody(shop, "held/yes.stl", "approved/yes.stl")
    assert reaches(shop, "yes.stl", SubmissionState.DISPATCHED)

    (shop.share / "approved").chmod(0o2750)  # only others approve here
    assert not move_as_nobody(shop, "held/no.stl", "approved/no.stl")
    assert move_as_nobody(shop, "held/no.stl", "rejected/no.stl")
    assert reaches(shop, "no.stl", SubmissionState.CANCELED)
    assert shop.cloud.dispatches().total() == 1


@needs_samba
def test_a_workstation_approves_and_cancels_over_samba(open_shop: Open, tmp_path: Path) -> None:
    shop = open_shop()
    for number, name in enumerate(("yes.stl", "no.stl", "changed.stl")):
        shop.drop(name, box(1, 1, 0.5 + number / 10))
        shop.wait(name, held, PATIENT)
    with samba(tmp_path / "server", shop.share) as port:
        station = Station(port)
        station.rename(r"held\yes.stl", r"approved\yes.stl")
        station.rename(r"held\no.stl", r"rejected\no.stl")
        station.write(r"held\changed.stl", box(1, 1, 0.9))
        station.rename(r"held\changed.stl", r"approved\changed.stl")
        station.write(r"approved\straight.stl", box(27))
        assert reaches(shop, "yes.stl", SubmissionState.DISPATCHED)
        assert reaches(shop, "no.stl", SubmissionState.CANCELED)
        assert reaches(shop, "straight.stl", SubmissionState.HELD)
        assert until(
            lambda: len([each for each in shop.service.ledger.all() if each.path == "changed.stl"]) == 2
        )
        assert reaches(shop, "changed.stl", SubmissionState.HELD)
    assert shop.cloud.dispatches().total() == 1


@pytest.mark.long
def test_200_files_moved_at_once_are_each_sent_once(open_shop: Open) -> None:
    shop = open_shop(mass_arrival_files=0)
    for number in range(MANY):
        shop.drop(f"kit/{number}.stl", box(1, 1, 0.2 + number / 1000))
    ledger = shop.service.ledger

    def count(state: SubmissionState) -> int:
        return sum(each.step is None for each in ledger.all([state]))

    assert until(lambda: count(SubmissionState.HELD) == MANY, 10 * PATIENT)
    (shop.share / "approved/kit").mkdir()
    for number in range(MANY):
        (shop.share / f"held/kit/{number}.stl").rename(shop.share / f"approved/kit/{number}.stl")
    assert until(lambda: count(SubmissionState.DISPATCHED) == MANY, 10 * PATIENT)
    sent = shop.cloud.dispatches()
    assert (len(sent), sent.total()) == (MANY, MANY)
    assert not list((shop.share / "approved").rglob("*.stl"))
