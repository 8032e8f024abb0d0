"""Logs of a command that works on the state folder."""

from workflow.logs import set_up_logs
from workflow.settings import Settings
from workflow.state_folder import prepare_state_folder


def start_logging(settings: Settings, level: str) -> None:
    """Start logging, after a check that the state folder can be used. Raises StateFolderError."""
    prepare_state_folder(settings.state, settings.share)
    set_up_logs(level, as_json=settings.log_json, folder=settings.state / "logs", zone=settings.zone)
