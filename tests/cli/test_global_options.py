"""Which folder, which settings file, and what is used: `-C`, `--config`, `config show`."""

from pathlib import Path

import pytest

from tests.cli.command import Desk
from tests.cli.conftest import Say

SECRET = "hemmelig-1f6b-90d2cc03"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with settings of its own, away from the current one."""
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "stlflow.toml").write_text('timezone = "Europe/Vienna"\nsettle_seconds = 7\n')
    (shop / ".env").write_text(f"ACCESS_KEY={SECRET}\n")
    (shop / "night.toml").write_text("settle_seconds = 9\n")
    return shop


def test_settings_are_shown_with_their_sources_and_keys_never(say: Say, shop: Path, tmp_path: Path) -> None:
    shown = say("-C", str(shop), "config", "show").out
    assert "timezone        Europe/Vienna  (stlflow.toml line 1)\n" in shown
    assert "access_key      (set)  (.env line 1)\n" in shown
    assert SECRET not in shown
    assert "log_level" not in shown
    rows = {row["name"]: row for row in say("config", "show", "--json").document()}
    assert rows["log_level"] == {"name": "log_level", "value": "INFO", "source": "default"}
    assert rows["share"]["value"] == str(shop / "share")


def test_another_settings_file_is_read_and_named(desk: Desk, shop: Path) -> None:
    night = desk.run("-C", str(shop), "--config", "night.toml", "config", "show", STLFLOW_SETTLE_SECONDS="4")
    assert "settle_seconds" in night.out
    (shop / "night.toml").write_text("setle_seconds = 9\n")
    wrong = desk.run("-C", str(shop), "--config", "night.toml", "list")
    assert wrong.code == 2
    assert f"Unknown setting setle_seconds in {shop / 'night.toml'} line 1: did you mean" in wrong.err


def test_the_password_of_a_database_is_not_shown(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "STLFLOW_DATABASE_URL", f"postgresql://shop:{SECRET}@db.example/parts?password={SECRET}"
    )
    shown = say("config", "show")
    assert "database_url  postgresql://db.example/parts  (the environment)" in shown.out
    assert SECRET not in shown.out
    monkeypatch.setenv("STLFLOW_PROXY", f"http://shop:{SECRET}@proxy.example:3128")
    shown = say("config", "show")
    assert "http://proxy.example:3128" in shown.out
    assert SECRET not in shown.out + say("config", "show", "--json").out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("-C", "nowhere", "list"), "-C nowhere: No such file or directory."),
        (("--config", "nowhere.toml", "list"), "--config nowhere.toml: there is no such file."),
    ],
    ids=["folder", "file"],
)
def test_what_is_not_there_is_usage(say: Say, words: tuple[str, ...], line: str) -> None:
    refused = say(*words)
    assert refused.code == 2
    assert line in refused.err
