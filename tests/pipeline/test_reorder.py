"""The note of a sent part, dropped into the inbox, sends the same build once more."""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pipeline.conftest import Open, Shop, dispatched, held
from tests.stl import box
from tests.waiting import until
from workflow.intake import InboxScan
from workflow.ledger import deregister_worker, register_worker
from workflow.model import HoldReason, Submission
from workflow.pipeline.heartbeat import Heartbeat
from workflow.pipeline.inbox_events import InboxEvents
from workflow.pipeline.reorder import TAKEN_PREFIX, NoteOrders

PATIENT = 30.0


def send_one(shop: Shop, path: str, content: bytes) -> Submission:
    shop.drop(path, content)
    first = shop.wait(path, dispatched, PATIENT)
    assert until((shop.share / f"done/{path}.txt").exists)
    return first


def order(shop: Shop, here: str, there: str, line: str = "") -> None:
    note = shop.share / here
    if line:
        note.write_bytes(note.read_bytes() + line.encode())
    (shop.share / "inbox" / there).parent.mkdir(parents=True, exist_ok=True)
    note.rename(shop.share / "inbox" / there)


def wait_for_order(shop: Shop, first: Submission, path: str) -> Submission:
    return shop.wait(path, lambda each: each.id > first.id and dispatched(each), PATIENT)


def uploads(shop: Shop) -> int:
    return sum(entry["operation"] == "uploadStl" for entry in shop.cloud.journal())


@pytest.mark.parametrize(
    ("name", "line", "copies"),
    [("a.stl.txt", "", 1), ("3x b.stl.txt", "", 3), ("c.stl.txt", "\r\nCopies: 2\r\n", 2)],
)
def test_a_note_orders_the_same_build_again(context: Shop, name: str, line: str, copies: int) -> None:
    path = f"again/{name.removeprefix('3x ').removesuffix('.txt')}"
    first = send_one(context, path, box(20, 21, 22 + len(path) / 100 + copies))
    before = uploads(context)
    order(context, f"done/{path}.txt", f"again/{name}", line)
    second = wait_for_order(context, first, path)
    assert (second.build_id, second.reused, second.copies) == (first.build_id, first.id, copies)
    assert context.sent(second) == 1 + copies
    assert uploads(context) == before
    assert f"submission {second.id}" in context.note(f"done/{path}").splitlines()[0]
    assert (context.share / f"done/{path}").is_file()
    assert until(lambda: not list((context.share / "inbox").rglob("*.txt")))
    assert not list((context.share / "processing").rglob("*.txt"))


def test_a_file_with_its_note_is_one_order(context: Shop) -> None:
    first = send_one(context, "pair.stl", box(20, 21, 31))
    before = uploads(context)
    order(context, "done/pair.stl.txt", "pair.stl.txt")
    (context.share / "done/pair.stl").rename(context.share / "inbox/pair.stl")
    second = wait_for_order(context, first, "pair.stl")
    assert (second.build_id, uploads(context)) == (first.build_id, before)
    assert context.sent(second) == 2
    assert context.places("pair.stl") == {"done/pair.stl"}
    assert until(lambda: not list((context.share / "inbox").rglob("pair*")))
    assert len([each for each in context.service.ledger.all() if each.path == "pair.stl"]) == 2


