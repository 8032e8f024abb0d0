"""The demo: a simulated Eiger and the service on this machine, without an account.

Its folder is removed afterwards, unless something went wrong or it holds files of the user.
"""

import json
import shlex
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

import click

from workflow.cli.output import json_option, print_json
from workflow.cli.param_types import OneOf, WholeNumber
from workflow.cli.run import stop_on_signals
from workflow.cli.watch import is_at_rest, poll_until, show_nothing
from workflow.errors import EXIT_INTERRUPTED, EXIT_OK, EXIT_SOME_FAILED
from workflow.model import Submission
from workflow.resources import resource_folder


def remove_demo_files(place: Path, samples: Iterable[Path]) -> bool:
    """Remove what a demo made, and nothing else; True if everything is removed.

    Copies of the samples, notes and folders are removed one by one: a file that is dropped at the last
    moment stays, with its folders.
    """
    from workflow.intake.share import MARKER
    from workflow.notes import is_note, is_picture
    from workflow.pipeline.status_page import is_status_page

    ours = {sample.read_bytes() for sample in samples}
    shutil.rmtree(place / "state", ignore_errors=True)
    (place / ".env").unlink(missing_ok=True)
    share = place / "share"
    for found in sorted(share.rglob("*"), key=lambda found: len(found.parts), reverse=True):
        with suppress(OSError):  # what can't be removed stays, and is told
            if stat.S_ISDIR(found.lstat().st_mode):
                found.rmdir()
            elif (
                found.name == MARKER
                or any(is_ours(found) for is_ours in (is_note, is_picture, is_status_page))
                or _is_sample_copy(found, ours)
            ):
                found.unlink()
    for folder in (share, place):
        with suppress(OSError):
            folder.rmdir()
    return not place.exists()


def _is_sample_copy(file: Path, contents: set[bytes]) -> bool:
    status = file.lstat()
    sizes = {len(content) for content in contents}
    return stat.S_ISREG(status.st_mode) and status.st_size in sizes and file.read_bytes() in contents


