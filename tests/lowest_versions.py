"""The lowest version of each package that pyproject allows, as constraints for pip.

`.ci/lowest` installs them into an environment of its own and runs the tests there: a lower bound that was
never run is a guess.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent / "pyproject.toml"
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?:\[(?P<extras>[^]]*)\])?\s*(?P<bounds>.*)")
_LOWER = re.compile(r">=\s*(?P<version>[0-9][0-9A-Za-z.]*)")


def lowest_versions(project: Mapping[str, Any], extras: Iterable[str] = ("test",)) -> Iterator[str]:
    """Yield `name==version` for what a project needs. Raises ValueError if a lower bound is missing."""
    optional = project.get("optional-dependencies", {})
    for requirement in (*project["dependencies"], *(each for extra in extras for each in optional[extra])):
        named = _REQUIREMENT.fullmatch(requirement.partition(";")[0].strip())
        if named is not None and named["name"] == project["name"]:
            own = [extra.strip() for extra in (named["extras"] or "").split(",")]
            yield from lowest_versions({**project, "dependencies": ()}, own)
            continue
        lower = _LOWER.search(named["bounds"]) if named else None
        if named is None or lower is None:
            raise ValueError(f"{requirement}: give it a lower bound, such as >=1.0")
        yield f"{named['name']}=={lower['version']}"


def read_project() -> Mapping[str, Any]:
    """Return the project table of pyproject.toml."""
    project: Mapping[str, Any] = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    return project


if __name__ == "__main__":
    print("\n".join(lowest_versions(read_project())))
