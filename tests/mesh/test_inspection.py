"""Odd files: their verdicts, and the words that people read."""

import hashlib
import os
import re
from collections.abc import Callable
from io import FileIO
from pathlib import Path

import numpy as np
import pytest
from typing_extensions import Buffer

from tests.mesh.odd_files import ACCEPTED, HELD, ODD, REJECTED, TEXT, WARNED, WHOLE
from tests.mesh.solids import ascii_text, binary, box, circle, merged, plate, shifted, with_corners_on_an_edge
from workflow.errors import SettingsError
from workflow.mesh import MeshPolicy, parse_warning_kinds
from workflow.mesh.format import HashingStream
from workflow.mesh.inspection import inspect_mesh, inspect_open_file
from workflow.model import MeshReport


def inspect(tmp_path: Path, content: bytes, policy: MeshPolicy | None = None) -> MeshReport:
    file = tmp_path / "part.stl"
    file.write_bytes(content)
    report = inspect_mesh(file, "inbox/part.stl", policy or MeshPolicy())
    assert report.path == "inbox/part.stl"
    assert report.sha256 == hashlib.sha256(content).hexdigest()
    assert (report.verdict != "accept") == (report.reason is not None)
    return report


@pytest.mark.parametrize("content", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted_without_a_word(tmp_path: Path, content: bytes) -> None:
    report = inspect(tmp_path, content)
    assert (report.verdict, report.reason, report.warnings) == ("accept", None, ())
    assert report.watertight
    assert report.open_edges == 0
    assert report.volume_cm3 is not None


@pytest.mark.parametrize(("content", "warning"), WARNED.values(), ids=WARNED.keys())
def test_accepted_with_a_warning(tmp_path: Path, content: bytes, warning: str) -> None:
    report = inspect(tmp_path, content)
    assert (report.verdict, report.reason) == ("accept", None)
    assert report.watertight
    assert [line for line in report.warnings if warning in line]


@pytest.mark.parametrize(("content", "reason"), REJECTED.values(), ids=REJECTED.keys())
def test_rejected_with_a_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    report = inspect(tmp_path, content)
    assert report.verdict == "reject"
    assert reason in (report.reason or "")
    assert str(report.reason).endswith(".")
    assert report.seconds < 2  # generous: the machine may be busy


@pytest.mark.parametrize(("content", "reason"), HELD.values(), ids=HELD.keys())
def test_held_with_a_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    report = inspect(tmp_path, content)
    assert report.verdict == "hold"
    assert reason in (report.reason or "")
    assert str(report.reason).endswith(".")


def test_what_a_good_report_says(tmp_path: Path) -> None:
    report = inspect(tmp_path, binary(box(10, 20, 30)))
    assert (report.format, report.triangles, report.solids) == ("binary", 12, 1)
    assert report.size_mm == pytest.approx((10, 20, 30))
    assert report.volume_cm3 == pytest.approx(6)
    assert report.area_cm2 == pytest.approx(22)
    assert (report.shared_edges, report.flipped_edges, report.degenerate_facets) == (0, 0, 0)
    assert report.seconds > 0


def test_several_solids_are_all_measured(tmp_path: Path) -> None:
    report = inspect(tmp_path, TEXT + ascii_text(shifted(box(), 50, 0, 0)))
    assert (report.verdict, report.solids, report.triangles) == ("accept", 2, 24)
    assert report.size_mm == pytest.approx((70, 20, 20))


def test_color_is_reported(tmp_path: Path) -> None:
    assert inspect(tmp_path, ACCEPTED["attribute bytes"]).has_colour
    assert inspect(tmp_path, ACCEPTED["color header"]).has_colour
    assert inspect(tmp_path, ACCEPTED["color lines"]).has_colour
    assert not inspect(tmp_path, WHOLE).has_colour


@pytest.mark.parametrize(
    "policy", [MeshPolicy(largest_hole_mm=5.1), MeshPolicy(open_edges_limit=12)], ids=["mm", "edges"]
)
def test_a_shop_may_accept_small_holes(tmp_path: Path, policy: MeshPolicy) -> None:
    content = binary(plate(circle(5, 12)))
    assert inspect(tmp_path, content).verdict == "hold"
    report = inspect(tmp_path, content, policy)
    assert (report.verdict, report.oddities) == ("accept", ("small_holes",))
    assert (report.watertight, report.open_edges, report.volume_cm3) == (False, 12, None)
    assert report.warnings == ("Hole 4.83 × 4.83 mm at x 0.0 y 0.0 z 5.0 mm: the slicer has to close it.",)
    assert report.open_places == ("x 0.0 y 0.0 z 5.0 mm",)


@pytest.mark.parametrize("missing", [2, 1])
def test_a_missing_side_passes_no_limit(tmp_path: Path, missing: int) -> None:
    """Half a lid has three open edges, a whole lid four."""
    for size_mm in (8, 20):
        content = binary(box(size_mm, size_mm, size_mm)[missing:])
        policy = MeshPolicy(largest_hole_mm=10, open_edges_limit=1000)
        assert inspect(tmp_path, content, policy).verdict == "hold"


@pytest.mark.parametrize(("length_mm", "verdict"), [(0.9, "accept"), (20, "hold")])
def test_a_long_crack_holds_and_a_short_one_warns(tmp_path: Path, length_mm: float, verdict: str) -> None:
    """The crack of a small box beside a large one."""
    cracked = with_corners_on_an_edge([0.5]) * np.float32(length_mm / 20)
    report = inspect(tmp_path, binary(merged(shifted(box(), 50, 0, 0), cracked)))
    assert report.verdict == verdict
    told = report.reason if verdict == "hold" else report.warnings[0]
    assert str(told).startswith(f"Crack {length_mm:g} × 0 mm at x ")
    assert (report.watertight, report.open_edges) == (True, 0)


def test_nothing_below_a_micrometer_is_reported(tmp_path: Path) -> None:
    corners = box()
    corners[5, 1, 2] = np.float32(19.9995)
    report = inspect(tmp_path, binary(corners))
    assert (report.verdict, report.warnings) == ("accept", ())
    assert report.closes_at_mm == pytest.approx(0.0005, rel=0.01)


def test_a_damaged_facet_is_all_that_is_reported_of_its_mesh(tmp_path: Path) -> None:
    corners = box()
    corners[5, 1, 2] = 1e25
    report = inspect(tmp_path, binary(corners))
    assert (len(report.defects), report.warnings, report.size_mm) == (1, (), (0, 0, 0))
    assert (report.unit_doubt, report.unit_guess) == ("", "mm")


def test_a_doubled_facet_makes_the_volume_unknown(tmp_path: Path) -> None:
    assert inspect(tmp_path, ODD["one facet twice"][0]).volume_cm3 is None


def test_shared_edges_are_not_counted_beyond_the_limit(tmp_path: Path) -> None:
    report = inspect(tmp_path, ODD["all twice"][0], MeshPolicy(count_limit_facets=5))
    assert (report.verdict, report.shared_edges, report.warnings) == ("accept", None, ())


@pytest.mark.parametrize(("content", "words"), ODD.values(), ids=ODD.keys())
def test_what_no_slicer_minds_is_reported_only_where_a_setting_names_it(
    tmp_path: Path, content: bytes, words: str
) -> None:
    report = inspect(tmp_path, content)
    assert (report.verdict, report.warnings, report.watertight) == ("accept", (), True)
    named = parse_warning_kinds("shared_edges, repeated_facets, degenerate_facets")
    strict = inspect(tmp_path, content, MeshPolicy(held=named, count_limit_facets=5))
    assert strict.verdict == "hold"
    assert [line for line in strict.defects if words in line]


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "part.stl"
    file.write_bytes(WHOLE)
    report = inspect_mesh(file, policy=MeshPolicy(max_bytes=600))
    assert report.verdict == "reject"
    assert "are not read. Export it with a coarser resolution." in (report.reason or "")
    assert (report.path, report.sha256) == (str(file), "")


@pytest.mark.parametrize("make", [Path.mkdir, *([os.mkfifo] if hasattr(os, "mkfifo") else [])])
def test_what_is_no_file_is_not_opened(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "part.stl")
    report = inspect_mesh(tmp_path / "part.stl")
    assert (report.verdict, report.sha256) == ("reject", "")
    assert (
        report.reason == "This is a folder, a pipe or a device, but no file. Put the STL file itself there."
    )


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        inspect_mesh(tmp_path / "part.stl")


class _GrowingFile(FileIO):
    """A file that somebody appends to while it is read."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self._file = file

    def readinto(self, buffer: Buffer, /) -> int | None:
        with self._file.open("ab") as writer:
            writer.write(b"more")
        return super().readinto(buffer)


def test_a_file_that_changes_under_the_reading_is_not_judged(tmp_path: Path) -> None:
    file = tmp_path / "part.stl"
    file.write_bytes(WHOLE)
    with _GrowingFile(file) as growing:
        report = inspect_open_file(growing, HashingStream(growing), MeshPolicy())
    assert report.reason == "The file changed while it was read. Wait until the export has ended."


def test_a_shop_may_hold_what_others_are_warned_of(tmp_path: Path) -> None:
    report = inspect(
        tmp_path, WARNED["inside out"][0], MeshPolicy(held=parse_warning_kinds("inside_out, unit"))
    )
    assert (report.verdict, report.warnings, report.oddities) == ("hold", (), ())
    assert report.reason == "-8 cm³: the mesh is inside out. Slicers turn it."


def test_every_defect_is_reported(tmp_path: Path) -> None:
    report = inspect(tmp_path, binary(shifted(box()[1:], 2e6, 0, 0)))
    assert [defect.split(": ")[0] for defect in report.defects] == [
        "2e+06 mm from the origin",
        "A side is missing",
    ]
    assert report.reason == report.defects[0]


def test_oddities_have_the_names_of_their_warnings(tmp_path: Path) -> None:
    report = inspect(tmp_path, binary(box()[:, ::-1] / np.float32(100)) + b"\0")
    assert report.oddities == ("trailing_bytes", "inside_out", "unit")
    assert len(report.warnings) == 3
    assert report.inside_out


@pytest.mark.parametrize(
    ("names", "message"),
    [("inside-out", "did you mean inside_out?"), ("color", "known are trailing_bytes, ")],
)
def test_an_unknown_oddity_is_a_mistake_in_the_settings(names: str, message: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(message)):
        parse_warning_kinds(names)
