"""Settings of what the share shows of the work: the status page, and the thumbnails in it."""

from pydantic import BaseModel, Field

DEFAULT_STATUS_PAGE = "STATUS.html"


class StatusPageSettings(BaseModel):
    """How the work is shown."""

    status_page: str = Field(
        DEFAULT_STATUS_PAGE, description="where the status page is written, relative to `share`; off: nowhere"
    )
    thumbnails: bool = Field(
        True, description="a small picture of each of the last 500 parts, for the tables"
    )
