"""The checkup names what waits in the inbox for a person, and what is in the way."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from tests.doctor.conftest import Look
from tests.stl import box
from workflow.doctor import Grade
from workflow.doctor.inbox import inbox_checks
from workflow.intake import Share

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs links and groups")


@pytest.fixture
def share(tmp_path: Path) -> Share:
    share = Share(tmp_path / "share")
    share.prepare()
    return share


def test_a_share_in_order_is_well(look: Look, share: Share) -> None:
    (share.inbox / "part.stl").write_bytes(box())
    assert set(look(inbox_checks(share)).grades().values()) == {Grade.OK}


def test_what_waits_for_a_person_is_named(look: Look, share: Share) -> None:
    (share.inbox / "part.stl").write_bytes(box())
    os.link(share.inbox / "part.stl", share.root / "other name")
    (share.inbox / "cad").symlink_to(share.root)
    cad, part = look(inbox_checks(share)).of("share.waiting")
    assert cad.says == (
        "cad is not taken: it is a link, and links are not followed. Copy the folder itself into the inbox. "
        "2 files and folders wait like that."
    )
    assert part.says.startswith("part.stl is not taken: it has 2 names (hard links).")
    assert part.fix == "See why: `stlflow intake explain part.stl`."


def test_a_command_with_a_hostile_name_does_no_more_than_it_says(look: Look, share: Share) -> None:
    name = "$(reboot)`id`'; .stl"
    (share.inbox / name).symlink_to(share.root)
    (found,) = look(inbox_checks(share)).of("share.waiting")
    command = found.fix.removeprefix("See why: `").removesuffix("`.")
    assert shlex.split(command) == ["stlflow", "intake", "explain", name]


def test_a_link_and_a_file_in_the_way_are_named(look: Look, share: Share) -> None:
    (share.done / "old").symlink_to(share.root)
    (share.inbox / "rush").mkdir()
    (share.held / "rush").write_text("in the way")
    assert [finding.says for finding in look(inbox_checks(share)).of("share.foreign")] == [
        "done/old is a link where a folder has to be: files that belong there wait.",
        "held/rush is a file where a folder has to be: files that belong there wait.",
    ]


def test_a_share_where_people_drop_and_can_not_drag_back_is_reported(look: Look, share: Share) -> None:
    group = share.inbox.stat().st_gid
    share.inbox.chmod(0o2775)
    for folder in (share.done, share.rejected):
        folder.chmod(0o2775)
    share.held.chmod(0o755)
    told = look(inbox_checks(share)).select("share.group")
    assert (
        told.says == f"People of group {group} may drop files into inbox, and can't drag them back from held."
    )
    assert told.fix == f"`chgrp -R {group} held && chmod -R g+rwX held` in {share.root}."
