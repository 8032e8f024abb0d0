"""Settings: precedence, unknown names, and no value ever in a message."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from workflow.errors import SettingsError
from workflow.settings import load_settings

SECRET = "very-secret-value"  # must never show


def test_defaults_are_enough() -> None:
    settings = load_settings()
    assert settings.eiger_url == "https://www.eiger.io/api/v3"
    assert settings.share == Path("share")
    assert settings.database.startswith("sqlite:///")


def test_environment_beats_env_file_beats_toml(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("stlflow.toml").write_text('share = "from-toml"\nlog_level = "debug"\nsweep_seconds = 9\n')
    Path(".env").write_text("STLFLOW_SHARE=from-env-file\nSTLFLOW_SWEEP_SECONDS=8\nOTHER_PROGRAM=1\n")
    monkeypatch.setenv("STLFLOW_SHARE", "from-environment")
    settings = load_settings()
    assert (settings.share, settings.sweep_seconds, settings.log_level) == (
        Path("from-environment"),
        8,
        "DEBUG",
    )


@pytest.mark.parametrize("name", ["STLFLOW_SECRET_KEY", "SECRET_KEY"])
def test_keys_come_from_either_name_and_stay_hidden(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, SECRET)
    settings = load_settings()
    assert settings.secret_key.get_secret_value() == SECRET
    assert SECRET not in repr(settings)


def test_keys_come_from_secret_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "STLFLOW_ACCESS_KEY").write_text(SECRET)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert load_settings().access_key.get_secret_value() == SECRET


def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STLFLOW_SECRET_KEI", SECRET)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    expected = "Unknown setting STLFLOW_SECRET_KEI in the environment: did you mean STLFLOW_SECRET_KEY?"
    assert str(refused.value) == expected


def test_misspelt_names_in_files_are_refused_together() -> None:
    Path("stlflow.toml").write_text('shares = "x"\n')
    Path(".env").write_text(f"STLFLOW_ACCES_KEY={SECRET}\n")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).splitlines() == [
        "Unknown setting STLFLOW_ACCES_KEY in .env: did you mean STLFLOW_ACCESS_KEY?",
        "Unknown setting shares in stlflow.toml: did you mean share?",
    ]


def test_a_wrong_value_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STLFLOW_SWEEP_SECONDS", SECRET)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).startswith(
        "Setting sweep_seconds (STLFLOW_SWEEP_SECONDS): input should be a valid number"
    )
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("url", ["ftp://eiger", "https://key:secret@www.eiger.io/api/v3"])
def test_a_url_with_keys_in_it_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("STLFLOW_EIGER_URL", url)
    with pytest.raises(SettingsError, match="a URL that begins with https:// and holds no keys"):
        load_settings()


def test_broken_toml_is_one_line() -> None:
    Path("stlflow.toml").write_text("share = \n")
    with pytest.raises(SettingsError, match=r"^stlflow\.toml is not valid TOML: "):
        load_settings()


def test_the_shops_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().zone is None
    monkeypatch.setenv("STLFLOW_TIMEZONE", "Europe/Vienna")
    noon = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert noon.astimezone(load_settings().zone).hour == 14
    for nowhere in ("Vienna", "../etc/passwd", "Europe"):
        monkeypatch.setenv("STLFLOW_TIMEZONE", nowhere)
        with pytest.raises(SettingsError, match="no time zone that is known here"):
            load_settings()
