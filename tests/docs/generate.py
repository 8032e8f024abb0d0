"""The parts of the documents that are made from the code: `python -m tests.docs.generate` rewrites them.

They stand between `<!-- generated: NAME -->` and `<!-- end of NAME -->`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from tests.docs.blocks import DOCUMENTS
from workflow.cli.app import stlflow
from workflow.doctor import all_checks
from workflow.intake import list_name_patterns
from workflow.model import ALLOWED_TRANSITIONS, UNUSED_STATES, SubmissionState
from workflow.routing import FACT_TABLE, DecisionStage
from workflow.settings import ENV_PREFIX, NoticeSettings, NoticeTarget, Settings

HELP_WIDTH = 96
FIRST_SETTINGS = (
    "share", "state", "rules", "database_url", "eiger_url", "access_key", "secret_key",
    "read_only_inbox", "mass_arrival_files", "largest_hole_mm", "slice_limit_seconds", "log_level",
)  # fmt: skip
"""What a newcomer looks for; docs/settings.md has them all."""
_PART = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n).*?(<!-- end of (?P=name) -->)", re.DOTALL)


def regenerated(document: Path) -> str:
    """Return the document with its generated parts made anew."""
    return _PART.sub(
        lambda found: f"{found[1]}{PARTS[found['name']]()}\n{found[3]}", document.read_text("utf-8")
    )


def every_command(
    command: click.Command = stlflow, name: str = "stlflow", parent: click.Context | None = None
) -> Iterator[click.Context]:
    """Return every command with its full name as a context, groups before what is in them."""
    context = click.Context(
        command, parent, info_name=name, **{**command.context_settings, "terminal_width": HELP_WIDTH}
    )
    yield context
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            yield from every_command(command.commands[each], each, context)


def _settings_in_short() -> str:
    rows = (
        f"| `{name}` | {_default(Settings.model_fields[name])} | {Settings.model_fields[name].description} |"
        for name in FIRST_SETTINGS
    )
    return "\n".join(("| setting | default | what |", "|---|---|---|", *rows))


def _settings_in_full() -> str:
    main = [name for name in Settings.model_fields if name in Settings.__annotations__]
    by_topic = [name for name in Settings.model_fields if name not in main]
    rows = (
        f"| `{name}` | `{ENV_PREFIX}{name.upper()}` | {_kind(field)} | {_default(field)} "
        f"| {field.description} |"
        for name, field in ((name, Settings.model_fields[name]) for name in (*main, *by_topic))
    )
    return "\n".join(
        ("| in `stlflow.toml` | in the environment | kind | default | what |", "|---|---|---|---|---|", *rows)
    )


def _notices() -> str:
    parts = (("notices", NoticeSettings), ("notices.targets.NAME", NoticeTarget))
    rows = (
        f"| `[{table}]` | `{name}` | {_default(field)} | {field.description} |"
        for table, model in parts
        for name, field in model.model_fields.items()
    )
    return "\n".join(("| table | setting | default | what |", "|---|---|---|---|", *rows))


def _facts(stage: DecisionStage) -> str:
    rows = (
        f"| `{fact.name}` | {fact.kind} | {fact.unit} | {fact.source} | {fact.known} | `{fact.example}` "
        f"| {f'`{fact.default}`' if fact.default else '-'} |"
        for fact in FACT_TABLE
        if fact.stage is stage
    )
    return "\n".join(
        ("| fact | kind | unit | from | known | example | in tests |", "|---|---|---|---|---|---|---|", *rows)
    )


def _names() -> str:
    rows = (
        f"| {becomes} | {', '.join(f'`{pattern}`' for pattern in patterns)} |"
        for becomes, patterns in list_name_patterns().items()
    )
    return "\n".join(("| what happens | names |", "|---|---|", *rows))


def _checks() -> str:
    rows = (f"| `{check.name}` | {check.asks} |" for check in all_checks())
    return "\n".join(("| check | what it checks |", "|---|---|", *rows))


def _states() -> str:
    changes = (
        f"    {before} --> {after}"
        for before, following in ALLOWED_TRANSITIONS.items()
        for after in SubmissionState
        if after in following and not {before, after} & UNUSED_STATES
    )
    return "\n".join(
        ("```mermaid", "stateDiagram-v2", f"    [*] --> {SubmissionState.CLAIMED}", *changes, "```")
    )


def _command_help() -> str:
    return "\n\n".join(
        f"## {context.command_path}\n\n```text\n{context.get_help()}\n```" for context in every_command()
    )


def _default(field: FieldInfo) -> str:
    value = field.get_default()
    if isinstance(value, SecretStr) or value is None or value == {}:
        return ""
    if isinstance(value, tuple):
        return f"`{', '.join(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _kind(field: FieldInfo) -> str:
    kinds = {Path: "path", str: "text", SecretStr: "secret", float: "number", int: "whole number"}
    kind = "true/false" if field.annotation is bool else kinds.get(_plain(field), "text")
    signs = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    limits = [
        f"{sign} {limit:g}"
        for bound in field.metadata
        for name, sign in signs.items()
        if (limit := getattr(bound, name, None)) is not None
    ]
    return ", ".join((kind, *limits))


def _plain(field: FieldInfo) -> type:
    """Return the type without `| None`."""
    annotation = field.annotation
    inner = [each for each in getattr(annotation, "__args__", ()) if each is not type(None)]
    plain = inner[0] if inner else annotation
    return plain if isinstance(plain, type) else str


PARTS: Mapping[str, Callable[[], str]] = {
    "settings-in-short": _settings_in_short,
    "settings": _settings_in_full,
    "notices": _notices,
    "facts-before-upload": lambda: _facts(DecisionStage.INTAKE),
    "facts-after-slicing": lambda: _facts(DecisionStage.ROUTING),
    "names": _names,
    "checks": _checks,
    "states": _states,
    "commands": _command_help,
}

if __name__ == "__main__":
    for each in DOCUMENTS:
        each.write_text(regenerated(each), "utf-8")
