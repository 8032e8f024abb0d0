"""Settings of following prints: whether, and how often Eiger is asked."""

from pydantic import BaseModel, Field


class FollowingSettings(BaseModel):
    """Whether prints are followed to their end."""

    follow_prints: bool = Field(
        True, description="follow what was sent to a printer, or has a due date, until it is printed"
    )
    follow_seconds: float = Field(60.0, gt=0, description="how often Eiger is asked for all of them")
