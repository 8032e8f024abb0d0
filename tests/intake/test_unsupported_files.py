from tests.intake.conftest import TIMES, Book, Clock
from tests.intake.test_inbox import drop
from workflow.intake import Inbox, Share
from workflow.intake.scan import MAX_UNSUPPORTED_NOTES


def test_other_files_are_told_after_a_while_and_once(share: Share, book: Book, clock: Clock) -> None:
    inbox = Inbox(share, book, desk=book, times=TIMES, clock=clock)
    for path in ("rush/part.step", "order.zip", "Thumbs.db", "part.stl.crdownload", "notes.txt"):
        drop(share, path, b"other")
    inbox.scan_once()
    clock.turn(TIMES.stranger_seconds - 1)
    inbox.scan_once()
    assert book.strangers == {}, "it may belong to a folder that is being copied"
    clock.turn(1)
    for _ in range(3):
        inbox.scan_once()
    assert book.strangers == {
        "rush/part.step": "stlflow takes STL files: export it as STL.",
        "order.zip": "It is not unpacked here: unpack it, and put the STL files inside into the inbox.",
    }
    assert (share.inbox / "order.zip").read_bytes() == b"other"


def test_one_that_was_taken_away_and_comes_again_is_told_again(
    share: Share, book: Book, clock: Clock
) -> None:
    inbox = Inbox(share, book, desk=book, times=TIMES, clock=clock)
    for _ in range(2):
        place = drop(share, "part.step")
        inbox.scan_once()
        clock.turn(TIMES.stranger_seconds)
        inbox.scan_once()
        assert list(book.strangers) == ["part.step"]
        book.strangers.clear()
        place.unlink()
        inbox.scan_once()


def test_a_whole_folder_of_other_files_gets_no_notes(share: Share, book: Book, clock: Clock) -> None:
    inbox = Inbox(share, book, desk=book, times=TIMES, clock=clock)
    for number in range(MAX_UNSUPPORTED_NOTES + 1):
        drop(share, f"{number}.step")
    inbox.scan_once()
    clock.turn(TIMES.stranger_seconds)
    inbox.scan_once()
    assert book.strangers == {}
