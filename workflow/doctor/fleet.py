"""What Eiger has for this organization: presets, printers, what may be read, approvals."""

from collections import Counter
from collections.abc import Callable, Iterator

from workflow.doctor.finding import Finding, fail, ok, skip, warn
from workflow.doctor.rules import NO_RULES, rules_if_sound, sends_of
from workflow.eiger import EigerClient
from workflow.errors import CloudError
from workflow.pipeline.catalog import Catalog
from workflow.settings import Settings

SHOWN = 6
OFFLINE = "offline"


def presets(catalog: Catalog) -> Iterator[Finding]:
    """Name the presets: an upload without one is sliced as Eiger pleases."""
    titles = sorted(preset.title for preset in catalog.presets())
    twice = [title for title, count in Counter(titles).items() if count > 1]
    if not titles:
        yield warn("Eiger has no settings presets.", "Make one in Eiger: the rules name them by title.")
    elif twice:
        yield warn(f"Several presets are titled {twice[0]}.", "Rules have to name those by their ids.")
    else:
        yield ok(f"{len(titles)} presets: {_some(titles)}.")


def devices(catalog: Catalog) -> Iterator[Finding]:
    """Name the printers by their states."""
    found = catalog.devices()
    states = Counter(device.state or "unknown" for device in found)
    told = ", ".join(f"{count} {state}" for state, count in states.most_common())
    if not found:
        yield warn(
            "Eiger shows no printers with these keys.", "Are these the keys of the right organization?"
        )
    elif all(state.lower() == OFFLINE for state in states):
        yield warn(f"All {len(found)} printers are offline.", "Look at the machines and their network.")
    else:
        yield ok(f"{len(found)} printers: {told}.")


def reading(client: EigerClient, catalog: Catalog) -> Iterator[Finding]:
    """Ask once for each kind of thing that the service reads; that it may send shows with the first send."""
    questions: dict[str, Callable[[], object]] = {
        "builds": lambda: next(client.list_builds(page_size=1), None),
        "print jobs": lambda: next(client.list_print_jobs(page_size=1), None),
        "queues": lambda: [client.list_device_queue(device.id) for device in catalog.devices()[:1]],
    }
    refused = False
    for what, ask in questions.items():
        try:
            ask()
        except CloudError as error:
            refused = True
            yield fail(
                f"These keys can't read {what}: {error}",
                "The owner of the organization, or Markforged's support, has to allow it.",
                error.exit_code,
            )
    if not refused:
        yield ok(
            f"The keys may read {', '.join(questions)}. That they may upload and send shows only in doing it."
        )


def approvals(settings: Settings, client: EigerClient) -> Iterator[Finding]:
    """See whether builds need approval, and whether the rules see to it."""
    if client.list_approved_builds() is None:
        yield ok("Approvals are not in use: every build may be printed.")
        return
    rulebook = rules_if_sound(settings)
    if rulebook is None:
        yield skip(NO_RULES)
        return
    without = [name for name, send in sends_of(rulebook) if not send.approve_first]
    if without:
        yield warn(
            f"Only approved builds may be printed, and these rules do not approve: {_some(without)}.",
            "Somebody approves in Eiger, or the rule says `approve_first: true`.",
        )
    else:
        yield ok("Only approved builds may be printed, and every rule that sends approves first.")


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
