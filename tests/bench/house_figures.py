"""The figures of the house: modules, lines, sizes, cycles, type ignores, broad excepts.

`python -m tests.bench.house_figures` prints them; `--rooms` adds a row for each room.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median, quantiles

from tests.test_architecture import FILES, PACKAGE, functions, room_of

BROAD = re.compile(r"except (Exception|BaseException)\b")


def module_name(file: Path) -> str:
    """Return the dotted name of a file of the package."""
    name = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports() -> Mapping[str, set[str]]:
    """Return the modules that each module imports, also inside functions; a package by its own name."""
    names = {module_name(file) for file in FILES}

    def imported(tree: ast.AST) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in names:
                below = {f"{node.module}.{alias.name}" for alias in node.names}
                yield from below & names or {node.module}

    return {module_name(file): set(imported(ast.parse(file.read_text("utf-8")))) for file in FILES}


def first_cycle() -> list[str]:
    """Return modules that import each other in a circle; none if there is no circle."""
    try:
        tuple(TopologicalSorter(imports()).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


def sizes(numbers: list[int]) -> str:
    """Return median, 90 % and maximum of sizes."""
    return f"median {median(numbers):g}, 90 % {quantiles(numbers, n=10)[-1]:.0f}, most {max(numbers)}"


def main() -> None:
    """Print the figures."""
    texts = {file: file.read_text("utf-8") for file in FILES}
    lines = {file: len(text.splitlines()) for file, text in texts.items()}
    of_functions = [
        (each.end_lineno or each.lineno) - each.lineno + 1 for file in FILES for each in functions(file)
    ]
    print(f"modules         {len(texts)}")
    print(f"lines           {sum(lines.values()):,}")
    print(f"file lines      {sizes(list(lines.values()))}")
    print(f"function lines  {sizes(of_functions)}")
    print(f"import circle   {' -> '.join(first_cycle()) or 'none'}")
    print(f"type ignores    {sum(text.count('type: ignore') for text in texts.values())}")
    print(f"broad excepts   {sum(len(BROAD.findall(text)) for text in texts.values())}")
    if "--rooms" in sys.argv:
        for room, count in Counter(map(room_of, FILES)).most_common():
            print(
                f"  {room:<14}{count:>3}  {sum(n for file, n in lines.items() if room_of(file) == room):>6,}"
            )


if __name__ == "__main__":
    main()
