"""Every wrong value of every setting, wherever it stands, is one sentence that says what to write instead."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from workflow.errors import SettingsError
from workflow.settings import ENV_PREFIX, Settings, load_settings
from workflow.settings.model import setting_type

SECRET = "q8Zk3VbT0pXw7LsD"  # as long as the longest value that is shown
TOML = {
    bool: ['"perhaps"', '""', "2", "1.5", "[]", "2026-11-25"],
    int: ['"many"', '""', '"2,5"', "2.5", "true", "[1]", "1e40", "nan", "99999999999999999999"],
    float: ['"soon"', '""', '"5 s"', "true", "{a = 1}", "inf", "nan", "-inf", "1e10", "07:30:00"],
    str: ["5", "true", '["a"]', '"""\na\n\tb"""'],
    Path: ["5", "false", '""', '"  "', '"a\\tb"', "[]", "2026-11-25T07:30:00"],
    SecretStr: ["5", "true", '"two words"', "['a']"],
}
ELSEWHERE = {
    bool: ["", "perhaps", "2"],
    int: ["", " ", "many", "2.5", "2,5", "1e40", "99999999999999999999"],
    float: ["", "soon", "5 s", "2,5", "nan", "inf", "-inf", "1e10"],
    str: ["tab\there"],
    Path: ["", "  ", "a\tb"],
    SecretStr: ["two words", f"{SECRET} {SECRET}"],
}
MORE = {
    "log_level": ["LOUD", "", "10"],
    "eiger_link": [
        "eiger.io/{build_id}",
        "https://eiger.io/",
        "https://eiger.io/{build}",
        "https://e/{build_id} {",
    ],
    "timezone": ["Vienna", "../etc/passwd", "Europe", "", "CEST+1"],
    "eiger_url": ["ftp://eiger", "eiger.io", "https://key:secret@www.eiger.io/api/v3", ""],
    "database_url": ["mysql://db", "postgres", "", f"oracle://me:{SECRET}@db"],
    "refuse_meshes_with": [],
    "console_proxy_role": ["root", ""],
}
SENTENCE = re.compile(
    r"(stlflow\.toml line 2|\.env line 2|The environment): (?P<name>\w+) is "
    r"(\S[^;]*, but|not what it) must be,? (?P<allowed>[^;]+); write (?P<written>.+?)"
    r"(?P<note> \(the default\))? or (remove the line|unset it)\."
)
PYDANTIC = re.compile(r"(?i)input|valid|pars|should|greater|less than|none required")


@pytest.fixture(autouse=True)
def no_port_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """No console port comes from the environment, as it does for all other tests."""
    monkeypatch.delenv("STLFLOW_CONSOLE_PORT")


@dataclass(frozen=True)
class Case:
    """One wrong value, as it is written in its source."""

    setting: str
    source: str
    value: str

    @property
    def line(self) -> str:
        if self.source == "stlflow.toml":
            return f"{self.setting} = {self.value}"
        return f"{ENV_PREFIX}{self.setting.upper()}={self.value}"


def out_of_bounds(field: FieldInfo) -> Iterator[str]:
    for bound in field.metadata:
        yield from (f"{getattr(bound, name) - 1:g}" for name in ("ge",) if hasattr(bound, name))
        yield from (f"{getattr(bound, name):g}" for name in ("gt",) if hasattr(bound, name))
        yield from (f"{getattr(bound, name) + 1:g}" for name in ("le",) if hasattr(bound, name))


def cases(setting: str) -> Iterator[Case]:
    field = Settings.model_fields[setting]
    kind, beyond = setting_type(field), list(out_of_bounds(field))
    assert beyond or kind not in {int, float}, f"{setting} is a number without bounds"
    texts = MORE.get(setting, [])
    for value in (*TOML[kind], *beyond, *map(json.dumps, texts)):
        yield Case(setting, "stlflow.toml", value)
    for value in (*ELSEWHERE[kind], *beyond, *texts):
        quoted = json.dumps(value, ensure_ascii=False) if value.strip() != value or " " in value else value
        yield Case(setting, ".env", quoted)
        yield Case(setting, "environment", value)


def give(case: Case, patch: pytest.MonkeyPatch) -> None:
    if case.source == "environment":
        patch.setenv(*case.line.split("=", 1))
    else:
        Path(case.source).write_text(f"# a comment\n{case.line}\n", "utf-8")


@pytest.mark.parametrize("setting", Settings.model_fields)
def test_a_wrong_value_is_one_sentence(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for case in cases(setting):
        with monkeypatch.context() as patch:
            assert_one_sentence(case, patch)
            Path(case.source).unlink(missing_ok=True)


def assert_one_sentence(case: Case, patch: pytest.MonkeyPatch) -> None:
    """Check what is said of one wrong value, and that what it says to write is taken."""
    give(case, patch)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    text = str(refused.value)
    said = SENTENCE.fullmatch(text)
    assert said is not None, text
    assert said["name"] == case.line.replace("=", " ").split()[0]
    assert PYDANTIC.search(text) is None
    assert SECRET not in text
    if case.source == "environment":
        patch.setenv(*said["written"].split("=", 1))
    else:
        Path(case.source).write_text(f"{said['written']}\n", "utf-8")
    settings = load_settings()
    if said["note"]:
        assert getattr(settings, case.setting) == Settings.model_fields[case.setting].default


def test_the_test_sees_every_setting_in_every_source() -> None:
    seen = {(case.setting, case.source) for setting in Settings.model_fields for case in cases(setting)}
    assert seen == {
        (name, source) for name in Settings.model_fields for source in ("stlflow.toml", ".env", "environment")
    }


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            'sweep_seconds = "soon"',
            'stlflow.toml line 2: sweep_seconds is "soon", but must be a number above 0; '
            "write sweep_seconds = 2.0 (the default) or remove the line.",
        ),
        (
            "uploads_at_once = 64",
            "stlflow.toml line 2: uploads_at_once is 64, but must be a whole number from 1 to 32; "
            "write uploads_at_once = 8 (the default) or remove the line.",
        ),
        (
            'print_now_armed = "ja"',
            'stlflow.toml line 2: print_now_armed is "ja", but must be true or false; '
            "write print_now_armed = false (the default) or remove the line.",
        ),
        (
            "console_port = 84800",
            "stlflow.toml line 2: console_port is 84800, but must be a whole number from 0 to 65535; "
            "write console_port = 8480 (the default) or remove the line.",
        ),
        (
            'log_level = "warn"',
            'stlflow.toml line 2: log_level is "warn", but must be DEBUG, INFO, WARNING or ERROR; '
            'write log_level = "WARNING" or remove the line.',
        ),
        (
            'timezone = "Vienna"',
            'stlflow.toml line 2: timezone is "Vienna", but must be a time zone that is known here; '
            'write timezone = "Europe/Vienna" or remove the line.',
        ),
        (
            'share = "C:\\temp\\new"',
            'stlflow.toml line 2: share is "C:\\temp\\new", but must be a path; '
            "write share = 'C:\\temp\\new' or remove the line.",
        ),
        (
            'eiger_url = "eiger.io"',
            "stlflow.toml line 2: eiger_url is not what it must be, an address that begins with https:// "
            'and holds no keys; write eiger_url = "https://www.eiger.io/api/v3" (the default) '
            "or remove the line.",
        ),
    ],
)
def test_what_the_sentence_says(line: str, sentence: str) -> None:
    Path("stlflow.toml").write_text(f"# a comment\n{line}\n")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == sentence


def test_all_wrong_values_are_told_at_once_each_where_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("stlflow.toml").write_text('share = """\n"""\nsweep_seconds = 0\nstall_seconds = -1\n')
    Path(".env").write_text("STLFLOW_SWEEP_SECONDS=3\n\nexport STLFLOW_LOG_JSON=perhaps\n")
    monkeypatch.setenv("stlflow_stall_seconds", "-2")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    places = [line.split(" is ")[0] for line in str(refused.value).splitlines()]
    assert places == [
        "stlflow.toml line 1: share",
        "The environment: stlflow_stall_seconds",
        ".env line 3: STLFLOW_LOG_JSON",
    ]


def test_a_key_in_the_wrong_line_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STLFLOW_SECRET_KEY", SECRET)
    for value in (SECRET, f"{SECRET}0"):
        monkeypatch.setenv("STLFLOW_SWEEP_SECONDS", value)
        with pytest.raises(SettingsError) as refused:
            load_settings()
        assert SECRET not in str(refused.value)


def test_a_wrong_secret_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "STLFLOW_LOG_JSON").write_text("perhaps\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "secrets"))
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == (
        'The secret file STLFLOW_LOG_JSON: STLFLOW_LOG_JSON is "perhaps", but must be true or false; '
        "write false (the default) or remove the file."
    )
