"""The client as the settings describe it."""

from workflow.eiger.budget import RequestBudget
from workflow.eiger.client import EigerClient
from workflow.eiger.retry import RetryPolicy
from workflow.eiger.transport import Timeouts
from workflow.errors import SettingsError
from workflow.settings import Settings


def make_client(settings: Settings, retry: RetryPolicy = RetryPolicy()) -> EigerClient:  # noqa: B008  # frozen
    """Give a client of the cloud. Raises SettingsError without keys."""
    if not (settings.access_key.get_secret_value() and settings.secret_key.get_secret_value()):
        raise SettingsError(
            "No keys for Eiger: set STLFLOW_ACCESS_KEY and STLFLOW_SECRET_KEY in .env or the environment. "
            "The owner of the organization makes them on Eiger's API keys page."
        )
    return EigerClient(
        settings.eiger_url,
        settings.access_key,
        settings.secret_key,
        budget=RequestBudget(settings.requests_per_second),
        retry=retry,
        timeouts=Timeouts(
            connect_seconds=min(settings.request_timeout_seconds, Timeouts().connect_seconds),
            read_seconds=settings.request_timeout_seconds,
            upload_seconds=settings.upload_timeout_seconds,
        ),
    )
