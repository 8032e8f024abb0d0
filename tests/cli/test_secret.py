"""`secret set` and `secret test`: where a key goes, who may read it, and that it is never shown."""

import io
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Say
from tests.cloud import Cloud
from workflow.settings import load_settings

VALUE = "k3y-Of-The-Organization"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("workflow.settings.secrets.SYSTEM_CREDENTIALS", tmp_path / "etc")
    return tmp_path / "etc"


def typed(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{value}\n"))


def test_a_secret_file_is_private_and_read_without_any_variable(
    say: Say, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    typed(monkeypatch, VALUE)
    done = say("secret", "set", "secret-key")
    assert done.code == 0, done.err
    assert VALUE not in done.out + done.err
    place = Path(done.out.split(" has it now")[0])
    assert place.read_text() == f"{VALUE}\n"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert load_settings().secret_key.get_secret_value() == VALUE
    assert place.parent in {own_home, Path.home() / ".config" / "stlflow" / "credentials"}


def test_a_line_of_env_is_replaced_and_the_others_stay(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("# keys\nSTLFLOW_ACCESS_KEY=old\nSTLFLOW_SHARE=parts\n")
    typed(monkeypatch, VALUE)
    assert say("secret", "set", "access-key", "--to", "env").code == 0
    assert Path(".env").read_text() == f"# keys\nSTLFLOW_SHARE=parts\nSTLFLOW_ACCESS_KEY={VALUE}\n"
    assert stat.S_IMODE(Path(".env").stat().st_mode) == 0o600


def test_a_value_that_another_source_hides_is_warned_of(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STLFLOW_ACCESS_KEY", "another")
    typed(monkeypatch, VALUE)
    warned = say("secret", "set", "access-key")
    assert warned.err.splitlines() == [
        "Warning: the environment has another value, and comes first. Remove it there."
    ]


def test_what_is_no_secret_is_refused_and_not_repeated(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "two words")
    refused = say("secret", "set", "access-key")
    assert refused.code == 2
    assert "two words" not in refused.err
    typed(monkeypatch, "")
    assert "No access-key on stdin" in say("secret", "set", "access-key").err


def test_the_keyring_is_read_only_where_it_is_asked_for(
    say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A stand-in for the package keyring, which keeps its passwords in a file: no desktop runs here."""
    package = tmp_path / "stand_in" / "keyring"
    package.mkdir(parents=True)
    (package / "errors.py").write_text("class KeyringError(Exception): pass\n")
    (package / "__init__.py").write_text(
        "from pathlib import Path\n"
        "def _file(*words): return Path(__file__).with_name('-'.join(words))\n"
        "def set_password(*words): _file(*words[:2]).write_text(words[2])\n"
        "def get_password(*words): return _file(*words).read_text() if _file(*words).exists() else None\n"
    )
    monkeypatch.syspath_prepend(str(package.parent))
    typed(monkeypatch, VALUE)
    assert say("secret", "set", "secret-key", "--to", "keyring").code == 0
    assert load_settings().secret_key.get_secret_value() == ""
    Path("stlflow.toml").write_text("keyring = true\n")
    assert load_settings().secret_key.get_secret_value() == VALUE


def test_the_test_says_where_keys_come_from_and_asks_eiger(
    say: Say, monkeypatch: pytest.MonkeyPatch, cloud: Cloud
) -> None:
    monkeypatch.setenv("STLFLOW_EIGER_URL", cloud.url)
    monkeypatch.setenv("STLFLOW_SECRET_KEY", "demo")
    Path(".env").write_text("STLFLOW_ACCESS_KEY=demo\n")
    good = say("secret", "test")
    assert good.code == 0
    assert good.out.splitlines()[:3] == [
        "access-key    from .env line 1",
        "secret-key    from the environment",
        "database-url  not set",
    ]
    assert good.out.splitlines()[-1].startswith("Eiger accepts the keys: ")
    monkeypatch.setenv("STLFLOW_SECRET_KEY", "wrong")
    assert say("secret", "test").code == 3
