"""The settings: their sources, names that nobody reads, and who may read keys."""

from pathlib import Path

import pytest

from tests.doctor.conftest import Look
from workflow.doctor import Grade
from workflow.doctor.settings import SETTINGS_CHECKS, misspelled_keys, rules_checks, settings_by_source
from workflow.settings import Settings, Source, read_all_sources

SECRET = "hemmelig-77ab"


@pytest.fixture(autouse=True)
def no_console_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what all tests set: here the settings themselves are looked at."""
    monkeypatch.delenv("STLFLOW_CONSOLE_PORT", raising=False)


def test_each_setting_is_reported_with_the_source_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("stlflow.toml").write_text('share = "a"\nsweep_seconds = 9\n')
    Path(".env").write_text("STLFLOW_SHARE=b\nACCESS_KEY=k\nOTHER=1\n")
    for name in ("STLFLOW_STATE", "SHARE", "STLFLOW_SHARE"):
        monkeypatch.setenv(name, "c")
    assert settings_by_source(read_all_sources()) == {
        Source.ENVIRONMENT: ("share", "state"),
        Source.ENV_FILE: ("access_key",),
        Source.TOML: ("sweep_seconds",),
    }


@pytest.mark.parametrize(
    ("name", "meant"),
    [("ACESS_KEY", "ACCESS_KEY"), ("secret_kye", "SECRET_KEY"), ("SECRET_KEI", "SECRET_KEY")],
)
def test_a_name_that_nearly_is_that_of_a_key_is_found(name: str, meant: str) -> None:
    assert list(misspelled_keys([name])) == [(name, meant)]


@pytest.mark.parametrize(
    "name", ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "PATH", "STATE", "ACCESS_KEY"]
)
def test_names_of_others_and_right_ones_are_left_alone(name: str) -> None:
    assert list(misspelled_keys([name])) == []


def test_a_misspelt_key_in_the_file_is_reported_and_not_shown(look: Look) -> None:
    Path(".env").write_text(f"ACESS_KEY={SECRET}\n")
    seen = look(SETTINGS_CHECKS)
    wrong = seen.select("settings")
    assert (wrong.says, wrong.exit_code) == (
        "Unknown setting ACESS_KEY in .env line 1: did you mean ACCESS_KEY?",
        2,
    )
    assert SECRET not in str(seen)


def test_a_setting_without_its_prefix_is_reported(look: Look) -> None:
    Path(".env").write_text("STATE=/var/lib/stlflow\n")
    stray = look(SETTINGS_CHECKS).select("settings.strays")
    assert (stray.grade, stray.says, stray.fix) == (
        Grade.WARN,
        "STATE in .env line 1 is not read.",
        "If it is meant for stlflow: write STLFLOW_STATE.",
    )


def test_a_misspelt_key_in_the_environment_is_reported(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEI", SECRET)
    seen = look(SETTINGS_CHECKS)
    assert seen.select("settings.strays").says == "SECRET_KEI in the environment is not read."
    assert SECRET not in str(seen)


def test_wrong_settings_are_all_told_and_close_the_rest(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STLFLOW_SHAER", SECRET)
    Path("stlflow.toml").write_text('stat = "x"\n')
    seen = look(SETTINGS_CHECKS)
    assert [(each.says, each.exit_code) for each in seen.of("settings")] == [
        ("Unknown setting STLFLOW_SHAER in the environment: did you mean STLFLOW_SHARE?", 2),
        ("Unknown setting stat in stlflow.toml line 1: did you mean state?", 2),
    ]
    assert seen.select("settings.sources").grade is Grade.SKIP
    assert SECRET not in str(seen)


def test_a_file_with_keys_that_others_may_read_is_reported(look: Look) -> None:
    keys = Path(".env")
    keys.write_text(f"STLFLOW_SECRET_KEY={SECRET}\n")
    keys.chmod(0o640)
    open_to_others = look(SETTINGS_CHECKS).select("settings.secrecy")
    assert (open_to_others.grade, open_to_others.says, open_to_others.fix) == (
        Grade.WARN,
        ".env holds keys, and others may read it.",
        "`chmod 600 .env`",
    )
    keys.chmod(0o600)
    assert look(SETTINGS_CHECKS).select("settings.secrecy").grade is Grade.OK


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("stlflow.toml", f'database_url = "postgresql://shop:{SECRET}@db/parts"\n'),
        ("stlflow.toml", f'proxy = "http://shop:{SECRET}@proxy:3128"\n'),
        (".env", f"STLFLOW_NOTICES_MAIL_PASSWORD={SECRET}\n"),
        (".config/stlflow/credentials/STLFLOW_SECRET_KEY", SECRET),
    ],
    ids=["database", "proxy", "mail", "secret file"],
)
def test_other_secrets_that_others_may_read_are_reported(
    look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str, text: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    place = tmp_path / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    place.chmod(0o644)
    seen = look(SETTINGS_CHECKS).select("settings.secrecy")
    assert (seen.grade, seen.says.endswith(" holds keys, and others may read it.")) == (Grade.WARN, True)
    assert SECRET not in str(seen)
    place.chmod(0o600)
    assert look(SETTINGS_CHECKS).select("settings.secrecy").grade is Grade.OK


def test_keys_in_the_clear_are_told(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STLFLOW_EIGER_URL", "http://eiger.example.com/api/v3")
    assert look(SETTINGS_CHECKS).select("settings.secrecy").says == (
        "The keys are sent unencrypted: eiger_url begins with http://."
    )


def test_nothing_set_names_the_folder(look: Look, tmp_path: Path) -> None:
    nothing = look(SETTINGS_CHECKS).select("settings.sources")
    assert nothing.says == f"Nothing is set: there is no stlflow.toml and no .env in {tmp_path}."


def test_the_sources_of_a_new_shop(look: Look, context: Settings) -> None:
    assert look(SETTINGS_CHECKS).select("settings.sources").says == (
        "Set in stlflow.toml: share, state, rules, eiger_url. Everything else has its default."
    )


def test_outdated_settings_are_told_with_what_to_use_instead(look: Look, context: Settings) -> None:
    assert look(rules_checks(context)).select("settings.outdated").grade is Grade.OK
    old = context.model_copy(update={"open_edges_limit": 12, "refuse_meshes_with": "stray facets"})
    told = look(rules_checks(old)).of("settings.outdated")
    assert [(each.grade, each.says) for each in told] == [
        (Grade.WARN, "open_edges_limit is outdated."),
        (Grade.WARN, "refuse_meshes_with is outdated."),
    ]
    assert "Set largest_hole_mm" in told[0].fix
    assert told[1].fix == "It is now hold_meshes_with, and it holds. Rename it."
