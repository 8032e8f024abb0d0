"""What all of Eiger's answers have in common: how they are read, and in which pages they come."""

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("no time that a calendar has") from None


def _none_by_name(material: object) -> object:
    return None if material == "None" or material == "" else material  # noqa: PLR1714  # may be a list


Moment = Annotated[datetime, AfterValidator(_in_utc)]
Material = Annotated[str | None, BeforeValidator(_none_by_name)]
Id = Annotated[str, Field(min_length=1)]


class Noun(BaseModel):
    """What all answers have in common."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", allow_inf_nan=False, hide_input_in_errors=True, protected_namespaces=()
    )

    def says(self, field: str) -> bool:
        """Whether the key was there at all: an absent key is no data, null is the service's own word."""
        return field in self.model_fields_set


N = TypeVar("N", bound=Noun)


class Page(Noun, Generic[N]):
    """One page of a list."""

    items: tuple[N, ...]
    has_more_items: bool
