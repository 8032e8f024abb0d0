"""Looking at who works, and moving up, with the real commands."""

import json
from pathlib import Path

import pytest

from tests.cli.command import Desk, said
from tests.stl import box
from tests.waiting import until


def test_workers_shows_who_lives_and_does_what(desk: Desk) -> None:
    warned = desk.run("workers").one_line()
    assert warned.startswith("Warning: No worker is running: nothing is taken from the inbox")
    with desk.serving() as service:
        assert until(lambda: "Watching" in service.said()), service.said()
        (row,) = json.loads(desk.run("workers", "--json").out)
        line = desk.run("workers").out
        checked = desk.run("doctor")
        assert service.stop() == 0
    assert (row["pid"], row["in_hands"]) == (service.process.pid, [])
    assert row["silent_seconds"] < 60
    assert f"process {service.process.pid}, release" in line
    assert line.endswith("no running step\n")
    assert checked.code == 0, checked.out
    assert "stlflow runs on this state folder. A second one would be refused." in checked.out
    assert f"1 running: {row['name']} (process {row['pid']})." in checked.out
    assert json.loads(desk.run("workers", "--json").out) == []


def test_moving_up_keeps_everything_and_the_service_goes_on(desk: Desk, postgres_url: str) -> None:
    (desk.share / "inbox").mkdir(parents=True)
    with desk.serving() as service:
        assert until(lambda: "Watching" in service.said()), service.said()
        desk.drop("small.stl", box(1, 0.5, 0.5))
        assert until(lambda: "held/small.stl" in desk.stls()), service.said()
        refused = desk.run("move-ledger", STLFLOW_DATABASE_URL=postgres_url)
        assert refused.code == 2
        assert "Another stlflow is running on the state folder" in refused.one_line()
        assert service.stop() == 0
    moved = desk.run("move-ledger", STLFLOW_DATABASE_URL=postgres_url)
    assert moved.out.startswith("1 submission moved. The old database is kept as "), moved.err
    assert (desk.state / "stlflow.db.moved").exists()
    (desk.state / "stlflow.db").touch()
    again = desk.run("move-ledger", STLFLOW_DATABASE_URL=postgres_url)
    assert "stlflow.db.moved is of an earlier move" in again.one_line()
    (desk.state / "stlflow.db").unlink()
    up = Desk(desk.folder, desk.url, {"STLFLOW_DATABASE_URL": postgres_url})
    assert up.run("release", "1").code == 0
    checked = up.run("doctor")
    assert "opens and is of this release." in checked.out
    assert "The database " in checked.out
    assert checked.code == 0, checked.out
    with up.serving() as service:
        assert until(lambda: "done/small.stl" in up.stls()), service.said()
        assert service.stop() == 0
    assert [row["state"] for row in json.loads(up.run("list", "--json").out)] == ["dispatched"]


@pytest.mark.parametrize(
    ("words", "settings", "line"),
    [
        (("move-ledger",), {}, "stlflow: Set STLFLOW_DATABASE_URL to the new database first"),
        (
            ("move-ledger",),
            {"STLFLOW_DATABASE_URL": "sqlite:///new.db"},
            "stlflow: There is no ledger to move at ",
        ),
        (("settle", "1"), {}, "Say either --sent RECEIPT or --not-sent."),
    ],
    ids=["nowhere to go", "nothing to move", "said neither"],
)
def test_what_makes_no_sense_is_one_line(
    words: tuple[str, ...],
    settings: dict[str, str],
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {"STLFLOW_STATE": str(tmp_path / "state"), **settings}.items():
        monkeypatch.setenv(name, value)
    ended = said(words, capsys, monkeypatch)
    assert ended.code == 2
    assert line in ended.err
