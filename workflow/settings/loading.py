"""From all sources to the settings that count."""

from pydantic import SecretStr, ValidationError

from workflow.errors import SettingsError
from workflow.settings.given import Given, Source, everything_given
from workflow.settings.model import Settings, kind_of
from workflow.settings.names import unknown_names
from workflow.settings.wording import wrong_value


def load_settings(**overrides: object) -> Settings:
    """Read every source once.

    Raises SettingsError with one line per mistake: where it stands and what to do, never with a key.
    """
    given = everything_given()
    if mistakes := list(unknown_names(given)):
        raise SettingsError("\n".join(mistakes))
    given = [*(Given(Source.COMMAND_LINE, name, name, value) for name, value in overrides.items()), *given]
    counts = {each.setting: each for each in reversed(given) if each.setting and not _is_no_key(each)}
    try:
        return Settings.model_validate({name: each.value for name, each in counts.items()})
    except ValidationError as error:
        keys = frozenset(str(each.value) for each in given if _is_secret(each))
        wrong = [str(detail["loc"][0]) for detail in error.errors(include_input=False)]
        lines = [wrong_value(counts[name], name, keys) for name in dict.fromkeys(wrong)]
        raise SettingsError("\n".join(lines)) from None


def _is_secret(given: Given) -> bool:
    return given.setting is not None and kind_of(Settings.model_fields[given.setting]) is SecretStr


def _is_no_key(given: Given) -> bool:
    """A key that was left empty, as in a copy of .env.example, counts as not given."""
    return _is_secret(given) and isinstance(given.value, str) and not given.value.strip()
