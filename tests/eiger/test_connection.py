"""The client as the settings describe it."""

import pytest

from workflow.eiger import make_client
from workflow.errors import SettingsError
from workflow.settings import load_settings


def test_without_keys_it_says_where_they_come_from() -> None:
    with pytest.raises(SettingsError, match=r"^No keys for Eiger: set STLFLOW_ACCESS_KEY and STLFLOW_SECRET"):
        make_client(load_settings(access_key="half"))


def test_it_shows_the_address_and_no_key() -> None:
    settings = load_settings(
        eiger_url="http://127.0.0.1:9/api/v3", access_key="an-access-key", secret_key="a-secret-key"
    )
    with make_client(settings) as client:
        assert repr(client) == "EigerClient('http://127.0.0.1:9/api/v3')"


def test_no_call_waits_longer_than_the_settings_say() -> None:
    settings = load_settings(access_key="an-access-key", secret_key="a-secret-key", request_timeout_seconds=1)
    with make_client(settings) as client:
        assert client.max_effect_seconds == 5 + 1 + 1 + 2
