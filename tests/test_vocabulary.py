"""Names and sentences keep to the glossary: one word for one concept, and the field's word for it."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.test_architecture import FILES, PACKAGE, ROOT

GLOSSARY = ROOT / "docs" / "architecture.md"
PLAIN_NOUNS = ROOT / "tests" / "vocabulary.txt"
"""The field's words and plain English beside the glossary's; a new one is added on purpose, in one line."""
RETIRED = {
    "allotment", "closedness", "confirm_told", "crew", "crowd", "custody", "desk",
    "feedback", "greeting", "hearsay", "hindsight", "hints", "journey", "keeper", "listening", "looker",
    "marks", "oddity", "oddities", "patience", "shelf", "shop", "sight", "stranger", "strangers", "things",
    "trial", "trials", "twin", "twins", "upkeep", "waitlist", "workshop",
}  # fmt: skip
"""Words of earlier releases, each with a standard word in its place."""
DIALECT = re.compile(r'"""(Give|Tell|Look)s? |\b(anew|by and by|somebody|whoever|in hands)\b')
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")


def words_of(name: str) -> set[str]:
    """Return the words of a snake_case or CamelCase name in lower case."""
    return {word.lower() for word in _WORD.findall(name)}


def glossary() -> set[str]:
    """Return the words in the first column of the glossary."""
    section = GLOSSARY.read_text("utf-8").split("\n## Glossary\n")[1].split("\n## ")[0]
    terms = re.findall(r"^\| ([\w -]+) \| ", section, re.MULTILINE)
    return {word for term in terms[1:] for word in words_of(term)}


@cache
def definitions() -> tuple[tuple[str, type[ast.AST], str], ...]:
    """Return where each definition is, its kind and its name."""
    return tuple(
        (str(file.relative_to(PACKAGE)), type(node), getattr(node, "name", ""))
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    )


def names(kinds: tuple[type[ast.AST], ...]) -> Iterator[tuple[str, str]]:
    """Yield where each file, and each definition of these kinds, is, and its name."""
    for file in FILES:
        if file.stem not in {"__init__", "__main__"}:
            yield str(file.relative_to(PACKAGE)), file.stem
    yield from ((place, name) for place, kind, name in definitions() if kind in kinds)


def test_the_glossary_has_about_forty_words() -> None:
    section = GLOSSARY.read_text("utf-8").split("\n## Glossary\n")[1].split("\n## ")[0]
    terms = re.findall(r"^\| ([\w -]+) \| ", section, re.MULTILINE)[1:]
    assert terms == sorted(terms)
    assert 35 <= len(terms) <= 60


def test_files_and_classes_are_named_with_known_words() -> None:
    known = glossary() | set(PLAIN_NOUNS.read_text("utf-8").split())
    plural = {f"{word}s" for word in known} | {word.removesuffix("s") for word in known}
    unknown = {
        f"{place}: {name}: {word}"
        for place, name in names((ast.ClassDef,))
        for word in words_of(name)
        if word not in known | plural
    }
    assert unknown == set(), "use a word of the glossary, or add the plain noun to tests/vocabulary.txt"


def test_retired_words_name_nothing() -> None:
    used = {
        f"{place}: {name}"
        for place, name in names((ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        if words_of(name) & RETIRED
    }
    assert used == set()


def test_plain_nouns_are_used_and_sorted() -> None:
    listed = PLAIN_NOUNS.read_text("utf-8").split()
    assert listed == sorted(set(listed))
    used = {word for _, name in names((ast.ClassDef,)) for word in words_of(name)}
    assert [word for word in listed if not {word, f"{word}s", word.removesuffix("s")} & used] == []


def test_sentences_are_plain() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{at}: {line.strip()}"
        for file in [*FILES, ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
        for at, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if DIALECT.search(line)
    ]
    assert wrong == []


def test_docstrings_of_tests_begin_with_what_comes_out() -> None:
    wrong = re.compile(r'^\s*"""(Give|Tell|Look)s? ', re.M)
    files = sorted((ROOT / "tests").rglob("*.py"))
    assert [str(file) for file in files if wrong.search(file.read_text("utf-8"))] == []
