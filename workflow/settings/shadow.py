"""The settings of shadow mode: the real inbox, and everything that is written in a folder of its own."""

from workflow.settings.model import Settings
from workflow.settings.notices import NoticeSettings

SHADOW_FOLDER = "shadow"
"""Below the state folder: the database and the notes of shadow mode."""


def shadow_settings(settings: Settings) -> Settings:
    """Return the settings for shadow mode: files stay where they are, and no person is told anything.

    The database, the spool and the notes are below `state`/shadow. Nothing is held back as a bulk arrival,
    because nothing is sent.
    """
    folder = settings.state / SHADOW_FOLDER
    silent = settings.with_notices(NoticeSettings())
    return silent.model_copy(
        update={
            "share": folder / "notes",
            "state": folder / "state",
            "database_url": None,
            "read_only_inbox": settings.inbox,
            "decisions": None,
            "decide_by_moving": False,
            "how_to_file": False,
            "pictures": "none",
            "thumbnails": False,
            "status_page": "off",
            "mass_arrival_files": 0,
            "console_port": 0,
        }
    )
