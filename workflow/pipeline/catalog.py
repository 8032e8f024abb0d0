"""What the cloud has to choose from (presets, users, devices), remembered for a moment."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from difflib import get_close_matches
from typing import Generic, TypeVar

from workflow.eiger import Build, BuildDetail, Device, EigerClient, Preset, User

T = TypeVar("T")
PRESETS_SECONDS = 60.0
USERS_SECONDS = 60.0
DEVICES_SECONDS = 2.0
BUILDS_SECONDS = 10.0
BUILDS_REMEMBERED = 256
CONTENTS_SECONDS = 600.0
CONTENTS_REMEMBERED = 10_000


class Unlisted(LookupError):
    """The cloud has nothing of that name; the message names the nearest."""


class Catalog:
    """Answers by name, with one question to the cloud at a time for each list."""

    def __init__(self, client: EigerClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._presets = _Remembered(client.get_org_settings_presets, PRESETS_SECONDS, clock)
        self._users = _Remembered(lambda: tuple(client.list_users()), USERS_SECONDS, clock)
        self._client, self._clock = client, clock
        self._builds: dict[str, tuple[float, BuildDetail]] = {}
        self._contents: dict[tuple[str, datetime | None], tuple[float, frozenset[str]]] = {}
        self._devices = _Remembered(lambda: tuple(client.list_devices()), DEVICES_SECONDS, clock)

    def presets(self) -> tuple[Preset, ...]:
        """Give all settings presets. Raises CloudError."""
        return self._presets.get()

    def users(self) -> tuple[User, ...]:
        """Give all users. Raises CloudError."""
        return self._users.get()

    def devices(self) -> tuple[Device, ...]:
        """Give all devices as they were at most two seconds ago. Raises CloudError."""
        return self._devices.get()

    def remember_build(self, build: BuildDetail) -> None:
        """Keep what was just read: the routing rules ask for it in a moment."""
        if len(self._builds) >= BUILDS_REMEMBERED:
            self._builds.clear()
        self._builds[build.id] = (self._clock(), build)

    def remember_contents(self, build: BuildDetail) -> None:
        """Keep which part versions a build holds, so that it is not read for every part that has none."""
        if len(self._contents) >= CONTENTS_REMEMBERED:
            self._contents.clear()
        held = frozenset(version.id for version in build.part_versions)
        self._contents[build.id, build.updated_at] = (self._clock(), held)

    def may_hold(self, build: Build, part_version_id: str) -> bool:
        """Tell whether a listed build has to be read: not if it was a moment ago, unchanged since."""
        seen_at, held = self._contents.get((build.id, build.updated_at), (float("-inf"), frozenset[str]()))
        return part_version_id in held or self._clock() - seen_at > CONTENTS_SECONDS

    def build(self, build_id: str) -> BuildDetail:
        """Give a build as it was at most ten seconds ago. Raises CloudError."""
        seen_at, build = self._builds.pop(build_id, (float("-inf"), None))
        if build is not None and self._clock() - seen_at <= BUILDS_SECONDS:
            return build
        return self._client.read_build(build_id)

    def preset(self, wanted: str) -> Preset:
        """Find a preset by id or by title. Raises Unlisted, CloudError."""
        presets = self.presets()
        for preset in presets:
            if wanted.casefold() in {preset.id.casefold(), preset.title.casefold()}:
                return preset
        raise Unlisted(_no_such("preset", wanted, [preset.title for preset in presets]))

    def user_id(self, wanted: str) -> str:
        """Find a user's id by e-mail address, name or id. Raises Unlisted, CloudError."""
        users = [user for user in self.users() if user.id]
        for user in users:
            if wanted.casefold() in {str(word).casefold() for word in (user.id, user.email, user.name)}:
                return str(user.id)
        raise Unlisted(_no_such("user", wanted, []))


class _Remembered(Generic[T]):
    def __init__(self, ask: Callable[[], T], seconds: float, clock: Callable[[], float]) -> None:
        self._ask, self._seconds, self._clock = ask, seconds, clock
        self._lock = threading.Lock()
        self._answer: tuple[float, T] | None = None

    def get(self) -> T:
        with self._lock:
            if self._answer is None or self._clock() - self._answer[0] > self._seconds:
                self._answer = (self._clock(), self._ask())
            return self._answer[1]


def _no_such(kind: str, wanted: str, known: list[str]) -> str:
    near = get_close_matches(wanted, known, n=3, cutoff=0.3) or known[:3]
    nearest = f" The nearest are: {', '.join(near)}." if near else ""
    return f"Eiger has no {kind} called '{wanted}'.{nearest} Correct the rules, or make it in Eiger."
