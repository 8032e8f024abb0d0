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
        "Unknown setting STLFLOW_ACCES_KEY in .env line 1: did you mean STLFLOW_ACCESS_KEY?",
        "Unknown setting shares in stlflow.toml line 1: did you mean share?",
    ]


def test_the_shops_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().zone is None
    monkeypatch.setenv("STLFLOW_TIMEZONE", "Europe/Vienna")
    noon = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    assert noon.astimezone(load_settings().zone).hour == 14


def test_a_key_that_was_left_empty_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("STLFLOW_ACCESS_KEY=\nSTLFLOW_SECRET_KEY=\n")
    assert load_settings().access_key.get_secret_value() == ""
    monkeypatch.setenv("ACCESS_KEY", SECRET)
    assert load_settings().access_key.get_secret_value() == SECRET


def test_a_key_that_was_given_empty_on_the_command_line_is_not_given_either() -> None:
    Path(".env").write_text("STLFLOW_ACCESS_KEY=AK1\n")
    assert load_settings(access_key="").access_key.get_secret_value() == "AK1"


@pytest.mark.parametrize("name", ["stlflow.toml", ".env"])
def test_files_that_an_editor_of_windows_saved_are_read(name: str) -> None:
    line = 'share = "drop"\r\n' if name == "stlflow.toml" else "STLFLOW_SHARE=drop\r\n"
    Path(name).write_bytes(line.encode("utf-8-sig"))
    assert load_settings().share == Path("drop")
    Path(name).write_bytes(line.encode("utf-16"))
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == f"{name} is not in UTF-8: save it as UTF-8 in your editor."


def test_a_folder_of_secret_files_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "nowhere")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == (
        "CREDENTIALS_DIRECTORY names a folder of secret files that can't be read "
        "(No such file or directory): name another one, or unset it."
    )
