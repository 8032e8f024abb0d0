import os
import tempfile
from pathlib import Path

import pytest

from tests.intake.conftest import TIMES
from tests.intake.parts import ascii_solid, binary
from workflow.intake import NameKind, explain_file, find_blocked_files
from workflow.intake.open_writers import sees_all_writers


def seen(inbox: Path, path: str = "part.stl") -> str | None:
    return explain_file(inbox, path, TIMES).seen


def test_a_name_is_enough(tmp_path: Path) -> None:
    explained = explain_file(tmp_path, "rush/@eaDir/part.stl", TIMES)
    assert (explained.kind, explained.pattern, explained.becomes, explained.why, explained.seen) == (
        NameKind.LITTER, "@eaDir/", "passed over in silence", "a folder of a Synology box", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (binary(), "a whole binary STL, 1,084 bytes: it is taken when it has not changed for {} s."),
        (
            binary()[:-1],
            "it is incomplete: 1,083 of 1,084 bytes; if that stays so for 600 s, it is rejected.",
        ),
        (b"", "it is incomplete: empty; if that stays so for 600 s, it is rejected."),
    ],
)
def test_a_file_that_is_there_is_checked(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "part.stl").write_bytes(content)
    assert seen(tmp_path) == sentence.format("0.3" if sees_all_writers(tmp_path) else "4")


def test_why_a_file_waits_is_said(tmp_path: Path) -> None:
    place = tmp_path / "part.stl"
    place.write_bytes(ascii_solid())
    (tmp_path / "part.stl.crdownload").touch()
    assert seen(tmp_path) == "part.stl.crdownload is still being loaded: it is taken after that."
    (tmp_path / "part.stl.crdownload").unlink()
    if sees_all_writers(tmp_path):
        with place.open("ab"):
            assert seen(tmp_path) == "it is still open in another program: it is taken after that."
    os.link(place, tmp_path / "again.stl")
    assert seen(tmp_path) == "it has 2 names (hard links). Copy it into the inbox instead."
    (tmp_path / "link.stl").symlink_to(place)
    assert seen(tmp_path, "link.stl") == "link.stl is a link, not a file of its own: it is left alone."


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="takes root to be two people")
def test_a_file_of_another_in_a_sticky_folder_waits_for_a_person() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sticky = Path(folder) / "sticky"
        sticky.mkdir()
        (sticky / "part.stl").write_bytes(binary())
        Path(folder).chmod(0o755)
        sticky.chmod(0o1777)
        assert not explain_file(Path(folder), "sticky/part.stl", TIMES).blocked
        os.seteuid(65534)
        try:
            explained = explain_file(Path(folder), "sticky/part.stl", TIMES)
            (sticky / "mine.stl").write_bytes(binary())
            assert not explain_file(Path(folder), "sticky/mine.stl", TIMES).blocked
            assert find_blocked_files(Path(folder)) == {"sticky/part.stl": (explained.seen or "").rstrip(".")}
        finally:
            os.seteuid(0)
        assert explained.blocked
        assert "may not move it out of inbox/sticky: only its owner may" in (explained.seen or "")
