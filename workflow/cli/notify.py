"""`stlflow notify`: test messages, and who would hear of a file."""

from typing import Any

import click

from workflow.cli.param_types import find_submission_number
from workflow.errors import EXIT_OK, EXIT_SOME_FAILED
from workflow.model import TOLD_EVENTS, EventKind, Notice, NoticeEvent
from workflow.suggest import nearest_option


@click.group()
def notify() -> None:
    """Test the notices, and see who hears of what."""


@notify.command("test")
@click.argument("target", required=False)
def send_test(target: str | None) -> int:
    """Send an example of each event to TARGET, or to every target.

    A target gets the events that it hears of. TARGET may be an e-mail address. The secret in an address is
    never shown.
    """
    from uuid import uuid4

    from workflow.assembly import open_ledger
    from workflow.eiger import network_of, proxy_for
    from workflow.operations import notice_composer
    from workflow.pipeline.context import now
    from workflow.pipeline.notice_examples import send_examples
    from workflow.settings import load_settings

    settings = load_settings()
    composer = notice_composer(settings, open_ledger(settings))
    failed = False
    for name in [target] if target else [*settings.notices.targets]:
        found = _known_target(settings.notices, name)
        network = network_of(settings)
        way = network.ca_bundle, proxy_for(network, found.address.get_secret_value())
        for event, problem in send_examples(name, found, composer, now(), lambda: uuid4().hex, *way):
            failed = failed or bool(problem)
            click.echo(
                f"{name} ({found.channel})  {event:<12}  {f'FAILED: {problem}' if problem else 'sent'}"
            )
    if not settings.notices.targets and target is None:
        click.echo("No target is set: nobody hears of anything. See docs/notices.md.")
    return EXIT_SOME_FAILED if failed else EXIT_OK


@notify.command("show")
@click.argument("file")
def show_recipients(file: str) -> None:
    """Show who would hear of FILE.

    FILE is a path below the inbox, or the number of a submission. Of a submission, the message about its last
    event is shown, too. Nothing is sent.
    """
    from workflow.assembly import open_ledger
    from workflow.notices import TROUBLES, find_recipients
    from workflow.operations import file_origin, notice_composer
    from workflow.settings import load_settings

    settings = load_settings()
    composer = notice_composer(settings, open_ledger(settings))
    number = find_submission_number(file)
    submission = None if number is None else composer.ledger.get(number)
    origin = composer.origin(submission) if submission else file_origin(settings, composer, file)
    for event in NoticeEvent:
        names = find_recipients(event, None if event in TROUBLES else origin, settings.notices)
        told = ", ".join(f"{name} ({_known_target(settings.notices, name).channel})" for name in names)
        click.echo(f"{event:<12}  {told or 'nobody'}")
    if settings.notices.quiet_hours:
        urgent = ", ".join(settings.notices.urgent) or "nothing"
        click.echo(f"From {settings.notices.quiet_hours.replace('-', ' to ')} only: {urgent}.")
    if submission is not None:
        _print_message(composer, submission)


def _print_message(composer: Any, submission: Any) -> None:
    """Print the message about the last event of a submission that people are told of."""

    told = {str(kind): event for kind, event in TOLD_EVENTS.items()}
    events = [each for each in composer.ledger.events(submission.id) if each.event in told]
    if not events:
        click.echo("\nNothing of it is told yet.")
        return
    last = events[-1]
    event = TOLD_EVENTS[EventKind(last.event)]
    notice = Notice(0, event, "", last.at, submission=submission.id, detail=last.detail)
    text = composer.compose([notice], {submission.id: submission})
    click.echo(f"\n{text.title}")
    for title, words in text.paragraphs:
        click.echo(f"\n{title}\n  {words}")
    if text.link:
        click.echo(f"\n{text.link}")


def _known_target(notices: Any, name: str) -> Any:

    found = notices.target(name)
    if found is None:
        meant = nearest_option(name, notices.targets)
        advice = f"Did you mean {meant}?" if meant else f"There are: {', '.join(notices.targets) or 'none'}."
        raise click.UsageError(f"There is no target {name}. {advice}")
    return found
