"""A stlflow.toml that is no TOML: the line, and how to write it; a Windows path above all."""

from pathlib import Path

import pytest

from workflow.errors import SettingsError
from workflow.settings import load_settings

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
