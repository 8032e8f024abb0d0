"""The layout holds: imports go one way, files and functions stay small, names mean something."""

import ast
import builtins
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import pytest

from tests.conftest import WITH_BROWSER

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "workflow"
FILES = sorted(PACKAGE.rglob("*.py"))

ROOMS = {"intake", "mesh", "eiger", "routing", "ledger", "notes", "notices"}
ROOTS = {"model", "errors", "settings", "suggest"}
EVERYWHERE = {"frozen", "__version__"}
MAY_IMPORT = {
    **dict.fromkeys(ROOMS, ROOTS),
    "mesh": ROOTS | {"cores"},
    "routing": ROOTS | {"resources"},
    "model": set[str](),
    "errors": set[str](),
    "suggest": set[str](),
    "settings": {"errors", "suggest", "model"},
    "logs": set[str](),
    "resources": set[str](),
    "memory": set[str](),
    "cores": set[str](),
    "frozen": set[str](),
    "state_folder": {"errors"},
    "contract": set[str](),
    "simulator": {"contract"},
    "pipeline": ROOMS | ROOTS,
    "assembly": ROOMS | ROOTS | {"pipeline", "state_folder", "resources", "logs"},
    "operations": ROOMS | ROOTS | {"pipeline", "assembly", "state_folder"},
    "inbox_files": ROOMS | ROOTS | {"pipeline", "assembly"},
    "doctor": ROOMS | ROOTS | {"pipeline", "assembly", "state_folder"},
    "hosting": {"errors", "settings"},
    "console": ROOMS
    | ROOTS
    | {
        "pipeline",
        "assembly",
        "operations",
        "inbox_files",
        "doctor",
        "state_folder",
        "resources",
        "logs",
        "memory",
    },
    "cli": ROOMS
    | ROOTS
    | {
        "pipeline",
        "assembly",
        "operations",
        "inbox_files",
        "console",
        "doctor",
        "hosting",
        "simulator",
        "state_folder",
        "resources",
        "logs",
        "memory",
        "cores",
    },
    "__main__": {"cli", "errors"},
    "__init__": set[str](),
}
BANNED = re.compile(r"(?i)(manager|handler|processor|helper|utils|common|misc|(^|_)data$|(^|_)info$)")


NAMES_OF_LIBRARIES = {"proxy_manager_for"}
"""Methods of requests that a subclass has to override under their own name."""


ERRORS_OF_LIBRARIES = {"BadParameter", "ClickException", "UsageError"}
"""Of click, as docstrings name them."""


