"""The documents as tests see them: fenced blocks, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

INSTALL = "python3 -m venv .venv && .venv/bin/pip install --no-compile . && .venv/bin/"
"""What precedes the command in the README's first block. Tests execute the command, CI the whole line."""
_FENCE = re.compile(
    r"(?:^<!-- not executed: (?P<reason>[^>]+) -->\n\s*)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_EXIT_CODE = re.compile(r"#\s*exit code (\d)")


@dataclass(frozen=True)
class Block:
    """One fenced block; `reason` says why it is not executed, None when it is."""

    document: Path
    line: int
    language: str
    text: str
    reason: str | None
    follows: bool
    """Nothing but blank lines stands between the block before and this one."""

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One line that begins with `stlflow`, and the block right after it that shows what it prints."""

    place: str
    words: tuple[str, ...]
    exit_code: int
    shown: Block | None

    @property
    def verb(self) -> str:
        """What `stlflow` is asked to do; empty for another program."""
        return self.words[1] if self.words[0] == "stlflow" and len(self.words) > 1 else ""

    def __str__(self) -> str:
        return f"{self.place} {shlex.join(self.words)}"


def blocks(*languages: str) -> list[Block]:
    """Return the blocks of these languages in all documents."""
    return [block for document in DOCUMENTS for block in _blocks_of(document) if block.language in languages]


def commands() -> list[Command]:
    """Return every command of every `sh` block that is not marked as not executed."""
    return [
        command
        for document in DOCUMENTS
        for block, after in pairwise([*_blocks_of(document), None])
        if block is not None and block.language == "sh" and block.reason is None
        for command in _commands_of(block, after)
    ]


def _blocks_of(document: Path) -> Iterator[Block]:
    whole, end = document.read_text("utf-8"), 0
    for found in _FENCE.finditer(whole):
        line = whole.count("\n", 0, found.start("text"))
        follows = not whole[end : found.start()].strip()
        yield Block(document, line, found["language"], found["text"], found["reason"], follows)
        end = found.end()


def _commands_of(block: Block, after: Block | None) -> Iterator[Command]:
    lines = [
        (at, line)
        for at, line in enumerate(block.text.splitlines(), block.line + 1)
        if line.strip() and not line.startswith("#")
    ]
    shown = after if after is not None and after.follows and after.language in {"text", "json"} else None
    for at, line in lines:
        expected = _EXIT_CODE.search(line)
        yield Command(
            place=f"{block.document.relative_to(ROOT)}:{at}",
            words=tuple(shlex.split(line.removeprefix(INSTALL), comments=True)),
            exit_code=int(expected[1]) if expected else 0,
            shown=shown if at == lines[-1][0] else None,
        )