SAMPLES_TIMEOUT_SECONDS = 120.0
QUICK_SETTINGS = {
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
FetchSubmissions = Callable[[], Sequence[Submission]]
IsDone = Callable[[Sequence[Submission]], bool]


@click.command()
@click.option("--once", is_flag=True, help="End when every sample has ended.")
@click.option(
    "--builds",
    type=OneOf(["auto", "manual"]),
    default="auto",
    show_default=True,
    help="manual: someone has to make each build in the (simulated) cloud.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the share is made, and stays; without it, a temporary folder.",
)
@click.option(
    "--console-port",
    type=WholeNumber(0, 65535),
    default=8480,
    show_default=True,
    envvar="STLFLOW_CONSOLE_PORT",
    help="Where the web page is, or the next free port; 0: no page.",
)
@json_option
def demo(once: bool, builds: str, folder: Path | None, console_port: int, as_json: bool) -> int:
    """Run everything on this machine: no account needed.

    Starts a simulated Eiger and the service on a new share with the samples. Your settings are not used.
    The folders are removed at the end, unless something went wrong or they hold files of yours.
    """

    if folder is not None and folder.is_dir() and any(folder.iterdir()):
        raise click.UsageError(
            f"--folder names a new or an empty folder, and there is something in {folder}."
        )
    place = folder or Path(tempfile.mkdtemp(prefix="stlflow-demo-"))
    code = EXIT_SOME_FAILED
    try:
        code = _run_demo(place, once=once, builds=builds, console_port=console_port, as_json=as_json)
    finally:
        clean_up_demo(
            place,
            resource_folder("samples"),
            asked_for=folder is not None,
            went_wrong=code == EXIT_SOME_FAILED,
        )
    return code


def _run_demo(place: Path, *, once: bool, builds: str, console_port: int, as_json: bool) -> int:
    from workflow.assembly import running_service, start_logging
    from workflow.console import IfBusy, serving_console
    from workflow.operations import read_answers
    from workflow.settings import Settings
    from workflow.simulator import REALISTIC_QUIRKS, SimulatorOptions, running_simulator

    share, state, samples = place / "share", place / "state", resource_folder("samples")
    with running_simulator(
        SimulatorOptions(builds=builds, slice_seconds=1.0, quirks=REALISTIC_QUIRKS)
    ) as url:
        settings = Settings.model_validate(  # not those of the current folder, which may be a real shop's
            {"share": share, "state": state, "rules": resource_folder("rules") / "default.yaml",
             "eiger_url": url,
             "access_key": "demo", "secret_key": "demo", "console_port": console_port, **QUICK_SETTINGS}
        )  # fmt: skip
        stop = stop_on_signals()
        start_logging(settings, "ERROR" if sys.stderr.isatty() else "INFO")
        with (
            running_service(settings) as service,
            serving_console(settings, service.ledger, service.wake, if_busy=IfBusy.NEXT_PORT) as page,
        ):
            if page:
                _echo_stderr(f"What happens is shown at {page}")
            _echo_stderr(f"A simulated Eiger at {url}\nDrop STL files into {share / 'inbox'}")
            _write_settings(place, url)
            _echo_stderr(f"Ask from another terminal:\n  {_own_command()} -C {shlex.quote(str(place))} list")
            expected = _copy_samples(samples, share / "inbox")
            ended = _watch_table(service.submissions, stop, _samples_ended(set(expected)))
            _print_result(ended, expected, read_answers(service.ledger, settings, ended), as_json=as_json)
            if stop.is_set():
                return EXIT_INTERRUPTED
            if not once:
                _echo_stderr(
                    "All samples have ended. Drop your own files into the inbox; Ctrl-C ends the demo."
                )
                _watch_own_files(lambda: service.submissions()[len(ended) :], stop, as_json=as_json)
    return EXIT_OK if _as_expected(ended, expected) else EXIT_SOME_FAILED


def _own_command() -> str:
    """Return how a shell calls this program: by its place where `stlflow` is not in the search path."""
    if shutil.which("stlflow"):
        return "stlflow"
    program = Path(sys.argv[0])
    if program.stem == "stlflow" and program.is_file():
        return shlex.quote(str(program.absolute()))
    return f"{shlex.quote(sys.executable)} -m workflow"


def clean_up_demo(place: Path, samples: Path, *, asked_for: bool, went_wrong: bool) -> None:
    """Remove the folders, or say where they stay and why."""
    from loguru import logger

    logger.remove()  # the log is one of the files
    if not place.is_dir() or not any(place.iterdir()):  # it did not even begin
        if not asked_for:
            place.rmdir()
    elif asked_for:
        _echo_stderr(f"The folders stay at {place}")
    elif went_wrong:
        _echo_stderr(f"Something did not end as it should: the folders stay at {place}")
    elif remove_demo_files(place, samples.rglob("*.stl")):
        _echo_stderr("The folders of the demo are removed; --folder DIR would keep them.")
    else:
        _echo_stderr(f"Files of yours are in the folders: they stay at {place}")


def _write_settings(place: Path, url: str) -> None:
    """Write the settings with which commands in the folder ask about this demo."""
    keys = "STLFLOW_ACCESS_KEY=demo\nSTLFLOW_SECRET_KEY=demo\n"
    env = place / ".env"
    env.touch(0o600)
    env.write_text(f"{keys}STLFLOW_EIGER_URL={url}\nSTLFLOW_CONSOLE_PORT=0\n", "utf-8")


def _copy_samples(samples: Path, inbox: Path) -> Manifest:
    """Copy every sample into the inbox; returns what the manifest says, by path."""
    manifest = json.loads((samples / "manifest.json").read_text("utf-8"))
    expected = {entry["path"]: entry for entry in manifest["samples"]}
    for path in expected:
        (inbox / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(samples / path, inbox / path)
    return expected


def _samples_ended(paths: set[str]) -> IsDone:

    give_up_at = time.monotonic() + SAMPLES_TIMEOUT_SECONDS

    def enough(seen: Sequence[Submission]) -> bool:
        rested = {submission.path for submission in seen if is_at_rest(submission)}
        return paths <= rested or time.monotonic() > give_up_at

    return enough


def _never_done(_seen: Sequence[Submission]) -> bool:
    return False


def _watch_table(look: FetchSubmissions, stop: Event, enough: IsDone) -> Sequence[Submission]:
    """Show the table live on a terminal until all have ended or the user stops the demo."""
    from workflow.cli.submission_table import live_table

    def enough_or_stopped(seen: Sequence[Submission]) -> bool:
        return enough(seen) or stop.is_set()

    if not sys.stderr.isatty():
        return poll_until(look, enough_or_stopped, show_nothing, stop.wait)
    with live_table() as show:
        return poll_until(look, enough_or_stopped, show, stop.wait)


def _print_result(
    ended: Sequence[Submission], expected: Manifest, answers: Mapping[int, Any], *, as_json: bool
) -> None:
    from workflow.cli.submission_output import submission_row
    from workflow.cli.submission_table import counts_text, print_submissions_table

    ok = _as_expected(ended, expected)
    if as_json:
        print_json({"submissions": [submission_row(submission) for submission in ended], "ok": ok})
        return
    print_submissions_table(ended, answers)
    click.echo(
        f"{counts_text(ended)}. {'Each ended as it should.' if ok else 'Not each ended as it should.'}"
    )


def _watch_own_files(look: FetchSubmissions, stop: Event, *, as_json: bool) -> None:
    """Show what people drop, until they stop the demo."""
    from workflow.cli.submission_table import print_submissions_table

    seen = _watch_table(look, stop, _never_done)
    if seen and not as_json:
        print_submissions_table(seen)


def _as_expected(ended: Sequence[Submission], expected: Manifest) -> bool:
    by_path = {submission.path: submission for submission in ended}
    return all(
        path in by_path and _matches_manifest(by_path[path], entry) for path, entry in expected.items()
    )


def _matches_manifest(submission: Submission, entry: dict[str, Any]) -> bool:
    destination = submission.destination.value if submission.destination else None
    return (
        submission.state.value == entry["state"]
        and submission.preset == entry["preset"]
        and destination == entry["destination"]
        and (entry["reason"] or "") in (submission.reason or "")
    )


def _echo_stderr(text: str) -> None:
    click.echo(text, err=True)