@cache
def nodes_of(file: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of a file, parsed once for all tests that look at names and imports."""
    return tuple(ast.walk(ast.parse(file.read_text("utf-8"))))


@pytest.fixture(scope="module", autouse=True)
def trees() -> Iterator[None]:
    """Drop the trees after the last test that looks at them: they are large."""
    yield
    nodes_of.cache_clear()


def room_of(file: Path) -> str:
    place = file.relative_to(PACKAGE).parts
    return place[0] if len(place) > 1 else file.stem


def imported_rooms(file: Path) -> Iterator[tuple[int, str]]:
    for node in nodes_of(file):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module and node.module.split(".")[0] == "workflow":
                parts = node.module.split(".")
                names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
                yield from ((node.lineno, name) for name in names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("workflow."):
                    yield node.lineno, alias.name.split(".")[1]


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes_of(file):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_imports_go_one_way() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports workflow.{name}"
        for file in FILES
        for line, name in imported_rooms(file)
        if name not in MAY_IMPORT[room_of(file)] | {room_of(file)} | EVERYWHERE
    ]
    assert wrong == []


def test_no_back_doors() -> None:
    doors = re.compile("TYPE_CHECKING|import_module")
    assert [str(file) for file in FILES if doors.search(file.read_text("utf-8"))] == []


def test_nothing_draws_from_the_random_numbers_of_all() -> None:
    """Whoever seeds them counts on what follows, as a test of hypothesis does: it fails if a thread draws."""
    drawn = {
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in FILES
        for node in nodes_of(file)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "random"
        and node.attr != "Random"
    }
    assert drawn == set()


def test_only_the_mesh_room_imports_numpy_stl() -> None:
    importers = {
        room_of(file)
        for file in FILES
        if re.search(r"^\s*(from|import) stl\b", file.read_text("utf-8"), re.M)
    }
    assert importers <= {"mesh"}


def test_the_default_install_needs_no_package_of_an_extra() -> None:
    """What needs one is imported late, where the database is a Postgres."""
    extra = re.compile(
        r"^(from|import) (psycopg|procrastinate|workflow\.pipeline\.(postgres_queue|queue_app))\b", re.M
    )
    assert [file.name for file in FILES if extra.search(file.read_text("utf-8"))] == [
        "postgres_queue.py",
        "queue_app.py",
    ]


def test_the_command_line_starts_without_heavy_packages() -> None:
    """Command files import the rooms when they run: `stlflow --help` answers at once."""
    code = "import sys, workflow.cli.app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    assert {"numpy", "pydantic", "requests", "rich", "sqlalchemy"} & set(loaded.stdout.split()) == set()


def test_the_extra_for_postgres_brings_what_the_default_install_lacks() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    default, extra = project["dependencies"], project["optional-dependencies"]["postgres"]
    assert [each for each in default if re.match("psycopg|procrastinate|dbos", each)] == []
    assert sorted(re.split(r"[\[>]", each)[0] for each in extra) == ["procrastinate", "psycopg"]


def test_the_packages_of_the_design_are_used() -> None:
    """The owner chose these: nothing replaces them, and each has work in the code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[\[>]", each)[0] for each in project["dependencies"]}
    modules = {
        "watchdog": "watchdog",
        "requests": "requests",
        "requests-toolbelt": "requests_toolbelt",
        "numpy-stl": "stl",
        "pydantic-settings": "pydantic_settings",
        "loguru": "loguru",
    }
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", "\n".join(map(_text, FILES)), re.M))
    assert modules.keys() <= names
    assert set(modules.values()) <= imported


def _text(file: Path) -> str:
    return file.read_text("utf-8")


def test_files_stay_small() -> None:
    lengths = {file: len(file.read_text("utf-8").splitlines()) for file in FILES}
    assert {str(file): length for file, length in lengths.items() if length > 350} == {}
    assert median(lengths.values()) <= 150
    assert quantiles(lengths.values(), n=10)[-1] <= 250


def test_functions_stay_small() -> None:
    lengths = {
        f"{file.relative_to(ROOT)}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for file in FILES
        for node in functions(file)
    }
    assert {name: length for name, length in lengths.items() if length > 60} == {}
    assert median(lengths.values()) <= 10


def test_names_mean_something() -> None:
    names = {file.stem for file in FILES}
    for file in FILES:
        for node in nodes_of(file):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
    assert {name for name in names - NAMES_OF_LIBRARIES if BANNED.search(name)} == set()


def names_after_raises(file: Path) -> Iterator[str]:
    """Yield the errors that docstrings name: words in camel case in a sentence that begins with Raises."""
    for node in nodes_of(file):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            sentences = re.findall(r"\bRaises? ([^.]*)", ast.get_docstring(node) or "")
            yield from re.findall(r"\b[A-Z][a-z]+[A-Z][A-Za-z]+\b", " ".join(sentences))


def test_docstrings_name_errors_that_exist() -> None:
    nodes = [node for file in FILES for node in nodes_of(file)]
    classes = {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    renamed = {node.asname for node in nodes if isinstance(node, ast.alias) and node.asname}
    known = classes | renamed | set(dir(builtins)) | ERRORS_OF_LIBRARIES
    assert {
        f"{file.name}: {name}" for file in FILES for name in names_after_raises(file) if name not in known
    } == set()


def test_the_repository_speaks_of_the_product_alone() -> None:
    words = re.compile(r"/wor[k]/|shared/note[s]|TODO|FIXME|XXX")
    texts = [*FILES, *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("rules/*.yaml")]
    assert [str(text) for text in texts if words.search(text.read_text("utf-8"))] == []


def test_the_files_with_a_browser_are_listed() -> None:
    found = {
        file for file in ROOT.glob("tests/*/test_*.py") if "pytest.mark.browser" in file.read_text("utf-8")
    }
    assert found == {ROOT / "tests" / name for name in WITH_BROWSER}
