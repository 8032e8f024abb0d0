"""What a unit has to know, taken from where the settings stand."""

from pathlib import Path

import pytest

from workflow.hosting import ServicePlan, make_service_plan
from workflow.settings import load_settings

SECRET = "hemmelig-8e21-44c0aa71"
BOTH = ("STLFLOW_ACCESS_KEY", "STLFLOW_SECRET_KEY")


def plan() -> ServicePlan:
    return make_service_plan(
        load_settings(), {"HTTPS_PROXY": f"http://shop:{SECRET}@proxy:3128", "no_proxy": "nas"}
    )


def test_keys_in_the_env_file_stay_there() -> None:
    Path(".env").write_text(f"STLFLOW_ACCESS_KEY={SECRET}\nSECRET_KEY={SECRET}\n")
    assert plan().credentials == ()


def test_keys_that_no_file_holds_come_from_secret_files(monkeypatch: pytest.MonkeyPatch) -> None:
    assert plan().credentials == BOTH
    for name in ("ACCESS_KEY", "STLFLOW_SECRET_KEY"):
        monkeypatch.setenv(name, SECRET)
    assert plan().credentials == BOTH
    assert SECRET not in str(plan())


def test_a_password_of_the_database_is_never_in_the_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STLFLOW_DATABASE_URL", f"postgresql://stlflow:{SECRET}@db/parts")
    assert plan().credentials == (*BOTH, "STLFLOW_DATABASE_URL")
    assert SECRET not in str(plan())


def test_an_address_of_notices_is_never_in_the_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the address of an incoming webhook can write to the channel."""
    monkeypatch.setenv("STLFLOW_NOTICES_SHOP_SLACK", f"https://hooks.slack.com/services/{SECRET}")
    monkeypatch.setenv("STLFLOW_NOTICES_MAIL_PASSWORD", SECRET)
    made = plan()
    assert sorted(made.credentials) == sorted(
        (*BOTH, "STLFLOW_NOTICES_SHOP_SLACK", "STLFLOW_NOTICES_MAIL_PASSWORD")
    )
    assert SECRET not in str(made)
    assert not [name for name in made.variables if "NOTICES" in name]


def test_what_only_this_environment_says_is_carried_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("stlflow.toml").write_text('state = "here"\n')
    monkeypatch.delenv("STLFLOW_CONSOLE_PORT", raising=False)  # of the tests
    monkeypatch.setenv("STLFLOW_SHARE", "parts")
    monkeypatch.setenv("STLFLOW_SETTLE_SECONDS", "3")
    made = plan()
    assert made.variables == {
        "STLFLOW_SHARE": str(tmp_path / "parts"),
        "STLFLOW_SETTLE_SECONDS": "3",
        "NO_PROXY": "nas",
    }
    assert (made.folder, made.state) == (tmp_path, tmp_path / "here")
    assert Path(made.command[0]).is_absolute()
    assert made.command[-1] == "run"
