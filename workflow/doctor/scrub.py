"""Cuts secrets, people, machines and names of files and folders out of texts that leave the shop."""

import base64
import getpass
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import field
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr

from workflow.doctor.places import FOLDER, Replacement, known_places, leaves_of
from workflow.errors import StateFolderError
from workflow.frozen import frozen
from workflow.ledger import Ledger
from workflow.model import EventKind
from workflow.settings import Settings
from workflow.settings.notices import ADMINISTRATOR, SHOP

CUT, PERSON, MAIL = "***", "<person>", "<e-mail>"
WRITTEN = "(cut: a person's words)"
BY_PEOPLE = frozenset(
    {
        EventKind.ACCEPTED,
        EventKind.RELEASED,
        EventKind.RETRIED,
        EventKind.CANCELED,
        EventKind.SETTLED,
        EventKind.BUILD_ATTACHED,
        EventKind.NOT_APPROVED,
        EventKind.REORDERED,
    }
)
"""Events whose detail may hold what a person wrote."""
FILES_KNOWN = 2000
MIN_SECRET_LENGTH, MIN_NAME_LENGTH, MIN_STEM_LENGTH = 4, 3, 5
_NO_PEOPLE = frozenset({"root", "stlflow", "a person at the console", "command line"})
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)*")
_USER_IN_ADDRESS = re.compile(r"(\w+://)[^\s/@]+@")
_HOME = re.compile(r"((?:/home/|/Users/|[A-Za-z]:\\Users\\))[^\s/\\'\"<][^\s/\\'\"]*")
_SIGNED = re.compile(r"(\w+://[^\s?#'\"]+)[?#][^\s'\"]+")
_OUTAGE = re.compile(r"(is out of choice(?: until \w+ \d+ \w+ [\d:]+)?: ).*")
_WRITERS = re.compile(r"(?:Only \S+|\S+ and group \S+(?: \([^)]*\))?) may write to ")
_COMMENT = re.compile(r"(^|\s)#.*")
_STL = re.compile(r"[^\s\"'<>|]+\.stl\b", re.IGNORECASE)


