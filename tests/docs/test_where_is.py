"""A newcomer's questions: a word typed into the file search leads to the file that has the answer."""

from typing import NamedTuple

import pytest

from tests.docs.blocks import ROOT

MAX_HITS = 3
"""So many files may bear the word; more is a search, not an answer."""


class Question(NamedTuple):
    """Where is …? `word` is what a newcomer would type, `file` has the answer, `holds` is in it."""

    where_is: str
    word: str
    file: str
    holds: str


QUESTIONS = (
    Question("a file considered stable?", "stability", "intake/stability.py", "def "),
    Question("the retry policy of a call?", "retry", "eiger/retry.py", "class RetryPolicy"),
    Question("the backoff of a failed step?", "retry", "pipeline/retry.py", "backoff"),
    Question("a due date computed?", "due", "routing/due.py", "class DueDate"),
    Question("watertightness tested?", "watertight", "mesh/watertight.py", "def "),
    Question("the rate limit?", "rate_limit", "eiger/rate_limit.py", "class RateLimiter"),
    Question("a fact defined?", "facts", "routing/facts.py", "class Fact"),
    Question("a mesh warning defined?", "warnings", "mesh/warnings.py", "class MeshWarningKind"),
    Question("a setting defined?", "settings", "settings/model.py", "class Settings"),
    Question("the text of a note?", "notes", "notes/text.py", "def "),
    Question("the intent of a send recorded?", "sends", "ledger/sends.py", "intent"),
    Question("a send reconciled with the cloud?", "reconcile", "pipeline/reconcile.py", "def "),
    Question("a mass arrival stopped?", "mass_arrival", "intake/mass_arrival.py", "class "),
    Question("the rules file reloaded?", "live_rules", "pipeline/live_rules.py", "class "),
    Question("a duplicate recognized?", "duplicates", "pipeline/duplicates.py", "def "),
    Question("old data deleted?", "retention", "pipeline/retention.py", "def "),
    Question("a crash recovered from?", "recovery", "pipeline/recovery.py", "def "),
    Question("a state change allowed?", "transitions", "pipeline/transitions.py", "def "),
    Question("a printer chosen?", "choose_device", "routing/choose_device.py", "def choose_device"),
    Question("a command of an operator carried out?", "commands", "pipeline/commands.py", "def release"),
    Question("the build of an upload found?", "find_build", "pipeline/find_build.py", "def find_build"),
    Question("a name in the inbox classified?", "name_patterns", "intake/name_patterns.py", "class "),
    Question("an upload streamed?", "request_body", "eiger/request_body.py", "class "),
    Question("an unreachable rule detected?", "unreachable", "routing/unreachable.py", "def "),
    Question("a printed picture of a mesh drawn?", "picture", "mesh/picture.py", "def draw"),
)


def files_named(word: str) -> list[str]:
    """Return the files, relative to the package, whose own name or folder has the word."""
    package = ROOT / "workflow"
    found = (file.relative_to(package) for file in sorted(package.rglob("*.py")))
    return [str(file) for file in found if word in file.stem or word in file.parts[:-1]]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.where_is)
def test_the_name_leads_to_the_answer(question: Question) -> None:
    hits = files_named(question.word)
    assert question.file in hits
    in_folder = question.file.startswith(f"{question.word}/")
    assert in_folder or len([hit for hit in hits if question.word in hit.split("/")[-1]]) <= MAX_HITS
    assert question.holds in (ROOT / "workflow" / question.file).read_text("utf-8")
