"""The whole thing on this machine, without an account."""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import click

from workflow.cli.output import as_json, print_json
from workflow.cli.typed import OneOf
from workflow.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_SOME_FAILED
from workflow.model import Submission

LIMIT_SECONDS = 120.0
QUICK = {
    "settle_seconds": 0.3,
    "settle_ascii_seconds": 1.0,
    "settle_wrong_seconds": 1.0,
    "stall_seconds": 2.0,
    "sweep_seconds": 0.5,
    "slice_first_poll_seconds": 0.3,
    "build_wait_seconds": 5.0,
    "requests_per_second": 100.0,
}
"""A demo has no slow writers and no cloud to be gentle with."""

Manifest = dict[str, dict[str, Any]]
Look = Callable[[], Sequence[Submission]]
Enough = Callable[[Sequence[Submission]], bool]


@click.command()
@click.option("--once", is_flag=True, help="End when every sample has ended.")
@click.option(
    "--builds",
    type=OneOf(["auto", "manual"]),
    default="auto",
    show_default=True,
    help="manual: somebody has to make each build in the (simulated) cloud.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the share is made, and stays; without it, a temporary folder.",
)
@as_json
def demo(once: bool, builds: str, folder: Path | None, as_json: bool) -> int:  # fmt: skip
    """Run everything on this machine: no account needed.

    A simulated Eiger and the service, over a fresh share with the samples; settings do not count. The
    folders are removed at the end, unless something went wrong, or files of yours are in them.
    """
    from workflow.shipped import shipped

    if folder is not None and folder.is_dir() and any(folder.iterdir()):
        raise click.UsageError(
            f"--folder names a new or an empty folder, and there is something in {folder}."
        )
    place = folder or Path(tempfile.mkdtemp(prefix="stlflow-demo-"))
    code = EXIT_SOME_FAILED
    try:
        code = _play(place, once=once, builds=builds, as_json=as_json)
    finally:
        leave(place, shipped("samples"), asked_for=folder is not None, went_wrong=code == EXIT_SOME_FAILED)
    return code


def _play(place: Path, *, once: bool, builds: str, as_json: bool) -> int:
    from workflow.assembly import running_service
    from workflow.cli.logbook import open_logbook
    from workflow.cli.run import stop_on_signals
    from workflow.settings import Settings
    from workflow.shipped import shipped
    from workflow.simulator import REALISTIC, SimulatorOptions, running

    share, state, samples = place / "share", place / "state", shipped("samples")
    with running(SimulatorOptions(builds=builds, slice_seconds=1.0, quirks=REALISTIC)) as url:
        settings = Settings.model_validate(  # not those of the current folder, which may be a real shop's
            {"share": share, "state": state, "rules": shipped("rules") / "default.yaml", "eiger_url": url,
             "access_key": "demo", "secret_key": "demo", **QUICK}
        )  # fmt: skip
        stop = stop_on_signals()
        open_logbook(settings, "ERROR" if sys.stderr.isatty() else "INFO")
        with running_service(settings) as service:
            _say(f"A simulated Eiger at {url}\nDrop STL files into {share / 'inbox'}")
            expected = _drop(samples, share / "inbox")
            ended = _watch(service.submissions, stop, _all_ended(set(expected)))
            _print_result(ended, expected, as_json=as_json)
            if stop.is_set():
                return EXIT_INTERRUPTED
            if not once:
                _say("All samples have ended. Drop your own files into the inbox; Ctrl-C ends the demo.")
                _follow(lambda: service.submissions()[len(ended) :], stop, as_json=as_json)
    return EXIT_OK if _as_expected(ended, expected) else EXIT_SOME_FAILED


def leave(place: Path, samples: Path, *, asked_for: bool, went_wrong: bool) -> None:
    """Remove the folders, or say where they stay and why."""
    from loguru import logger

    from workflow.cli.demo_folder import clear

    logger.remove()  # the log is one of the files
    if not place.is_dir() or not any(place.iterdir()):  # it did not even begin
        if not asked_for:
            place.rmdir()
    elif asked_for:
        _say(f"The folders stay at {place}")
    elif went_wrong:
        _say(f"Something did not end as it should: the folders stay at {place}")
    elif clear(place, samples.rglob("*.stl")):
        _say("The folders of the demo are removed; --folder DIR would keep them.")
    else:
        _say(f"Files of yours are in the folders: they stay at {place}")


def _drop(samples: Path, inbox: Path) -> Manifest:
    """Copy every sample into the inbox; gives what the manifest says, by path."""
    manifest = json.loads((samples / "manifest.json").read_text("utf-8"))
    expected = {entry["path"]: entry for entry in manifest["samples"]}
    for path in expected:
        (inbox / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(samples / path, inbox / path)
    return expected


def _all_ended(paths: set[str]) -> Enough:
    from workflow.cli.watching import at_rest

    give_up_at = time.monotonic() + LIMIT_SECONDS

    def enough(seen: Sequence[Submission]) -> bool:
        rested = {submission.path for submission in seen if at_rest(submission)}
        return paths <= rested or time.monotonic() > give_up_at

    return enough


def _never(_seen: Sequence[Submission]) -> bool:
    return False


def _watch(look: Look, stop: Event, enough: Enough) -> Sequence[Submission]:
    """Show the table live on a terminal until it is enough, or somebody stops it."""
    from workflow.cli.table import live_table
    from workflow.cli.watching import show_nothing, watch

    def enough_or_stopped(seen: Sequence[Submission]) -> bool:
        return enough(seen) or stop.is_set()

    if not sys.stderr.isatty():
        return watch(look, enough_or_stopped, show_nothing, stop.wait)
    with live_table() as show:
        return watch(look, enough_or_stopped, show, stop.wait)


def _print_result(ended: Sequence[Submission], expected: Manifest, *, as_json: bool) -> None:
    from workflow.cli.table import print_table, row

    if as_json:
        ok = _as_expected(ended, expected)
        print_json({"submissions": [row(submission) for submission in ended], "ok": ok})
    else:
        print_table(ended)


def _follow(look: Look, stop: Event, *, as_json: bool) -> None:
    """Show what people drop, until they stop the demo."""
    from workflow.cli.table import print_table

    seen = _watch(look, stop, _never)
    if seen and not as_json:
        print_table(seen)


def _as_expected(ended: Sequence[Submission], expected: Manifest) -> bool:
    by_path = {submission.path: submission for submission in ended}
    return all(path in by_path and _matches(by_path[path], entry) for path, entry in expected.items())


def _matches(submission: Submission, entry: dict[str, Any]) -> bool:
    destination = submission.destination.value if submission.destination else None
    return (
        submission.state.value == entry["state"]
        and submission.preset == entry["preset"]
        and destination == entry["destination"]
        and (entry["reason"] or "") in (submission.reason or "")
    )


def _say(text: str) -> None:
    click.echo(text, err=True)
