"""Reading the settings from all sources."""

from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from workflow.errors import SettingsError
from workflow.settings.messages import describe_unknown_names, describe_wrong_value
from workflow.settings.model import Settings, setting_type
from workflow.settings.sources import Source, SourceValue, read_all_sources


def load_settings(**overrides: object) -> Settings:
    """Return the settings from all sources.

    Raises SettingsError with one line per mistake: where it is and what to do, never with a key.
    """
    commanded = [SourceValue(Source.COMMAND_LINE, name, name, value) for name, value in overrides.items()]
    counting: dict[str, Any] = {name: each.value for name, each in _effective_values(commanded).items()}
    try:
        return _LoadedSettings(**counting)
    except ValidationError as error:
        raise SettingsError(_describe_errors(error, [*commanded, *read_all_sources()])) from None


def read_effective_values() -> dict[str, SourceValue]:
    """Return the value that is used of each setting that any source gives, with its place."""
    return _effective_values(read_all_sources())


class _AllSources(PydanticBaseSettingsSource):
    """The values in the environment, `.env`, `stlflow.toml` and secret files.

    The library's own sources do not know the line of a value, which a message needs.
    """

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        """Read them. Raises SettingsError for names that no setting has."""
        super().__init__(settings_cls)
        given = read_all_sources()
        if mistakes := list(describe_unknown_names(given)):
            raise SettingsError("\n".join(mistakes))
        self._counts = _effective_values(given)

    def __call__(self) -> dict[str, Any]:
        """Return the value that counts of each setting that is given."""
        return {name: each.value for name, each in self._counts.items()}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return the value of one setting, None if it is not given; none is to be read as JSON."""
        each = self._counts.get(field_name)
        return each.value if each else None, field_name, False


class _LoadedSettings(Settings, BaseSettings):
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, the command line first."""
        return init_settings, _AllSources(settings_cls)


def _effective_values(given: list[SourceValue]) -> dict[str, SourceValue]:
    return {each.setting: each for each in reversed(given) if each.setting and not _is_empty_key(each)}


def _describe_errors(error: ValidationError, given: list[SourceValue]) -> str:
    counts = _effective_values(given)
    keys = frozenset(str(each.value) for each in given if _is_secret(each))
    wrong = [str(detail["loc"][0]) for detail in error.errors(include_input=False)]
    return "\n".join(describe_wrong_value(counts[name], name, keys) for name in dict.fromkeys(wrong))


def _is_secret(given: SourceValue) -> bool:
    return given.setting is not None and setting_type(Settings.model_fields[given.setting]) is SecretStr


def _is_empty_key(given: SourceValue) -> bool:
    """True if a key was left empty, as in a copy of .env.example: it is not used."""
    return _is_secret(given) and isinstance(given.value, str) and not given.value.strip()
