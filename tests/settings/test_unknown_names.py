"""Misspelt names are refused with the one that was meant; other programs' names are left alone."""

from pathlib import Path

import pytest

from workflow.errors import SettingsError
from workflow.settings import load_settings


def refusal() -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings()
    return str(refused.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ACESS_KEY", "ACCESS_KEY"),
        ("ACCES_KEY", "ACCESS_KEY"),
        ("ACCESSKEY", "ACCESS_KEY"),
        ("acces_key", "ACCESS_KEY"),
        ("SECRT_KEY", "SECRET_KEY"),
        ("SERCET_KEY", "SECRET_KEY"),
        ("STLFLOW_SHRE", "STLFLOW_SHARE"),
        ("stlflow_shre", "STLFLOW_SHARE"),
        ("STLFOW_SHARE", "STLFLOW_SHARE"),
        ("STL_FLOW_SECRET_KEY", "STLFLOW_SECRET_KEY"),
    ],
)
def test_a_misspelt_name_in_the_env_file_is_refused(written: str, meant: str) -> None:
    Path(".env").write_text(f"OTHER=1\n\n{written}=x\n")
    assert refusal() == f"Unknown setting {written} in .env line 3: did you mean {meant}?"


@pytest.mark.parametrize("written", ["STLFLOW_SHRE", "STFLOW_SHARE", "STLFOW_SECRET_KEY"])
def test_a_misspelt_name_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv(written, "x")
    meant = "STLFLOW_SECRET_KEY" if "KEY" in written else "STLFLOW_SHARE"
    assert refusal() == f"Unknown setting {written} in the environment: did you mean {meant}?"


OF_OTHERS = (
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "DJANGO_SECRET_KEY", "SECRET_KEY_BASE",
    "S3_ACCESS_KEY", "S3_SECRET_KEY", "MY_SECRET_KEY", "ACCESS_KEY_ID", "API_KEY", "MLFLOW_STATE", "STATE",
    "SHARE", "STARSHIP_SHELL", "STRIPE_SECRET_KEY", "STORAGE_ACCESS_KEY", "STL_VIEWER", "LOG_LEVEL", "TZ",
)  # fmt: skip


@pytest.mark.parametrize("name", OF_OTHERS)
def test_names_of_other_programs_are_left_alone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    Path(".env").write_text(f"{name}=1\n")
    monkeypatch.setenv(name, "1")
    load_settings()


def test_a_name_like_a_key_is_anothers_in_the_environment_and_where_the_key_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACESS_KEY", "x")
    load_settings()
    Path(".env").write_text("ACCESS_KEY=a\nACCESS_KEY2=b\nSTLFLOW_SECRET_KEY=c\nSECURE_KEY=d\n")
    assert load_settings().access_key.get_secret_value() == "a"


def test_a_name_that_is_like_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STLFLOW_XYZZY", "x")
    said = "Unknown setting STLFLOW_XYZZY in the environment: no setting has such a name; remove it."
    assert refusal() == said


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("SHARE = 'x'", "share"),
        ("STLFLOW_SHARE = 'x'", "share"),
        ("sweep-seconds = 1", "sweep_seconds"),
        ("acess_key = 'x'", "access_key"),
        ("[shar]\nplace = 1", "share"),
    ],
)
def test_a_name_in_toml_is_written_as_it_is(line: str, meant: str) -> None:
    Path("stlflow.toml").write_text(f"state = '''\n/var'''\n\n{line}\n")
    name = line.split(maxsplit=1)[0].strip("[]")
    assert refusal() == f"Unknown setting {name} in stlflow.toml line 4: did you mean {meant}?"


def test_a_line_that_is_passed_over_is_not_passed_over_in_silence() -> None:
    Path(".env").write_text("if true; then echo; fi\nSECRET KEY=abc\n")
    assert refusal() == ".env line 2: write it as NAME=value."
