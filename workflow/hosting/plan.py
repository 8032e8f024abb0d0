"""What a unit has to know: absolute places, the settings to carry over, and where the keys come from."""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow.settings import PREFIX, Settings, env_file_names

SECRETS = ("access_key", "secret_key", "database_url")
"""Settings that hold keys or a password: they come from files, and never stand in a unit."""
_PLACES = ("share", "state", "rules", "read_only_inbox")
_VENDORS = {"access_key": "ACCESS_KEY", "secret_key": "SECRET_KEY"}
_NETWORK = ("REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
"""What the way to Eiger may need; a proxy with a password in it is not carried over."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything in absolute paths. `variables` are carried over, `credentials` come from secret files.

    `mount_point` is where the share is mounted, None where it lies on the system's own disk.
    """

    command: tuple[str, ...]
    folder: Path
    share: Path
    state: Path
    others: tuple[Path, ...]
    """Whatever else has to be read: rules, a read-only inbox, Python and its packages."""
    variables: Mapping[str, str]
    credentials: tuple[str, ...]
    mount_point: Path | None

    @property
    def places(self) -> tuple[Path, ...]:
        """Give all of them."""
        return (self.folder, self.share, self.state, *self.others)


def make_plan(settings: Settings, environment: Mapping[str, str] = os.environ) -> Plan:
    """Make the plan of a service that sees what this command sees, in this folder."""
    share, state = settings.share.absolute(), settings.state.absolute()
    more = [place.absolute() for place in (settings.rules, settings.read_only_inbox) if place is not None]
    return Plan(
        command=_command(),
        folder=Path.cwd(),
        share=share,
        state=state,
        others=(*more, Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parent),
        variables=dict(_variables(settings, environment)),
        credentials=tuple(_credentials(environment)),
        mount_point=_mount_point(share),
    )


def _command() -> tuple[str, ...]:
    """The script beside this Python; with -P a folder named workflow in the working folder means nothing."""
    script = Path(sys.executable).with_name("stlflow")
    return (str(script), "run") if script.is_file() else (sys.executable, "-P", "-m", "workflow", "run")


def _variables(settings: Settings, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in Settings.model_fields:
        variable = f"{PREFIX}{name.upper()}"
        given = next((value for key, value in environment.items() if key.upper() == variable), None)
        if given is not None and name not in SECRETS:
            yield variable, str(getattr(settings, name).absolute()) if name in _PLACES and given else given
    for variable in _NETWORK:
        given = environment.get(variable) or environment.get(variable.lower())
        if given and "@" not in given:
            yield variable, given


def _credentials(environment: Mapping[str, str]) -> Iterator[str]:
    """Give what must come from secret files: keys that no .env here holds, secrets of the environment."""
    in_file = {name.upper() for name in env_file_names()}
    here = {name.upper() for name in environment}
    for name in SECRETS:
        spellings = {f"{PREFIX}{name.upper()}", _VENDORS.get(name, f"{PREFIX}{name.upper()}")}
        if spellings & here or (name in _VENDORS and not spellings & in_file):
            yield f"{PREFIX}{name.upper()}"


def _mount_point(place: Path) -> Path | None:
    mounted = next((above for above in (place, *place.parents) if above.is_mount()), None)
    return mounted if mounted is not None and mounted != Path(place.anchor) else None
