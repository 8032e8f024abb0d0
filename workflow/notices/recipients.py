"""Who hears of an event: the people of a file, the shop, the administrator."""

from collections.abc import Iterator, Sequence

from workflow.frozen import frozen
from workflow.model import NoticeEvent
from workflow.settings import ADMINISTRATOR, SHOP, NoticeSettings, default_events


@frozen
class FileOrigin:
    """What tells whose a file is: its path in the inbox, its owner, and whom its rules name."""

    path: str
    owner: str | None = None
    named_by_rules: Sequence[str] = ()


def find_recipients(
    event: NoticeEvent, origin: FileOrigin | None, settings: NoticeSettings
) -> tuple[str, ...]:
    """Return the targets that hear of an event, each once; `origin` None is for events of no file."""
    people = () if origin is None else tuple(find_people(origin, settings))
    return tuple(
        name
        for name in dict.fromkeys((*settings.targets, *people))
        if _hears(name, event, settings) and (origin is None or name in people or _is_for_all(name, settings))
    )


def find_people(origin: FileOrigin, settings: NoticeSettings) -> Iterator[str]:
    """Yield the targets whose file it is: of its deepest subfolder that is listed, its owner, its rules."""
    folders = [part for part in settings.folders if _is_below(origin.path, part)]
    if folders:
        yield settings.folders[max(folders, key=len)]
    owners = {name.casefold(): target for name, target in settings.owners.items()}
    if origin.owner is not None and origin.owner.casefold() in owners:
        yield owners[origin.owner.casefold()]
    yield from origin.named_by_rules


def _is_below(path: str, folder: str) -> bool:
    return path.casefold().startswith(f"{folder.strip('/').casefold()}/")


def _hears(name: str, event: NoticeEvent, settings: NoticeSettings) -> bool:
    target = settings.target(name)
    if target is None:
        return False
    return event in (default_events(name) if target.events is None else target.events)


def _is_for_all(name: str, settings: NoticeSettings) -> bool:
    target = settings.targets.get(name)
    if target is None:
        return False
    return name in {SHOP, ADMINISTRATOR} if target.every_file is None else target.every_file
