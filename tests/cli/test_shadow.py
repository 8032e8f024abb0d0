"""`run --shadow` watches; `shadow` says what would have been sent."""

from tests.cli.command import Desk
from tests.cloud import Cloud
from tests.stl import box
from tests.waiting import until


def test_the_report_of_a_watched_drop(desk: Desk, cloud: Cloud) -> None:
    (desk.share / "inbox").mkdir(parents=True)
    assert desk.run("shadow").out.startswith("No file was seen in shadow mode yet.")
    written = [entry for entry in cloud.journal() if entry["method"] != "GET"]
    with desk.serving("run", "--shadow") as service:
        assert until(lambda: "Shadow mode: nothing is uploaded" in service.said()), service.said()
        desk.drop("bracket.stl", box())
        assert until(lambda: desk.run("shadow", "--json").document()["would_have"]["send"] == 1)
        assert service.stop() == 0
    text = desk.run("shadow").out
    assert "stlflow would have: sent 1." in text
    assert "match 0 of them by name and time. stlflow agrees in 0." in text
    assert "1 x no build of this name and time in Eiger" in text
    assert desk.stls() == ["inbox/bracket.stl"]
    assert [entry for entry in cloud.journal() if entry["method"] != "GET"] == written
