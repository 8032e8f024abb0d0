"""What the documents say besides commands: rules, settings, exit codes, events, states, places."""

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.docs.blocks import DOCUMENTS, ROOT, Block, blocks
from workflow import errors
from workflow.errors import EXIT_INTERRUPTED
from workflow.mesh.warnings import MeshWarningKind
from workflow.model import UNUSED_STATES, EventKind, HoldReason, SubmissionEvent, SubmissionState
from workflow.routing import evaluate_rule_tests, parse_rules
from workflow.settings import NOTICES, SETTINGS_FILE, load_settings

README = ROOT / "README.md"
SCRIPTS = ROOT / "docs" / "scripts.md"
OPERATIONS = ROOT / "docs" / "operations.md"
_PLACE = re.compile(r"`((?:workflow|tests|docs|rules|samples|\.ci)/[\w./-]*)`")
_LINK = re.compile(r"\[[^\]]+\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_rules_in_the_documents_load_and_pass_their_tests(block: Block) -> None:
    rulebook = parse_rules(block.text, str(block))
    assert rulebook.warnings == ()
    assert [outcome for outcome in evaluate_rule_tests(rulebook) if not outcome.passed] == []


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_settings_in_the_documents_are_settings(block: Block) -> None:
    SETTINGS_FILE.write_text(block.text, "utf-8")
    settings = load_settings()
    for name, value in tomllib.loads(block.text).items():
        setting = getattr(settings, name)
        if name == NOTICES:
            assert settings.notices.model_dump(exclude_unset=True).keys() == value.keys()
            continue
        assert setting == (Path(value) if isinstance(setting, Path) else value)


def test_every_exit_code_is_explained() -> None:
    explained = {int(code) for code in re.findall(r"^\| (\d+) \| ", SCRIPTS.read_text("utf-8"), re.MULTILINE)}
    codes = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert explained == codes | {EXIT_INTERRUPTED}


def test_every_event_is_explained() -> None:
    labels = {SubmissionEvent(datetime.now(UTC), str(event), "").label for event in EventKind}
    assert first_column("Events") == labels


def test_every_event_is_written_somewhere() -> None:
    code = "".join(file.read_text("utf-8") for file in (ROOT / "workflow").rglob("*.py"))
    assert {event for event in EventKind if f"EventKind.{event.name}" not in code} == set()


def test_every_state_and_every_reason_to_hold_is_explained() -> None:
    reached = {str(state) for state in set(SubmissionState) - UNUSED_STATES}
    assert first_column("States") == reached
    assert first_column("Why something is held") == {str(hold) for hold in HoldReason}


def test_every_oddity_of_a_mesh_is_explained() -> None:
    text = (ROOT / "docs" / "meshes.md").read_text("utf-8")
    explained = re.findall(r"^\| `(\w+)` \| [^|]+ \|$", text, re.MULTILINE)
    assert explained == list(MeshWarningKind)


def test_the_readme_is_short() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= 200


def test_ci_executes_the_two_lines_of_the_readme() -> None:
    """CI cuts both lines out of the README, so its patterns have to match exactly one line each."""
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    lines = README.read_text("utf-8").splitlines()
    demo = [line for line in lines if re.fullmatch(r"python3 -m venv .* && \S+stlflow demo", line)]
    tests = [line for line in lines if re.fullmatch(r"python3 -m venv .* && \S+pytest", line)]
    assert (len(demo), len(tests)) == (1, 1)
    assert "grep -xE 'python3 -m venv .* && \\S+stlflow demo' README.md" in ci
    assert "grep -xE 'python3 -m venv .* && \\S+pytest' README.md" in ci


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_places_and_links_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    links = [document.parent / target for target in _LINK.findall(text)]
    places = [ROOT / place for place in _PLACE.findall(text)]
    assert [str(place) for place in (*links, *places) if not place.exists()] == []


def test_every_file_to_open_first_exists() -> None:
    rows = re.findall(
        r"^\| `(workflow/\w+)` \| (.+) \|$", (ROOT / "docs/architecture.md").read_text("utf-8"), re.M
    )
    named = [ROOT / room / name for room, text in rows for name in re.findall(r"`(\w+\.py)`", text)]
    assert named
    assert [str(file) for file in named if not file.is_file()] == []


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.split(r"[\[<>=]", requirement)[0] for requirement in project["dependencies"]}
    table = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    assert set(re.findall(r"^\| ([\w.-]+) \| ", table, re.MULTILINE)) - {"package"} == needed


def first_column(heading: str) -> set[str]:
    """Return the code words in the first column of the table under a heading of the operations page."""
    section = OPERATIONS.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return {
        word
        for cell in re.findall(r"^\| (`[^|]+) \|", section, re.M)
        for word in re.findall(r"`([^`]+)`", cell)
    }
