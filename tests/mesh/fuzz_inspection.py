"""Coverage-guided fuzzing of the inspection, with atheris (`pip install atheris`; Linux and macOS).

    python -m tests.mesh.fuzz_inspection [--seconds 600] [--corpus FOLDER]

Ends with exit code 0 when no input was found that breaks an oracle, else with atheris' own report.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["workflow.mesh"]):
    from tests.mesh.oracle import checked
    from tests.mesh.solids import ascii_text, binary, box, merged, shifted, torus

SEEDS = (
    binary(box()),
    binary(box(), b"solid box"),
    binary(box()[1:]) + b"trailing",
    binary(merged(box(), shifted(box(), 20, 20, 0))),
    binary(torus(5, 4)),
    ascii_text(box()),
    ascii_text(box(), "{:.6e}").replace(b"\n", b"\r\n"),
    ascii_text(box()) + ascii_text(box(), name="again"),
    ascii_text(box()).replace(b"  facet", b"color 1 0 0\n  facet").replace(b"endsolid", b"end solid"),
    b"\xef\xbb\xbf" + ascii_text(box()[:3]),
    b"solid x\nendsolid x\n",
)
LONGEST = 8192


def main() -> None:
    """Fuzz for a time; does not return."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--corpus", type=Path)
    options = parser.parse_args()
    folder = options.corpus or Path(tempfile.mkdtemp(prefix="stlflow-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS):
        (folder / f"seed-{number}").write_bytes(seed)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "part.stl"
        flags = [
            f"-max_total_time={options.seconds}",
            f"-max_len={LONGEST}",
            "-timeout=20",
            "-rss_limit_mb=2048",
        ]
        flags.append(f"-artifact_prefix={folder.parent}/")
        atheris.Setup(
            [sys.argv[0], *flags, "-print_final_stats=1", str(folder)], lambda some: _try(file, some)
        )
        atheris.Fuzz()


def _try(file: Path, content: bytes) -> None:
    checked(file, content)
    checked(file, content[: len(content) * 2 // 3])


if __name__ == "__main__":
    main()
