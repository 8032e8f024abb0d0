"""What messages say of a setting."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SettingHelp:
    """What a message says of a setting beyond its type: what is allowed, and a value as an example.

    The value of a `private` one is never repeated.
    """

    allowed: str = ""
    example: str | float = ""
    private: bool = False
