"""`first-contact` reads; with `--upload` and a yes it makes one part; `simulator --like` takes its file."""

import json

from tests.cli.command import Desk
from tests.cloud import Cloud


def parts(cloud: Cloud) -> int:
    return len(cloud.world()["parts"])


def test_only_an_upload_that_was_agreed_to_makes_a_part(desk: Desk, cloud: Cloud) -> None:
    before = parts(cloud)
    read = desk.run("first-contact")
    assert read.code == 0, read.err
    assert "Whether an upload becomes a build is still unknown" in read.out
    (desk.folder / "observed.json").unlink()
    assert desk.run("first-contact", "--upload").code == 130  # nobody answers the question
    assert (desk.folder / "observed.json").exists(), "what was read is not lost"
    assert parts(cloud) == before
    done = desk.run("first-contact", "--upload", "--yes", "--preset", "Onyx", "--json")
    assert done.document()["builds"] == "auto"
    assert parts(cloud) == before + 1
    written = json.loads((desk.folder / "observed.json").read_text("utf-8"))
    assert written == done.document()
    with desk.serving("simulator", "--port", "0", "--like", "observed.json", "--units", "in") as simulator:
        assert "url" in json.loads(simulator.first_line())


def test_a_file_of_something_else_is_refused(desk: Desk) -> None:
    (desk.folder / "other.json").write_text("{}", "utf-8")
    refused = desk.run("simulator", "--like", "other.json")
    assert (refused.code, refused.one_line()) == (
        2,
        "stlflow: other.json was not written by `stlflow first-contact`.",
    )
    assert desk.run("first-contact", "--upload", "--yes", "--preset", "Gold").code == 2
