"""Files whose ledger is lost: they are said, adopted, and nothing is printed twice for it."""

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from loguru import logger

from tests.cloud import simulated
from tests.pipeline.conftest import Open, dispatched, held, opened
from tests.stl import box
from workflow.errors import ShareError
from workflow.intake import Share
from workflow.ledger import LEDGER_NAME_KEY, RESTORED_KEY, Ledger
from workflow.model import EventKind, HoldReason, SubmissionState
from workflow.operations import adopt_orphans, back_up_ledger, restore_ledger
from workflow.pipeline.missing_file import missing_file_text
from workflow.pipeline.orphans import list_orphaned_claims, parse_claim_name
from workflow.pipeline.recovery import recover_claims


def lose_the_state(state: Path) -> None:
    shutil.rmtree(state)


def test_a_file_that_was_sent_is_held_and_not_printed_twice(tmp_path: Path) -> None:
    """The state folder is lost between the send and the move to done/."""
    with simulated() as cloud:
        with opened(tmp_path, cloud) as context:
            context.drop("rush/clip.stl", box(31))
            sent = context.wait("rush/clip.stl", dispatched)
            owner = context.service.ledger.metadata.read(LEDGER_NAME_KEY)
        claims = tmp_path / "share" / "processing" / f"stlflow-{owner}" / "rush"
        claims.mkdir(parents=True, exist_ok=True)
        (tmp_path / "share" / (sent.claimed_as or "")).rename(claims / f"{sent.id}~clip.stl")
        lose_the_state(tmp_path / "state")
        with opened(tmp_path, cloud) as context:
            (adopted,) = adopt_orphans(context.settings)
            assert adopted.held_because is not None
            assert f"Eiger has its build 'clip~{sent.id}-" in adopted.held_because
            submission = context.wait("rush/clip.stl", held)
            assert submission.hold is HoldReason.FILE
            assert "Look in Eiger" in context.note(str(submission.claimed_as))
            events = [event.event for event in context.history("rush/clip.stl")]
            assert events == [EventKind.ADOPTED, EventKind.HELD]
        assert sum(cloud.dispatches().values()) == 1


def test_a_file_that_eiger_does_not_know_goes_back_to_the_inbox(tmp_path: Path) -> None:
    with simulated() as cloud:
        with opened(tmp_path, cloud) as context:
            settings = context.settings
        claims = settings.share / "processing" / "stlflow-d4e5f6"
        claims.mkdir()
        (claims / "3~lid.stl").write_bytes(box(32))
        with opened(tmp_path, cloud):
            assert (claims.parent / "stlflow-d4e5f6.txt").exists()
        assert [each.placed_as for each in adopt_orphans(settings)] == ["inbox/lid.stl"]
        assert not (claims.parent / "stlflow-d4e5f6.txt").exists()
        with opened(tmp_path, cloud) as context:
            assert context.sent(context.wait("lid.stl", dispatched)) == 1
        assert tuple(adopt_orphans(settings)) == ()


def test_the_content_is_compared_with_what_was_sent(tmp_path: Path) -> None:
    with simulated() as cloud, opened(tmp_path, cloud) as context:
        context.drop("a.stl", box(33))
        sent = context.wait("a.stl", dispatched)
        claims = context.share / "processing" / "stlflow-d4e5f6"
        claims.mkdir()
        (claims / "9~other name.stl").write_bytes(box(33))
        (adopted,) = adopt_orphans(context.settings)
        assert f"sent as submission {sent.id}" in (adopted.held_because or "")


def test_without_the_share_nothing_is_adopted(tmp_path: Path) -> None:
    with simulated() as cloud:
        with opened(tmp_path, cloud) as context:
            settings = context.settings
        settings.share.rename(tmp_path / "away")
        with pytest.raises(ShareError):
            tuple(adopt_orphans(settings))


def test_claims_of_others_are_said_at_the_start(ledger: Ledger, tmp_path: Path) -> None:
    share = Share(tmp_path / "share", owner="a1b2c3")
    share.prepare()
    (share.processing / "stlflow-d4e5f6").mkdir()
    (share.processing / "stlflow-d4e5f6" / "17~a.stl").write_bytes(b"solid")
    said: list[str] = []
    sink = logger.add(lambda message: said.append(message.record["message"]), level="WARNING")
    try:
        recover_claims(ledger, share)
    finally:
        logger.remove(sink)
    assert said == [
        "processing/ holds 1 file of another stlflow (stlflow-d4e5f6). "
        "If that stlflow is gone for good: `stlflow intake adopt`."
    ]
    assert list_orphaned_claims(replace(share, owner="d4e5f6")) == ()
    note = share.processing / "stlflow-d4e5f6.txt"
    assert "stlflow note: 1 file waits for another stlflow" in note.read_text("utf-8-sig")
    assert "`stlflow intake adopt` takes the files over." in note.read_text("utf-8-sig")
    (share.processing / "stlflow-d4e5f6" / "17~a.stl").unlink()
    recover_claims(ledger, share)
    assert not note.exists()


