"""A step or a watcher that looked for a file, and acts on what was true a moment before."""

from collections.abc import Iterator
from threading import Event, Thread
from types import ModuleType
from typing import Any

import pytest

from tests.pipeline.at_once import Bench, opened_bench
from tests.pipeline.test_decisions_at_once import HELD, SENT, ending
from workflow.intake import claim
from workflow.ledger import Ledger
from workflow.model import Submission
from workflow.pipeline import finish, ingest, missing_file, moved_files
from workflow.pipeline.missing_file import belongs_to_newer


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with opened_bench(tmp_path_factory.mktemp("bench")) as bench:
        bench.shop.service.stop()
        yield bench


@pytest.mark.parametrize(("command", "module"), [("cancel", finish), ("retry", ingest)])
def test_a_step_that_looked_just_before_a_newer_file_came_leaves_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, command: str, module: ModuleType
) -> None:
    part = bench.put_on_hold("rule")
    bench.command(part, command)()
    bench.move(part, "inbox")()
    bench.watch(part.path)
    newer = bench.submissions(part.path)[1:]
    looked = belongs_to_newer

    def look_and_be_late(ledger: Ledger, submission: Submission) -> bool:
        found = looked(ledger, submission)
        monkeypatch.setattr(module, "belongs_to_newer", looked)
        bench.run(newer)
        return found

    monkeypatch.setattr(module, "belongs_to_newer", look_and_be_late)
    bench.run(bench.submissions(part.path)[:1])
    bench.rest(part.path)
    assert ending(bench, part) == HELD, bench.history(part.path)


@pytest.mark.parametrize("has_ended", [True, False])
def test_an_end_that_looks_for_its_file_while_that_is_taken_from_approved(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, has_ended: bool
) -> None:
    part = bench.put_on_hold("route")
    bench.command(part, "release")()
    bench.move(part, "approved")()
    seen, looked = Event(), Event()
    end = Thread(target=bench.work, args=(part.path,))
    reclaim, find = claim.reclaim_file, missing_file.find_moved_file

    def find_and_be_late(*arguments: Any) -> str | None:
        found = find(*arguments)
        looked.set()
        assert has_ended or seen.wait(60)
        return found

    def reclaim_late(*arguments: Any) -> str:
        end.start()
        assert looked.wait(60)
        if has_ended:
            end.join()
        return reclaim(*arguments)

    monkeypatch.setattr(finish, "find_moved_file", find_and_be_late)
    monkeypatch.setattr(moved_files, "reclaim_file", reclaim_late)
    bench.watch(part.path)
    seen.set()
    end.join()
    bench.rest(part.path)
    assert ending(bench, part) == SENT, bench.history(part.path)


@pytest.mark.parametrize("looks", ["hash_file", "signature_of", "find_moved", None])
@pytest.mark.parametrize("command", ["release", "retry"])
def test_an_approved_file_that_is_seen_again_before_it_is_taken(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, command: str, looks: str | None
) -> None:
    part = bench.put_on_hold("route")
    bench.command(part, command)()
    bench.move(part, "approved")()
    if command == "release":
        bench.work(part.path)  # sent, and its file not found in held/
    bench.watch(part.path)
    if looks is not None:
        look = vars(moved_files)[looks]

        def look_and_be_late(*arguments: Any) -> Any:
            found = look(*arguments)
            bench.work(part.path)
            return found

        monkeypatch.setattr(moved_files, looks, look_and_be_late)
    bench.watch(part.path)
    monkeypatch.undo()
    bench.rest(part.path)
    assert len(bench.submissions(part.path)) == 1
    assert ending(bench, part) == SENT, bench.history(part.path)
