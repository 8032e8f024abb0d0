"""The `[notices]` part: from its table, variables and secret files, with messages that repeat no value."""

from pathlib import Path

import pytest

from workflow.errors import SettingsError
from workflow.model import NoticeEvent
from workflow.settings import NoticeSettings, Settings, load_settings

SHOP = '[notices.targets.shop]\nslack = "https://hooks.slack.com/services/s3cret"\n'


def loaded(text: str) -> NoticeSettings:
    Path("stlflow.toml").write_text(text, "utf-8")
    return load_settings().notices


def refused(text: str) -> str:
    with pytest.raises(SettingsError) as error:
        loaded(text)
    assert "s3cret" not in str(error.value)
    return str(error.value)


def test_without_the_part_nobody_is_told() -> None:
    assert load_settings().notices == NoticeSettings()
    assert Settings.model_construct().notices.targets == {}


def test_a_target_of_the_table() -> None:
    notices = loaded(f'sweep_seconds = 3\n[notices]\nquiet_hours = "19:00-06:30"\n{SHOP}events = ["held"]\n')
    shop = notices.targets["shop"]
    assert (shop.channel, shop.events) == ("slack", (NoticeEvent.HELD,))
    assert shop.address.get_secret_value().endswith("s3cret")
    assert load_settings().sweep_seconds == 3


def test_an_address_from_a_variable_or_a_secret_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "STLFLOW_NOTICES_SHOP_SLACK").write_text("https://hooks.slack.com/file\n")
    (secrets / "stlflow_notices_mail_password").write_text("s3cret\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(secrets))
    monkeypatch.setenv("STLFLOW_NOTICES_SHOP_SLACK", "https://hooks.slack.com/variable")
    monkeypatch.setenv("STLFLOW_NOTICES_NIGHT_SHIFT_MAIL", "night@example.com")
    notices = loaded(f'{SHOP}[notices.targets.night-shift]\nmail = "day@example.com"\n')
    assert notices.targets["shop"].address.get_secret_value() == "https://hooks.slack.com/variable"
    assert notices.targets["night-shift"].address.get_secret_value() == "night@example.com"
    assert notices.mail_password is not None
    assert notices.mail_password.get_secret_value() == "s3cret"


def test_no_text_of_the_settings_shows_a_secret() -> None:
    server = 'mail_server = "smtp://s3cret@mail.example.com"'
    loaded(f'[notices]\n{server}\nmail_password = "s3cret"\n{SHOP}key = "s3cret"\n')
    assert "s3cret" not in f"{load_settings().notices!r}{load_settings().notices}{load_settings()!r}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[notices]\nquiet_hour = 1\n", "Unknown setting notices.quiet_hour: did you mean quiet_hours?"),
        ('[notices]\nquiet_hours = "7pm"\n', 'notices.quiet_hours must be hours of the day: "19:00-06:30".'),
        ("[notices]\ngather_seconds = -1\n", "notices.gather_seconds must be a number from 0 to 600."),
        (SHOP.replace("slack", "slak", 1), "Unknown setting notices.targets.shop.slak: did you mean slack?"),
        (SHOP + 'mail = "a@b.c"\n', "notices.targets.shop needs exactly one channel: set one of"),
        ("[notices.targets.shop]\n", "notices.targets.shop needs exactly one channel: set one of"),
        (
            SHOP + 'events = ["helt"]\n',
            "notices.targets.shop.events: there is no such event: did you mean held?",
        ),
        (
            SHOP.replace("https", "ftp"),
            "notices.targets.shop.slack must be the address of an incoming webhook",
        ),
        (SHOP.replace("https://", "https://me:s3cret@"), "notices.targets.shop.slack must be the address"),
        ('[notices.targets.shop]\nmail = "anna"\n', "notices.targets.shop.mail must be e-mail addresses"),
        (
            '[notices]\nmail_server = "mail.example.com"\n',
            "notices.mail_server must be an address like smtp://",
        ),
        (
            '[notices]\nmail_server = "smtp://mail.example.com:99999"\n',
            "notices.mail_server must be an address like smtp://",
        ),
        (
            '[notices.targets.erp]\nwebhook = "https://erp.example.com:x1/hook"\n',
            "notices.targets.erp.webhook must be an address that begins with https://",
        ),
        ('notices = "shop"\n', "notices must be a table"),
        ('[notices]\ntargets = ["s3cret"]\n', "notices.targets must be a table of targets"),
        ('[notices.targets]\nshop = "s3cret"\n', "notices.targets.shop"),
    ],
)
def test_a_mistake_is_one_sentence(text: str, sentence: str) -> None:
    told = refused(text)
    assert told.startswith("stlflow.toml: ")
    assert sentence in told
    assert "\n" not in told


def test_an_unknown_variable_is_refused_with_what_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STLFLOW_NOTICES_SHOP_SLAK", "https://s3cret.example.com")
    assert "did you mean STLFLOW_NOTICES_SHOP_SLACK?" in refused(SHOP)
    monkeypatch.delenv("STLFLOW_NOTICES_SHOP_SLAK")
    monkeypatch.setenv("STLFLOW_NOTICES_QUIET_HOUR", "s3cret")
    assert "did you mean STLFLOW_NOTICES_QUIET_HOURS?" in refused(SHOP)
