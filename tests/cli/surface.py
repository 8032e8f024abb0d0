"""What scripts may rely on: commands, settings, JSON keys and exit codes, as the code has them now.

`python -m tests.cli.surface` prints it; `surface.json` is that of the first release that people had.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr

from tests.cli.command import Desk, Ended
from tests.cloud import simulated
from tests.stl import box, open_box
from tests.waiting import until
from workflow.cli.app import stlflow
from workflow.settings import Settings

Say = Callable[..., Ended]
FILES = {
    "small.stl": box(1, 0.5, 0.5),
    "lid.stl": box(30, 20, 10),
    "page.stl": b"<!DOCTYPE html><html></html>",
}
EIGER = (
    "builds list", "builds approved", "devices list", "parts presets", "print-jobs list",
    "printed-parts list", "users list",
)  # fmt: skip
TYPED = (
    "--version", "list", "list --state held", "list --state none", "show 1", "show 99", "show x", "retry 99",
    "release 99", "cancel 99", "attach 1 x", "settle 1", "check lid.stl", "check page.stl",
    "check nowhere.stl", "doctor", "init shop", "workers", "move-ledger", "intake accept",
    "intake explain lid.stl", "rules check broken.yaml", "rules check shop/rules/default.yaml",
    "rules test shop/rules/default.yaml", "rules schema", "eiger devices list", "eiger devices show none",
    "eiger devices print --yes x y", "service show --kind systemd", "batch nowhere", "nonsense",
)  # fmt: skip
FAILING = (
    ("eiger devices list", "STLFLOW_SECRET_KEY", "wrong"),
    ("eiger devices list", "STLFLOW_EIGER_URL", "http://127.0.0.1:9/api/v3"),
    ("list", "STLFLOW_SETTLE_SECONDS", "soon"),
    ("list", "STLFLOW_SETLE_SECONDS", "1"),
    ("run", "STLFLOW_RULES", "broken.yaml"),
    ("run", "STLFLOW_SECRET_KEY", "wrong"),
)
SHOWN = {"builds list": "builds show", "devices list": "devices show", "print-jobs list": "print-jobs show"}


def commands() -> dict[str, str]:
    """Return the arguments and options of every command, by its full name."""
    return {
        name: " ".join(sorted(word for parameter in command.params for word in _words(parameter)))
        for name, command in _walk(stlflow, "stlflow")
    }


def settings() -> dict[str, Any]:
    """Return the default of every setting."""
    return {name: _plain(field.get_default()) for name, field in Settings.model_fields.items()}


def used(desk: Desk, say: Say) -> tuple[dict[str, str], dict[str, int]]:
    """Return the keys of every JSON document, as paths, and exit codes, after three files went their way.

    `say` runs a command in the desk's folder; a failure to reach the cloud takes a process of its own.
    """
    (desk.share / "inbox").mkdir(parents=True)
    for name, content in FILES.items():
        desk.drop(name, content)
        (desk.folder / name).write_bytes(content)
    (desk.folder / "broken.yaml").write_text("version: 1\nintake: 7\n")
    with desk.serving() as service:
        assert until(lambda: len(desk.stls()) == 3 and "done/lid.stl" in desk.stls(), 90), service.said()
        documents = dict(_documents(desk, say))
        service.stop()
    (desk.folder / "parts").mkdir()
    (desk.folder / "parts" / "gap.stl").write_bytes(open_box())
    documents["batch"] = desk.run("batch", "parts", "--json").document()
    keys = {name: " ".join(sorted(set(key_paths(each)))) for name, each in sorted(documents.items())}
    codes = {words: say(*words.split()).code for words in TYPED}
    return keys, codes | {
        f"{words}, {name} {value}": desk.run(*words.split(), **{name: value}).code
        for words, name, value in FAILING
    }


def key_paths(document: Any, above: str = "") -> Iterator[str]:
    """Return every key with the keys above it; `[]` is any entry of a list."""
    if isinstance(document, dict):
        for key, inner in document.items():
            place = f"{above}.{key}" if above else key
            yield place
            yield from key_paths(inner, place)
    if isinstance(document, list):
        for inner in document:
            yield from key_paths(inner, f"{above}[]")


def _documents(desk: Desk, say: Say) -> Iterator[tuple[str, Any]]:
    numbers = {each.path: str(each.id) for each in desk.submissions().values()}
    (desk.share / "inbox" / "part.step").write_text("ISO-10303-21;")
    asked = {
        "list": ("list",),
        "show": ("show", numbers["lid.stl"]),
        "show, held": ("show", numbers["small.stl"]),
        "check": ("check", "lid.stl", "page.stl"),
        "workers": ("workers",),
        "doctor": ("doctor",),
        "intake explain": ("intake", "explain", "part.step"),
        "rules explain": ("rules", "explain", "lid.stl"),
        "rules explain, of a submission": ("rules", "explain", numbers["lid.stl"]),
        "rules replay": ("rules", "replay"),
        **{f"eiger {each}": ("eiger", *each.split()) for each in EIGER},
    }
    for name, words in asked.items():
        document = say(*words, "--json").document()
        yield name, document
        if each := SHOWN.get(name.removeprefix("eiger ")):
            shown = say("eiger", *each.split(), document[0]["id"], "--json")
            yield f"eiger {each}", shown.document()


def _walk(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            inner = command.get_command(context, each)
            assert inner is not None
            yield from _walk(inner, f"{name} {each}")


def _words(parameter: click.Parameter) -> Iterator[str]:
    if isinstance(parameter, click.Option):
        yield from (*parameter.opts, *parameter.secondary_opts)
    else:
        yield str(parameter.name)


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return ""
    return str(value) if isinstance(value, Path) else value


def collect(folder: Path, url: str) -> dict[str, Any]:
    """Return all of it; the service runs in a folder of its own, on a simulated cloud."""
    desk = Desk(folder, url)
    keys, codes = used(desk, desk.run)
    return {"commands": commands(), "settings": settings(), "json": keys, "exit_codes": codes}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, simulated() as cloud:
        json.dump(collect(Path(folder), cloud.url), sys.stdout, indent=1)
