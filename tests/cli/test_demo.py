"""The demo as a newcomer runs it: another folder, no account, one document."""

import json
from pathlib import Path

import pytest

from tests.cli.command import Desk, Ended
from workflow.shipped import shipped

ROW = (
    "id", "path", "state", "hold", "reason", "preset", "intake_rule", "routing_rule", "destination", "device",
    "build_id", "receipt_id", "sha256", "seconds",
)  # fmt: skip


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """One demo, from a folder that has nothing to do with it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    return Desk(folder, "http://127.0.0.1:9/api/v3").run("demo", "--once", "--json", "--folder", "place")


def test_every_sample_ends_as_its_manifest_says(shown: Ended) -> None:
    assert shown.code == 0, shown.err
    document = shown.document()
    manifest = json.loads((shipped("samples") / "manifest.json").read_text("utf-8"))["samples"]
    ended = {
        row["path"]: (row["state"], row["preset"], row["destination"]) for row in document["submissions"]
    }
    assert ended == {each["path"]: (each["state"], each["preset"], each["destination"]) for each in manifest}
    assert document["ok"] is True


def test_the_document_has_the_shape_that_scripts_rely_on(shown: Ended) -> None:
    document = shown.document()
    assert set(document) == {"submissions", "ok"}
    assert {tuple(row) for row in document["submissions"]} == {ROW}
    sent = [row for row in document["submissions"] if row["state"] == "dispatched"]
    assert all(row["receipt_id"] and row["build_id"] and len(row["sha256"]) == 64 for row in sent)
    rejected = [row for row in document["submissions"] if row["state"] == "rejected"]
    assert all(row["reason"] and row["receipt_id"] is None for row in rejected)


def test_it_says_on_stderr_where_to_drop_and_what_stays(shown: Ended) -> None:
    assert f"Drop STL files into {Path('place', 'share', 'inbox')}" in shown.err
    assert "The folders stay at place" in shown.err
    assert "Traceback" not in shown.err
