"""What one inspection costs beside its time: memory, and modules that are slow to import."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mesh.solids import binary, torus

MESH = Path(__file__).parents[2] / "workflow" / "mesh"
PROGRAM = """
import json, sys
from pathlib import Path
from workflow.mesh.inspection import inspect_mesh

report = inspect_mesh(Path(sys.argv[1]))
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
peak = [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")]
print(json.dumps({"facets": report.triangles, "peak_mb": peak, "has_ma": "numpy.ma" in sys.modules}))
"""


@pytest.mark.parametrize("around", [300, 1000])
def test_memory_stays_small_and_nothing_slow_is_imported(tmp_path: Path, around: int) -> None:
    """A first call of `np.unique` alone would import numpy.ma, which takes longer than most files."""
    file = tmp_path / "part.stl"
    file.write_bytes(binary(torus(around, around // 2)))
    ran = subprocess.run([sys.executable, "-c", PROGRAM, str(file)], capture_output=True, check=True)
    found = json.loads(ran.stdout)
    assert found["facets"] == around * around
    assert all(peak < 64 for peak in found["peak_mb"])
    assert not found["has_ma"]


def test_numpys_unique_is_not_used_by_the_check() -> None:
    """The viewer's reduction of large meshes takes seconds anyway."""
    users = [each.name for each in MESH.glob("*.py") if "np.unique(" in each.read_text("utf-8")]
    assert users == ["vertex_clustering.py"]
