"""A stlflow.toml that is no TOML: the line, and how to write it; a Windows path above all. Secret files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workflow.errors import SettingsError
from workflow.settings import load_settings
from workflow.settings.secrets import write_secret_file

ADVICE = "in double quotes a backslash begins a special character; write it in single quotes"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (r'share = "C:\Users\Anna\parts"', rf"{ADVICE}: share = 'C:\Users\Anna\parts'"),
        (r'share = "\\server\parts"  # there', rf"{ADVICE}: share = '\\server\parts'"),
        (r'share = "D:\Shop Floor\größe"', rf"{ADVICE}: share = 'D:\Shop Floor\größe'"),
        (r"share = C:\Users\Anna", 'write text in quotes: share = "…"'),
        ("share = drop", 'write text in quotes: share = "…"'),
        ("share: 'drop'", "write an equals sign between a name and its value: share = …"),
        ("log_json = True", "write log_json = true or log_json = false, in small letters."),
        ("log_json = yes  # always", "write log_json = true or log_json = false, in small letters."),
        (r'access_key = "q8Z\k3"', f"{ADVICE}."),
        ("share =", "share has no value: write share = …, or remove the line."),
        ("share  # here", "share has no value: write share = …, or remove the line."),
        ("state = 'y'\nstate = 'x'", "this name is set a second time: remove one of the two lines."),
    ],
)
def test_a_broken_line_says_how_to_write_it(line: str, said: str) -> None:
    Path("stlflow.toml").write_text(f"# mine\nlog_level = 'INFO'\n{line}\n", "utf-8")
    number = 4 if "\n" in line else 3
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == f"stlflow.toml line {number}: {said}"


def test_a_text_without_its_end() -> None:
    Path("stlflow.toml").write_text("share = '''drop\n\n", "utf-8")
    with pytest.raises(
        SettingsError,
        match=r"^stlflow\.toml line 2: this is not TOML \([^\n]+\): write it as NAME = value\.$",
    ):
        load_settings()


def test_a_path_in_single_quotes_is_taken_as_it_is() -> None:
    Path("stlflow.toml").write_text(r"share = 'C:\Users\Anna\parts'", "utf-8")
    assert str(load_settings().share) == r"C:\Users\Anna\parts"


def test_a_secret_that_can_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "STLFLOW_SECRET_KEY" / "in the way").mkdir(parents=True)
    with pytest.raises(SettingsError, match="can't be written"):
        write_secret_file(tmp_path, "STLFLOW_SECRET_KEY", "hemmelig")
    assert [each.name for each in tmp_path.iterdir()] == ["STLFLOW_SECRET_KEY"]
    assert write_secret_file(tmp_path / "new", "STLFLOW_SECRET_KEY", "pä").read_text("utf-8") == "pä\n"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root becomes another account"
)
def test_an_account_without_a_home_has_settings(tmp_path: Path) -> None:
    looks = (
        "import os\nfrom workflow.settings.secrets import own_credentials\n"
        "os.environ.pop('HOME', None)\nos.setuid(54321)\nprint(own_credentials())"
    )
    said = subprocess.run([sys.executable, "-c", looks], capture_output=True, text=True, check=False)
    assert said.stdout == "/etc/stlflow/credentials\n", said.stderr
