"""What a unit has to know: absolute places, the settings to carry over, and where the keys come from."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from workflow.frozen import frozen
from workflow.settings import (
    ENV_FILE,
    ENV_PREFIX,
    NOTICES,
    SETTINGS_FILE_VARIABLE,
    Settings,
    Source,
    SourceValue,
    read_all_sources,
    settings_file,
)

KEY_SETTINGS = ("access_key", "secret_key")
SECRET_SETTINGS = (*KEY_SETTINGS, "database_url", "proxy")
"""Settings that hold keys or a password: they come from files and are never in a unit. So do all of notices:
their addresses are secrets."""
_NETWORK_VARIABLES = ("REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
"""What the way to Eiger may need. One with a password in it is left out: anyone may read a unit."""


ENV_FILE_HINT = "Put the keys into .env in {folder}, with rights for the service's account alone."


@frozen
class ServicePlan:
    """Everything in absolute paths. `variables` are carried over, `credentials` come from secret files.

    `mount_point` is where the share is mounted, None where it is on the system's own disk.
    """

    command: tuple[str, ...]
    folder: Path
    share: Path
    state: Path
    others: tuple[Path, ...]
    """Other paths that have to be read: rules, a read-only inbox, Python and its packages."""
    variables: Mapping[str, str]
    credentials: tuple[str, ...]
    mount_point: Path | None
    left_out: tuple[str, ...] = ()
    """Variables that the way to Eiger may need, with a password in them."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what the service will lack, and what to do about it."""
        return tuple(
            f"Warning: {name} has a password in it, so it is not in the unit, which anyone may read. "
            f"Add {name}=… to {self.folder / ENV_FILE}, with mode 600."
            for name in self.left_out
        )

    @property
    def places(self) -> tuple[Path, ...]:
        """Return all of them."""
        return (self.folder, self.share, self.state, *self.others)


def make_service_plan(settings: Settings, environment: Mapping[str, str] = os.environ) -> ServicePlan:
    """Make the plan of a service that sees what this command sees, in this folder."""
    given = read_all_sources()
    share, state = settings.share.absolute(), settings.state.absolute()
    more = [place.absolute() for place in (settings.rules, settings.read_only_inbox) if place is not None]
    return ServicePlan(
        command=_service_command(),
        folder=Path.cwd(),
        share=share,
        state=state,
        others=(*more, Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parent),
        variables=dict(_environment_variables(settings, given, environment)),
        credentials=tuple(_credentials(given)),
        mount_point=_mount_point(share),
        left_out=tuple(name for name, value in _network_variables(environment) if "@" in value),
    )


def _service_command() -> tuple[str, ...]:
    """The script beside this Python; with -P a folder named workflow in the working folder means nothing."""
    script = Path(sys.executable).with_name("stlflow")
    return (str(script), "run") if script.is_file() else (sys.executable, "-P", "-m", "workflow", "run")


def _environment_variables(
    settings: Settings, given: Sequence[SourceValue], environment: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Return what only this environment says; paths are made absolute, for they would mean another place."""
    for each in given:
        if (
            each.source is Source.ENVIRONMENT
            and each.setting is not None
            and each.setting not in {*SECRET_SETTINGS, NOTICES}
        ):
            value = getattr(settings, each.setting)
            place = isinstance(value, Path)
            yield f"{ENV_PREFIX}{each.setting.upper()}", str(value.absolute() if place else each.value)
    if SETTINGS_FILE_VARIABLE in environment:
        yield SETTINGS_FILE_VARIABLE, str(settings_file().absolute())
    yield from (each for each in _network_variables(environment) if "@" not in each[1])


def _network_variables(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for variable in _NETWORK_VARIABLES:
        if value := environment.get(variable) or environment.get(variable.lower()):
            yield variable, value


def _credentials(given: Sequence[SourceValue]) -> Iterator[str]:
    """Return what has to come from secret files: keys that no file here holds, secrets of the environment."""
    for name in SECRET_SETTINGS:
        source = next((each.source for each in given if each.setting == name and each.value), None)
        in_file = source in {Source.ENV_FILE, Source.TOML}
        if not in_file and (source is not None or name in KEY_SETTINGS):
            yield f"{ENV_PREFIX}{name.upper()}"
    outside = [each for each in given if each.source not in {Source.ENV_FILE, Source.TOML}]
    yield from dict.fromkeys(each.name.upper() for each in outside if each.setting == NOTICES)


def _mount_point(place: Path) -> Path | None:
    if sys.platform == "win32":  # shares are named by their server there
        return None
    mounted = next((above for above in (place, *place.parents) if above.is_mount()), None)
    return mounted if mounted is not None and mounted != Path(place.anchor) else None
