"""`stlflow status`: a dead service never looks healthy, and a monitor learns which part is wrong."""

from contextlib import suppress

import pytest

from tests.cli.command import Desk
from tests.stl import box
from tests.waiting import until


def test_the_screen_of_a_running_service_and_of_a_killed_one(desk: Desk) -> None:
    (desk.share / "inbox").mkdir(parents=True)
    with desk.serving() as service:
        assert until(lambda: "Watching" in service.said(), 60), service.said()
        healthy = desk.run("status", "--json")
        assert healthy.code == 0, healthy.out
        desk.drop("small.stl", box(1, 0.5, 0.5))
        assert until(lambda: "held/small.stl" in desk.stls(), 60), service.said()
        held = desk.run("status")
        document = desk.run("status", "--json").document()
        away = desk.run("status", STLFLOW_EIGER_URL="http://127.0.0.1:9/api/v3")
        service.process.kill()
        service.process.wait(60)
    assert held.code == 1, held.out
    assert "1 worker running: " in held.out
    assert "1 held" in held.out
    assert "1 submission is held: 1 for rule." in held.out
    assert document["counts"] == {"held": 1}
    assert document["service"]["grade"] == "ok"
    assert (away.code, "cloud     fail" in away.out) == (3, True)
    killed = desk.run("status")
    assert killed.code == 2
    assert "service   fail  No worker is running" in killed.out


def test_without_a_share_or_a_database_it_is_critical(desk: Desk) -> None:
    with suppress(FileNotFoundError):
        desk.share.rmdir()
    never = desk.run("status", "--json")
    assert never.code == 2
    assert never.document()["service"]["says"].startswith("No worker is running")
    assert not desk.state.exists()


@pytest.mark.parametrize("words", [("run",), ("list",), ("batch", "."), ("intake", "mark")], ids=" ".join)
def test_no_second_database_is_begun_beside_one_that_was_moved(desk: Desk, words: tuple[str, ...]) -> None:
    desk.state.mkdir()
    (desk.state / "stlflow.db.moved").write_bytes(b"")
    refused = desk.run(*words)
    assert refused.code == 2
    assert "STLFLOW_DATABASE_URL is not set now. Set it again." in refused.err
    assert [found.name for found in desk.state.iterdir() if found.suffix == ".db"] == []
