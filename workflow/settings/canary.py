"""The canary: a tiny part that goes through the inbox on a schedule, so that a broken path is noticed."""

from pydantic import BaseModel, Field


class CanarySettings(BaseModel):
    """How often the canary flies."""

    canary_minutes: float = Field(
        0.0, ge=0, le=1440, description="how often a tiny part tests the inbox, never sent; 0: never"
    )
