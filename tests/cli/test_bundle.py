"""`stlflow bundle`: a new file each time, also without a service, and never over another one."""

import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Say


def test_it_is_written_once_and_names_no_key(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STLFLOW_ACCESS_KEY", "AKplanted0001")
    monkeypatch.setenv("STLFLOW_SECRET_KEY", "SKplanted0002")
    monkeypatch.setenv("STLFLOW_EIGER_URL", "http://127.0.0.1:9/api/v3")
    written = say("bundle", "support.zip")
    assert (written.code, written.err) == (0, "")
    assert written.out.startswith("support.zip is written, ")
    with zipfile.ZipFile(tmp_path / "support.zip") as bundle:
        assert "cloud.reach" in bundle.read("doctor.json").decode()
        assert all(b"planted" not in bundle.read(name) for name in bundle.namelist())
    again = say("bundle", "support.zip")
    assert (again.code, "support.zip exists. Name a new file." in again.err) == (2, True)
    nowhere = say("bundle", "no/folder/support.zip")
    assert (nowhere.code, "can't be written: No such file or directory." in nowhere.err) == (2, True)
