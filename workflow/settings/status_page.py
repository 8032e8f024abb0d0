"""Settings of what the share shows of the work: the status page, and the thumbnails in it."""

from pydantic import BaseModel, Field


class StatusPageSettings(BaseModel):
    """How the work is shown."""

    thumbnails: bool = Field(
        True, description="a small picture of each of the last 500 parts, for the tables"
    )
