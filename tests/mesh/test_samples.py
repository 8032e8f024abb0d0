"""The samples: made by their script, and inspected as their manifest says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workflow.mesh.inspection import inspect_mesh

SAMPLES = Path(__file__).parents[2] / "samples"
ENTRIES: list[dict[str, str | None]] = json.loads((SAMPLES / "manifest.json").read_text("utf-8"))["samples"]
BED_MM = (320, 132, 154)


def made_files(folder: Path) -> dict[str, bytes]:
    files = [*folder.rglob("*.stl"), folder / "manifest.json"]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def test_the_script_makes_the_same_bytes_again(tmp_path: Path) -> None:
    script = [sys.executable, "-B", str(SAMPLES / "make_samples.py"), str(tmp_path)]
    subprocess.run(script, check=True, capture_output=True)
    assert made_files(tmp_path) == made_files(SAMPLES)


def test_the_manifest_names_every_file() -> None:
    assert {entry["path"] for entry in ENTRIES} == set(made_files(SAMPLES)) - {"manifest.json"}
    assert sum(len(content) for content in made_files(SAMPLES).values()) < 1_000_000


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry["path"]))
def test_each_is_what_the_manifest_says(entry: dict[str, str | None]) -> None:
    report = inspect_mesh(SAMPLES / str(entry["path"]))
    if entry["state"] in {"held", "rejected"} and report.verdict != "accept":
        assert report.verdict == {"held": "hold", "rejected": "reject"}[str(entry["state"])]
        assert str(entry["reason"]) in str(report.reason)
        return
    assert (report.verdict, report.watertight) == ("accept", True)
    assert all(side <= bed for side, bed in zip(sorted(report.size_mm), sorted(BED_MM), strict=True))
    assert (entry["state"] == "held") == bool(report.warnings)