def test_a_build_that_was_deleted_is_not_ordered(open_shop: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = open_shop()
    first = send_one(shop, "gone.stl", box(20, 21, 32))
    monkeypatch.setattr("workflow.pipeline.find_build.is_build_there", lambda *_: False)
    order(shop, "done/gone.stl.txt", "gone.stl.txt")
    second = shop.wait("gone.stl", lambda each: each.id > first.id and held(each), PATIENT)
    assert second.hold is HoldReason.FILE
    assert "Eiger no longer has the build" in shop.note("held/gone.stl")
    assert shop.sent(first) == 1


def test_the_note_of_a_held_order_stays_if_its_file_is_gone(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflow.pipeline.inbox_notes._HELD_SECONDS", 0.0)
    shop = open_shop()
    first = send_one(shop, "lost.stl", box(20, 21, 43))
    monkeypatch.setattr("workflow.pipeline.find_build.is_build_there", lambda *_: False)
    (shop.share / "done/lost.stl").unlink()
    order(shop, "done/lost.stl.txt", "lost.stl.txt")
    second = shop.wait("lost.stl", lambda each: each.id > first.id and held(each), PATIENT)
    assert shop.service.inbox is not None
    for _ in range(2):
        shop.service.inbox.scan()
    (note,) = (shop.share / "held").glob("*.txt")
    assert f"submission {second.id}" in note.read_text("utf-8-sig").splitlines()[0]


def test_an_order_that_a_crash_cut_off_is_sent_once(open_shop: Open) -> None:
    """The note was taken, and its submission begun: what is left of it orders nothing more."""
    shop = open_shop()
    first = send_one(shop, "cut.stl", box(20, 21, 33))
    share = shop.service.context.share
    claims = share.root / share.claims_folder
    claims.mkdir(exist_ok=True)
    place = claims / f"{TAKEN_PREFIX}abc~2x cut.stl.txt"
    orders = NoteOrders(shop.service.ledger, share, shop.service.wake, 0)
    note = (shop.share / "done/cut.stl.txt").read_bytes()
    (shop.share / "done/cut.stl.txt").unlink()
    for _ in range(2):  # once before the submission was begun, and once after that
        place.write_bytes(note)
        orders.recover()
        orders.carry_out(InboxScan(frozenset()))
        assert not place.exists()
        wait_for_order(shop, first, "cut.stl")
    assert shop.sent(first) == 1 + 2
    assert len(shop.service.ledger.all()) == 2


def test_too_many_notes_at_once_are_said_once(context: Shop) -> None:
    send_one(context, "many.stl", box(20, 21, 44))
    share = context.service.context.share
    orders = NoteOrders(context.service.ledger, replace(share, watches="orders"), context.service.wake, 1)
    note, folder = context.share / "done/many.stl.txt", context.share / "orders"
    folder.mkdir()
    names = frozenset({"1x many.stl.txt", "2x many.stl.txt"})
    for name in names:
        (folder / name).write_bytes(note.read_bytes())
    for _ in range(3):
        assert orders.carry_out(InboxScan(frozenset(), texts=names)) == names
    (first, why), *others = orders.refused.items()
    assert (first, others) == ("1x many.stl.txt", []), "one note says it of all"
    assert why.startswith("2 notes came at once, more than 1, so none of them is ordered.")


@pytest.mark.parametrize("copies", [5000, 0])
def test_an_order_of_too_many_copies_gets_a_note_until_its_number_is_corrected(
    context: Shop, copies: int
) -> None:
    path, inbox = f"{copies} wide.stl", context.service.inbox
    assert inbox is not None
    first = send_one(context, path, box(20, 21, 45 + copies / 5000))
    order(context, f"done/{path}.txt", f"{path}.txt", f"Copies: {copies}\r\n")
    said = context.share / f"inbox/{path}.txt.txt"
    assert until(said.exists, PATIENT)
    text = said.read_text("utf-8-sig")
    assert f"{path}.txt is not taken" in text
    assert f"it orders {copies:,} copies, and 1 to 100 can be ordered at once." in text
    for _ in range(3):
        inbox.scan()
    assert said.exists(), "as long as that is so"
    note = context.share / f"inbox/{path}.txt"
    note.write_bytes(note.read_bytes().replace(f"Copies: {copies}".encode(), b"Copies: 2"))
    second = wait_for_order(context, first, path)
    assert (second.copies, context.sent(second)) == (2, 3)
    assert until(lambda: not list((context.share / "inbox").glob("*.txt")), PATIENT)


@pytest.mark.parametrize("state", ["held", "forged"])
def test_other_notes_order_nothing(context: Shop, state: str) -> None:
    if state == "held":
        context.drop("asks.stl", box(1, 1, 0.5))
        context.wait("asks.stl", held, PATIENT)
        note = context.share / "held/asks.stl.txt"
    else:
        send_one(context, "right.stl", box(20, 21, 34))
        note = context.share / "done/right.stl.txt"
        note.write_bytes(note.read_bytes().replace(b"SHA-256   ", b"SHA-256   0", 1)[:-1])
    before, sent = len(context.service.ledger.all()), context.cloud.dispatches().total()
    note.rename(context.share / "inbox" / note.name)
    inbox = context.service.inbox
    assert inbox is not None
    for _ in range(3):
        inbox.scan()
    assert len(context.service.ledger.all()) == before
    assert context.cloud.dispatches().total() == sent
    Path(context.share / "inbox" / note.name).unlink(missing_ok=True)


@pytest.mark.parametrize("alone", [True, False])
def test_the_note_of_a_long_name_orders_as_well(context: Shop, alone: bool) -> None:
    """The name in processing/ is longer than that in the inbox: it is shortened, and the inbox goes on."""
    path = f"{'long ' * 48}{alone:d}.stl"
    first = send_one(context, path, box(20, 21, 35 + alone))
    order(context, f"done/{path}.txt", f"{path}.txt", "\r\nCopies: 2\r\n")
    if not alone:
        (context.share / "done" / path).rename(context.share / "inbox" / path)
    second = wait_for_order(context, first, path)
    assert (second.build_id, second.copies) == (first.build_id, 2)


def test_a_note_that_cant_be_moved_keeps_no_file_waiting(context: Shop) -> None:
    first = send_one(context, "stays.stl", box(20, 21, 37))
    share = context.service.context.share
    blocked = share.root / share.claims_folder / "blocked"
    blocked.touch()  # a file where a folder has to be
    order(context, "done/stays.stl.txt", "blocked/stays.stl.txt")
    context.drop("passes.stl", box(20, 21, 38))
    context.wait("passes.stl", dispatched, PATIENT)
    blocked.unlink()
    second = wait_for_order(context, first, "blocked/stays.stl")
    assert second.reused == first.id


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_an_order_in_a_folder_whose_name_is_no_text_is_carried_out(context: Shop) -> None:
    first = send_one(context, "text.stl", box(20, 21, 41))
    order(context, "done/text.stl.txt", os.fsdecode(b"caf\xe9/text.stl.txt"))
    second = wait_for_order(context, first, "caf\N{REPLACEMENT CHARACTER}/text.stl")
    assert second.reused == first.id


@contextmanager
def claims_refused(shop: Shop) -> Iterator[None]:
    """Let the database refuse every record of a claim, as a full disk would."""
    with closing(sqlite3.connect(shop.settings.state / "stlflow.db", timeout=30)) as database:
        database.execute(
            "create trigger refused before update on submissions when old.claimed_as is null "
            "begin select raise(abort, 'no room'); end"
        )
        yield
        database.execute("drop trigger refused")


def test_an_order_survives_that_its_claim_is_recorded_later(open_shop: Open) -> None:
    shop = open_shop()
    first = send_one(shop, "later.stl", box(20, 21, 39))
    with claims_refused(shop):
        order(shop, "done/later.stl.txt", "later.stl.txt", "\r\nCopies: 2\r\n")
        (shop.share / "done/later.stl").rename(shop.share / "inbox/later.stl")
        assert until(lambda: bool(list((shop.share / "processing").rglob("*~later.stl.txt"))), PATIENT)
    second = wait_for_order(shop, first, "later.stl")
    assert (second.build_id, second.copies) == (first.build_id, 2)
    assert until(lambda: not list((shop.share / "processing").rglob("*.txt")), PATIENT)


def test_the_order_that_a_dead_worker_took_is_carried_out_by_another(context: Shop) -> None:
    first = send_one(context, "heir.stl", box(20, 21, 40))
    ledger, share = context.service.ledger, context.service.context.share
    me = Heartbeat(ledger, "here", context.client())
    events = InboxEvents(context.service.context, me, context.service.wake, 0)
    other = register_worker(ledger, "elsewhere", "host", 1, "1.0")
    me.beat()
    events.on_scan(InboxScan(frozenset()), ())
    claims = share.root / share.claims_folder
    claims.mkdir(exist_ok=True)
    (context.share / "done/heir.stl.txt").rename(claims / f"{TAKEN_PREFIX}abc~heir.stl.txt")
    deregister_worker(ledger, other)
    me.beat()
    events.on_scan(InboxScan(frozenset()), ())
    wait_for_order(context, first, "heir.stl")
    me.deregister()
