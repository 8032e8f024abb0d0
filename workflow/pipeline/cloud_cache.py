"""A cache of what the cloud offers: presets, users, devices, builds that were just read."""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Generic, TypeVar

from workflow.eiger import Build, BuildDetail, Device, EigerClient, PartVersion, Preset, User
from workflow.routing import casefold_nfc
from workflow.suggest import nearest_options

T = TypeVar("T")
Listed = TypeVar("Listed", Preset, User)
REFRESH_SECONDS = 5.0
PRESETS_TTL_SECONDS = 60.0
USERS_TTL_SECONDS = 60.0
DEVICES_TTL_SECONDS = 2.0
JUST_READ_SECONDS = 10.0
MAX_JUST_READ = 256
CONTENTS_TTL_SECONDS = 600.0
MAX_CACHED_CONTENTS = 10_000


class NotInCloud(LookupError):
    """The cloud has nothing of that name; the message names the nearest."""


class CloudCache:
    """Lookups by name; each list is requested by one thread at a time."""

    def __init__(self, client: EigerClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._clock = client, clock
        self._presets = _CachedValue(client.get_org_settings_presets, PRESETS_TTL_SECONDS, clock)
        self._users = _CachedValue(lambda: tuple(client.list_users()), USERS_TTL_SECONDS, clock)
        self._builds, self._versions = _JustRead[BuildDetail](clock), _JustRead[PartVersion](clock)
        self._contents: dict[tuple[str, datetime | None], tuple[float, frozenset[str]]] = {}
        self._devices = _CachedValue(self._list_devices, DEVICES_TTL_SECONDS, clock)
        self.on_devices: Callable[[tuple[Device, ...]], None] = lambda _listed: None
        """Called with each new list of devices, by the thread that has asked for it."""

    def presets(self) -> tuple[Preset, ...]:
        """Return all settings presets. Raises CloudError."""
        return self._presets.get()

    def users(self) -> tuple[User, ...]:
        """Return all users. Raises CloudError."""
        return self._users.get()

    def devices(self) -> tuple[Device, ...]:
        """Return all devices as they were at most two seconds ago. Raises CloudError."""
        return self._devices.get()

    def list_devices_now(self) -> tuple[Device, ...]:
        """Return the devices as they are now. Raises CloudError."""
        return self._devices.not_older_than(0.0)

    def _list_devices(self) -> tuple[Device, ...]:
        listed = tuple(self._client.list_devices())
        self.on_devices(listed)
        return listed

    def known_devices(self) -> tuple[Device, ...]:
        """Return the devices as they were last listed; none before that. Eiger is not asked."""
        return self._devices.known() or ()

    def report_devices(self, on_devices: Callable[[tuple[Device, ...]], None]) -> None:
        """Call with the devices that are known already, and with each new list."""
        self.on_devices = on_devices
        if known := self.known_devices():
            on_devices(known)

    def cache_build(self, build: BuildDetail) -> None:
        """Cache a build that was just read: the routing rules need it next."""
        self._builds.keep(build.id, build)

    def cache_version(self, version: PartVersion) -> None:
        """Cache a part version that was just read for its title: the check of its units needs it next."""
        self._versions.keep(version.id, version)

    def cache_contents(self, build: BuildDetail) -> None:
        """Cache which part versions a build holds, so that not every waiting part reads it again."""
        if len(self._contents) >= MAX_CACHED_CONTENTS:
            self._contents.clear()
        held = frozenset(version.id for version in build.part_versions)
        self._contents[build.id, build.updated_at] = (self._clock(), held)

    def may_contain(self, build: Build, part_version_id: str) -> bool:
        """True if a listed build has to be read: it may hold the part version, or was not read lately."""
        seen_at, held = self._contents.get((build.id, build.updated_at), (float("-inf"), frozenset[str]()))
        return part_version_id in held or self._clock() - seen_at > CONTENTS_TTL_SECONDS

    def build(self, build_id: str) -> BuildDetail:
        """Return a build as it was at most ten seconds ago. Raises CloudError."""
        return self._builds.take(build_id) or self._client.read_build(build_id)

    def part_version(self, version_id: str) -> PartVersion:
        """Return a part version as it was at most ten seconds ago. Raises CloudError."""
        return self._versions.take(version_id) or self._client.read_part_version(version_id)

    def preset(self, wanted: str) -> Preset:
        """Return a preset by id or title. Raises NotInCloud for none or several, CloudError."""

        def words(preset: Preset) -> tuple[str | None, ...]:
            return (preset.title,)

        return self._find_one("preset", wanted, self._presets, words, tell=True)

    def user_id(self, wanted: str) -> str:
        """Return a user's id by e-mail address, name or id. Raises NotInCloud, CloudError.

        Messages name no other people: they may end in a log.
        """

        def words(user: User) -> tuple[str | None, ...]:
            return (user.email, user.name)

        return str(self._find_one("user", wanted, self._users, words, tell=False).id)

    def _find_one(
        self,
        kind: str,
        wanted: str,
        remembered: "_CachedValue[tuple[Listed, ...]]",
        words: Callable[[Listed], tuple[str | None, ...]],
        *,
        tell: bool,
    ) -> Listed:
        """Return the one with that id or name; refresh the list once, as it may be new."""
        hits = _find_by_name(wanted, remembered.get(), words) or _find_by_name(
            wanted, remembered.refresh(), words
        )
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise NotInCloud(
                f"{len(hits)} {kind}s in Eiger are called '{wanted}'. Name the one meant by its id."
            )
        known = [str(words(each)[0]) for each in remembered.get()] if tell else []
        raise NotInCloud(_not_found_message(kind, wanted, known))


class _JustRead(Generic[T]):
    """Values by id, each for the one step that needs it next."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._values: dict[str, tuple[float, T]] = {}

    def keep(self, key: str, value: T) -> None:
        if len(self._values) >= MAX_JUST_READ:
            self._values.clear()
        self._values[key] = (self._clock(), value)

    def take(self, key: str) -> T | None:
        """Return the value, which is then gone; None if it is older than ten seconds."""
        seen_at, value = self._values.pop(key, (float("-inf"), None))
        return value if self._clock() - seen_at <= JUST_READ_SECONDS else None


class _CachedValue(Generic[T]):
    def __init__(self, ask: Callable[[], T], seconds: float, clock: Callable[[], float]) -> None:
        self._ask, self._seconds, self._clock = ask, seconds, clock
        self._lock = threading.Lock()
        self._answer: tuple[float, T] | None = None

    def get(self) -> T:
        return self.not_older_than(self._seconds)

    def known(self) -> T | None:
        """Return the last answer, whatever its age."""
        answer = self._answer
        return None if answer is None else answer[1]

    def refresh(self) -> T:
        """Return an answer at most 5 s old: many files with one wrong name cost one request."""
        return self.not_older_than(REFRESH_SECONDS)

    def not_older_than(self, seconds: float) -> T:
        """Return the last answer, or a new one if it is older."""
        with self._lock:
            if self._answer is None or self._clock() - self._answer[0] > seconds:
                self._answer = (self._clock(), self._ask())
            return self._answer[1]


def _find_by_name(
    wanted: str, listed: Iterable[Listed], words: Callable[[Listed], tuple[str | None, ...]]
) -> list[Listed]:
    """Return those with that id, otherwise those with that name, compared as rules compare names."""
    with_id = [each for each in listed if each.id]
    by_id = [each for each in with_id if casefold_nfc(str(each.id)) == casefold_nfc(wanted)]
    return by_id or [
        each
        for each in with_id
        if casefold_nfc(wanted) in {casefold_nfc(word) for word in words(each) if word}
    ]


def _not_found_message(kind: str, wanted: str, known: list[str]) -> str:
    near = nearest_options(wanted, known, count=3, cutoff=0.3) or known[:3]
    nearest = f" The nearest are: {', '.join(near)}." if near else ""
    return f"Eiger has no {kind} called '{wanted}'.{nearest} Correct the rules, or make it in Eiger."