@frozen
class Scrubber:
    """What is cut: secrets wholly; people, places and files become a word that says what was there."""

    secrets: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    """Names and remarks with what stands in their place."""
    places: tuple[Replacement, ...] = ()
    _any_file: re.Pattern[str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Make one pattern of all names: thousands of searches in each line would take minutes."""
        if self.files:
            pattern = re.compile(rf"(?<!\w){_pattern_of(self.files)}(?!\w)")
            object.__setattr__(self, "_any_file", pattern)

    def __call__(self, text: str) -> str:
        """Return the text without them."""
        text = self.without_secrets(text)
        if self._any_file is not None:
            text = self._any_file.sub(lambda found: self.files[found[0]], text)
        text = _OUTAGE.sub(rf"\1{WRITTEN}", _STL.sub("<file>.stl", text))
        text = _WRITERS.sub(f"{PERSON} may write to ", _MAIL.sub(MAIL, text))
        for pattern, shown in self.places:
            text = pattern.sub(shown, text)
        for person in self.people:
            text = _replace_word(person, PERSON, text)
        return _HOME.sub(r"\1<person>", text)

    def without_secrets(self, text: str) -> str:
        """Return the text without secrets; people and files stay."""
        for secret in self.secrets:
            text = text.replace(secret, CUT)
        return _SIGNED.sub(rf"\1?{CUT}", _USER_IN_ADDRESS.sub(rf"\1{CUT}@", text))

    def values(self, value: Any) -> Any:
        """Return a JSON value with every text in it scrubbed."""
        match value:
            case str():
                return self(value)
            case dict():
                return {self(str(name)): self.values(each) for name, each in value.items()}
            case list() | tuple():
                return [self.values(each) for each in value]
        return value


def make_scrubber(settings: Settings, ledger: Ledger | None) -> Scrubber:
    """Return what cuts out everything that these settings and this database know."""
    secrets = {form for secret in list_secrets(settings) for form in _forms(secret)}
    pair = (settings.access_key.get_secret_value(), settings.secret_key.get_secret_value())
    secrets |= {base64.b64encode(":".join(pair).encode()).decode()} if all(pair) else set()
    people, files = {settings.contact, *_named_people(settings)}, dict[str, str]()
    with suppress(OSError, KeyError, ImportError):  # on Windows without variables nobody knows
        people.add(getpass.getuser())
    if ledger is not None:
        with suppress(StateFolderError):
            people |= _known_people(ledger)
            files = {**_known_files(ledger), **_known_remarks(ledger)}
    return Scrubber(
        tuple(sorted(secrets, key=len, reverse=True)),
        tuple(sorted((each for each in people if _is_name(each)), key=len, reverse=True)),
        files,
        known_places(settings, ledger),
    )


def list_secrets(settings: Settings) -> frozenset[str]:
    """Return every secret in the settings: keys, addresses that hold them, and passwords in addresses."""
    given = (settings.model_dump(), settings.notices.model_dump())
    return frozenset(each for part in given for each in _secrets_in(part) if len(each) >= MIN_SECRET_LENGTH)


def _secrets_in(value: Any) -> Iterator[str]:
    for found in leaves_of(value):
        if isinstance(found, SecretStr):
            yield found.get_secret_value()
        elif "://" in found:
            with suppress(ValueError):
                parts = urlsplit(found)
                yield from filter(None, (parts.password, unquote(parts.password or "")))


def _forms(secret: str) -> Iterator[str]:
    yield from (secret, quote(secret, safe=""), quote(secret))


def _named_people(settings: Settings) -> Iterator[str]:
    """Yield who is told what: names of targets, of folders, and owners with and without their domain."""
    notices = settings.notices
    yield from notices.folders
    yield from (name for name in notices.targets if name not in {SHOP, ADMINISTRATOR})
    for owner in notices.owners:
        yield from (owner, owner.rpartition("\\")[2])


def _known_people(ledger: Ledger) -> set[str]:
    tokens = {token.name for token in ledger.console_tokens.list_all()}
    dropped = {each.dropped_by for each in ledger.all(limit=FILES_KNOWN) if each.dropped_by}
    return tokens | dropped | ledger.outages.list_people()


def _known_files(ledger: Ledger) -> dict[str, str]:
    """Return what stands in the place of each name: the number of its submission."""
    known: dict[str, str] = {}
    for submission in reversed(ledger.all(limit=FILES_KNOWN)):
        shown = f"<part {submission.id}>"
        for path in filter(None, (submission.path, submission.claimed_as, submission.placed_as)):
            place = PurePosixPath(path)
            names = (
                {path, place.name, place.stem} if len(place.stem) >= MIN_STEM_LENGTH else {path, place.name}
            )
            known |= dict.fromkeys(names, shown)
        parents = (str(each) for each in PurePosixPath(submission.path).parents)
        known |= {each: FOLDER for each in parents if len(each) >= MIN_STEM_LENGTH}
    return known


def _known_remarks(ledger: Ledger) -> dict[str, str]:
    """Return what people gave as a reason: it is in the log and in reasons, too, not only in the history."""
    details = ledger.search.list_details(BY_PEOPLE, FILES_KNOWN)
    found = (re.search(r"\bby .*", each) for each in details)
    return {words[0].rstrip("."): WRITTEN for words in found if words is not None and ":" in words[0]}


def without_comments(rules: str) -> str:
    """Return rules without their comments, which are for the shop alone; their lines stay.

    Text that stands in quotes may lose its end, too.
    """
    return "\n".join(_COMMENT.sub(r"\1# (cut)", line) for line in rules.splitlines())


def _is_name(text: str) -> bool:
    return len(text) >= MIN_NAME_LENGTH and text.casefold() not in _NO_PEOPLE


def _pattern_of(words: Iterable[str]) -> str:
    """Return a pattern of the words that tries the letters they share only once, the longest word first."""
    some = sorted(set(words))
    shared = os.path.commonprefix([some[0], some[-1]])  # noqa: RUF071  # letters are meant
    rest = [word[len(shared) :] for word in some if word != shared]
    branches = [_pattern_of(same) for _, same in groupby(rest, key=lambda word: word[0])]
    ways = f"(?:{'|'.join(branches)}){'?' if shared in some else ''}" if branches else ""
    return f"{re.escape(shared)}{ways}"


def _replace_word(word: str, shown: str, text: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", lambda _: shown, text)
