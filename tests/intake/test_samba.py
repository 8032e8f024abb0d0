"""The intake on a file server, with workstations that write through Samba."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.intake.campaign import Lines, running_until_the_end, service, taken_by
from tests.intake.parts import binary
from tests.intake.samba import KINDS, samba
from tests.waiting import until
from workflow.intake import Share
from workflow.intake.completeness import FileShape, open_snapshot
from workflow.intake.open_writers import sees_all_writers

if shutil.which("smbd", path=f"{os.environ['PATH']}:/usr/sbin") is None or sys.platform != "linux":
    pytest.skip("needs a Samba server on this machine (Debian: samba)", allow_module_level=True)

SCALE = 0.2
AT_ONCE = {"in_order", "out_of_order", "end_first", "renamed"}
"""Of these it is heard that they are whole; the others wait as long as a text file."""
needs_client = pytest.mark.skipif(find_spec("smbclient") is None, reason="needs smbprotocol (extra: samba)")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Share, Lines, int]]:
    """A share that Samba serves, the intake on it, and the server's port."""
    folder = tmp_path_factory.mktemp("samba")
    share = Share(folder / "share")
    share.prepare()
    if not sees_all_writers(share.inbox):
        pytest.skip("the file system does not tell of writers")
    for desk in ("desk", "dead"):
        (share.inbox / desk).mkdir()
    (share.inbox / "first.stl").write_bytes(binary())
    with (
        samba(folder / "server", share.root) as port,
        running_until_the_end([service(share, scale=SCALE)]) as (intake,),
    ):
        assert until(lambda: intake.lines)
        yield share, intake, port


def taken_from(intake: Lines, folder: str) -> dict[str, tuple[str, float]]:
    every = [each for each in taken_by([intake]) if each.path.startswith(f"{folder}/")]
    found = {Path(each.path).stem: (each.sha256, each.at) for each in every}
    assert len(found) == len(every), "each is taken once"
    return found


@pytest.mark.long
@needs_client
def test_what_workstations_write_is_taken_whole_and_soon(served: tuple[Share, Lines, int]) -> None:
    _share, intake, port = served
    whole = sorted(KINDS.keys() - {"dies"})
    writer = Lines("-m", "tests.intake.samba", port, "desk", *whole)
    with running_until_the_end([writer]):
        assert until(lambda: len(writer.lines) == len(whole)), writer.lines
        assert until(lambda: len(taken_from(intake, "desk")) == len(whole)), taken_from(intake, "desk")
    taken = taken_from(intake, "desk")
    assert {str(line["kind"]): line["sha256"] for line in writer.lines} == {
        kind: digest for kind, (digest, _) in taken.items()
    }
    for line in writer.lines:
        late = taken[str(line["kind"])][1] - float(str(line["at"]))
        print(f"{line['kind']}: taken {late:.2f} s after it was closed")
        assert late < (1 if str(line["kind"]) in AT_ONCE else 5 * SCALE + 1)


@pytest.mark.long
@needs_client
def test_what_a_dying_workstation_leaves_is_never_taken(served: tuple[Share, Lines, int]) -> None:
    """It has its whole size, and nobody has it open any more; only its content is missing."""
    share, intake, port = served
    writer = Lines("-m", "tests.intake.samba", port, "dead", "dies")
    writer.end(code=9)
    with open_snapshot(share.inbox, "dead/dies.stl") as seen:
        assert seen.snapshot.ends.size == seen.snapshot.ends.announced == 84 + 50 * 9000
        assert seen.snapshot.ends.shape is FileShape.ZEROS
    assert not until(lambda: taken_from(intake, "dead"), 10 * SCALE + 1)


@pytest.mark.skipif(shutil.which("smbclient") is None, reason="needs smbclient")
def test_what_smbclient_puts_and_renames_is_taken(served: tuple[Share, Lines, int], tmp_path: Path) -> None:
    _share, intake, port = served
    source = tmp_path / "part.stl"
    source.write_bytes(binary(500))
    commands = f"cd inbox; mkdir put; cd put; put {source} a.stl; put {source} b.tmp; rename b.tmp b.stl"
    asked = ["smbclient", "//127.0.0.1/parts", "-p", str(port), "-N", "-c", commands]
    subprocess.run(asked, check=True, capture_output=True)
    assert until(lambda: taken_from(intake, "put").keys() == {"a", "b"})
