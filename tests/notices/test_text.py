"""What messages say, to a person who reads them once."""

from datetime import UTC, datetime

import pytest

from workflow.ledger import Ledger
from workflow.model import (
    Destination,
    FollowedPrint,
    Notice,
    NoticeEvent,
    PrintPhase,
    Submission,
    SubmissionState,
)
from workflow.notes import DecisionWays, digest_text, is_outdated, notice_text
from workflow.pipeline.compose_notice import Composer
from workflow.pipeline.notice_examples import example_texts
from workflow.settings import NoticeSettings

AT = datetime(2026, 11, 27, 9, tzinfo=UTC)


@pytest.fixture
def composer(ledger: Ledger) -> Composer:
    ways = DecisionWays("stlflow -C /srv", by_moving=True)
    settings = NoticeSettings(console_url="https://prints.example.com/", decide_links=True)
    return Composer(ledger, settings, ways=ways, link_key=b"k" * 32)


def test_every_event_has_an_example_that_says_what_to_do(composer: Composer) -> None:
    texts = dict(example_texts(composer, AT))
    assert texts.keys() == set(NoticeEvent)
    needs_nothing = {NoticeEvent.SENT, NoticeEvent.TROUBLE_OVER}
    for event, text in texts.items():
        titles = [title for title, _ in text.paragraphs]
        assert ("What to do next" in titles) is (event not in needs_nothing)
        assert text.title.startswith("Test: ")
        assert titles[0] == "Test"
    assert texts[NoticeEvent.TROUBLE].title == "Test: Trouble: Eiger can't be used"


QUEUED, PRINTED, FAILED, LOST = PrintPhase.QUEUED, PrintPhase.PRINTED, PrintPhase.FAILED, PrintPhase.LOST


@pytest.mark.parametrize(
    ("event", "state", "phases", "said"),
    [
        (NoticeEvent.PRINTED, SubmissionState.PRINTED, [PRINTED], "was printed on Anvil."),
        (
            NoticeEvent.PRINTED, SubmissionState.PRINTED, [PRINTED] * 3,
            "was printed: 3 copies printed on Anvil.",
        ),
        (NoticeEvent.PRINTED, SubmissionState.PRINTING, [PRINTED, QUEUED], None),
        (
            NoticeEvent.PRINTED, SubmissionState.FAILED, [FAILED, PRINTED],
            "was printed in part: 1 printed, 1 failed.",
        ),
        (NoticeEvent.FAILED, SubmissionState.FAILED, [FAILED], "was not printed on Anvil."),
        (NoticeEvent.FAILED, SubmissionState.FAILED, [FAILED, FAILED], "was not printed on Anvil."),
        (
            NoticeEvent.FAILED, SubmissionState.PRINTING, [FAILED, PRINTED, QUEUED],
            "was not printed in full: 1 queued, 1 printed, 1 failed.",
        ),
        (
            NoticeEvent.FAILED, SubmissionState.LOST_TRACK, [LOST, LOST],
            "was sent. What became of the print is not known.",
        ),
    ],
)  # fmt: skip
def test_a_message_counts_the_copies_and_waits_for_the_last_that_is_printed(
    event: NoticeEvent, state: SubmissionState, phases: list[PrintPhase], said: str | None
) -> None:
    submission = Submission(7, "a.stl", state, device="Anvil", copies=len(phases), opened_at=AT)
    prints = [
        FollowedPrint(7, at, "b", "r", Destination.DEVICE_QUEUE, AT, AT, phase, device="Anvil")
        for at, phase in enumerate(phases, 1)
    ]
    notice = Notice(1, event, "event 1", AT, submission=7)
    text = dict(notice_text(notice, submission, prints=prints).paragraphs)["What"]
    assert (None if is_outdated(notice, submission) else text) == (said and f"a.stl {said}")


def test_a_command_in_a_message_works_at_this_shop(composer: Composer) -> None:
    held = dict(example_texts(composer, AT))[NoticeEvent.HELD]
    step = dict(held.paragraphs)["What to do next"]
    assert step.startswith(
        "Correct the part and drop it again. To print it as it is, move the file to approved/."
    )
    assert "`stlflow -C /srv release 17`" in step


def test_only_a_message_about_a_held_file_has_a_link_to_decide(composer: Composer) -> None:
    links = {event: text.decide_link for event, text in example_texts(composer, AT)}
    assert [event for event, link in links.items() if link is not None] == [NoticeEvent.HELD]
    assert (links[NoticeEvent.HELD] or "").startswith("https://prints.example.com/decide/")


def test_no_address_of_the_web_gets_out_of_a_reason(composer: Composer) -> None:
    notice = Notice(
        1, NoticeEvent.HELD, "event 1", AT, submission=17, detail="See https://s3cret.example.com/x"
    )
    text = composer.compose([notice], {17: Submission(17, "a.stl", SubmissionState.HELD, AT)})
    assert "s3cret" not in str(text.paragraphs)


def test_a_digest_counts_each_file_once(composer: Composer) -> None:
    events = (NoticeEvent.HELD, NoticeEvent.SENT, NoticeEvent.SENT, NoticeEvent.SENT)
    notices = [Notice(at, event, f"event {at}", AT, submission=at % 3) for at, event in enumerate(events)]
    known = {at: Submission(at, f"{at}.stl", SubmissionState.HELD, AT) for at in range(3)}
    text = digest_text(notices, known)
    assert text.title == "3 files: 3 sent, 1 held"
    assert text.submissions == (0, 1, 2)