@pytest.mark.parametrize(
    ("name", "read"),
    [("17~a.stl", (17, "a.stl")), ("rush/3~b~c.stl", (3, "rush/b~c.stl")), ("a.stl", (None, "a.stl"))],
)
def test_names_of_claims(name: str, read: tuple[int | None, str]) -> None:
    assert parse_claim_name("processing/stlflow-a", f"processing/stlflow-a/{name}") == read


def test_after_a_restore_a_file_that_was_sent_meanwhile_is_held(open_shop: Open, tmp_path: Path) -> None:
    """The backup knows nothing of it: its file would go on, and be printed twice."""
    with simulated() as cloud:
        with opened(tmp_path, cloud) as context:
            context.drop("a.stl", box(34))
            context.wait("a.stl", dispatched)
            assert back_up_ledger(context.settings, tmp_path / "backup.db") == 1
            context.drop("b.stl", box(35))
            sent = context.wait("b.stl", dispatched)
            owner = context.service.ledger.metadata.read(LEDGER_NAME_KEY)
        claims = tmp_path / "share" / "processing" / f"stlflow-{owner}"
        claims.mkdir(exist_ok=True)
        (tmp_path / "share" / (sent.claimed_as or "")).rename(claims / f"{sent.id}~b.stl")
        count, former = restore_ledger(context.settings, tmp_path / "backup.db")
        assert (count, former is not None) == (1, True)
        with opened(tmp_path, cloud) as context:
            submission = context.wait("b.stl", held)
            assert "restored from a backup" in (submission.reason or "")
            assert context.service.ledger.metadata.read(RESTORED_KEY) == ""
            context.drop("c.stl", box(36))
            context.wait("c.stl", dispatched)
        assert sorted(cloud.dispatches().values()) == [1, 1, 1]


def test_a_build_that_was_sent_after_the_backup_is_not_sent_again(tmp_path: Path) -> None:
    """The backup shows the submission before its send: the cloud is asked, and has it."""
    with simulated(builds="manual") as cloud:
        with opened(tmp_path, cloud, build_wait_seconds=0.1) as context:
            context.drop("a.stl", box(37))
            waiting = context.wait("a.stl", held)
            back_up_ledger(context.settings, tmp_path / "backup.db")
            cloud.make_build(str(waiting.part_version_id))
            context.wait("a.stl", dispatched)
        restore_ledger(context.settings, tmp_path / "backup.db")
        with opened(tmp_path, cloud, build_wait_seconds=0.1) as context:
            again = context.wait("a.stl", lambda each: each.state is SubmissionState.DISPATCHED)
            assert any("found in the cloud" in event.detail for event in context.history("a.stl"))
            assert context.sent(again) == 1


Make = Callable[..., int]


@pytest.fixture
def share(tmp_path: Path) -> Share:
    share = Share(tmp_path / "share", owner="a1b2c3")
    share.prepare()
    return share


def submitted(ledger: Ledger, sha256: str | None = None, receipt_id: str | None = None) -> int:
    number = ledger.open("a.stl")
    ledger.claimed(number, f"processing/{number}~a.stl")
    ledger.update_submission(ledger.get(number), sha256=sha256, receipt_id=receipt_id)
    return number


def test_a_missing_file_may_be_dropped_again_if_nothing_says_that_it_was_sent(
    ledger: Ledger, share: Share
) -> None:
    number = submitted(ledger)
    assert missing_file_text(ledger, share, ledger.get(number)) == (
        "The file of submission 1 is no longer at processing/1~a.stl. "
        "Drop it into the inbox again: it becomes a new submission."
    )


def test_a_missing_file_that_was_sent_is_not_to_be_dropped_again(ledger: Ledger, share: Share) -> None:
    sent, number = submitted(ledger, "ab", "r-1"), submitted(ledger, "ab")
    text = missing_file_text(ledger, share, ledger.get(number))
    assert f"The same file was sent as submission {sent}. Look in Eiger before you drop it again" in text


def test_a_missing_file_that_is_in_done_is_named(ledger: Ledger, share: Share) -> None:
    number = submitted(ledger)
    (share.done / "a.stl").write_bytes(b"solid")
    text = missing_file_text(ledger, share, ledger.get(number))
    assert "It is in done/a.stl, so it was probably sent. Look in Eiger" in text
    ledger.update_submission(ledger.get(number), sha256="another")
    assert "Drop it into the inbox again" in missing_file_text(ledger, share, ledger.get(number))
    ledger.close()


def test_the_ledger_is_closed_after_an_adoption(tmp_path: Path) -> None:
    with simulated() as cloud:
        with opened(tmp_path, cloud) as context:
            settings = context.settings
        tuple(adopt_orphans(settings))
        with closing(Ledger(settings.database)) as ledger:
            assert ledger.all() == ()
