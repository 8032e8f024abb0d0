"""Whose a file is: the name of its owner's account, or nothing."""

import pwd
from pathlib import Path

import pytest

from workflow.intake.spool import file_owner


def test_the_owner_is_named_by_the_account(tmp_path: Path) -> None:
    file = tmp_path / "a.stl"
    file.write_bytes(b"solid")
    with file.open("rb") as opened:
        assert file_owner(opened.fileno()) == file.owner()


def test_an_account_without_a_name_is_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_account(number: int) -> pwd.struct_passwd:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", no_account)
    with (tmp_path / "a.stl").open("xb") as opened:
        assert file_owner(opened.fileno()) is None
