"""From rows of the outbox to messages: whose file it is, and what to say of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo

from workflow.frozen import frozen
from workflow.ledger import Ledger
from workflow.model import Notice, NoticeEvent, NoticeText, Submission
from workflow.notes import (
    BY_COMMAND,
    NO_PRICES,
    REPEATED,
    Answer,
    DecisionWays,
    Prices,
    digest_text,
    is_outdated,
    make_answer,
    notice_text,
    trouble_text,
)
from workflow.notices import TROUBLES, FileOrigin, find_recipients, make_grant, sign_grant
from workflow.pipeline.context import now
from workflow.routing import Rulebook
from workflow.settings import NoticeSettings

Submissions = Mapping[int, Submission]


@frozen
class Composer:
    """What is known at this shop for the text of notices, and for whom they are."""

    ledger: Ledger
    settings: NoticeSettings
    zone: tzinfo | None = None
    ways: DecisionWays = BY_COMMAND
    prices: Prices = NO_PRICES
    changeover_seconds: float = 600.0
    rulebook: Callable[[], Rulebook | None] = lambda: None
    picture: Callable[[Submission], bytes | None] = lambda _: None
    link_key: bytes | None = None
    """Signs links to decide about held files; None: there are none."""

    def submissions(self, notices: Iterable[Notice]) -> Submissions:
        """Return the submissions that notices are about, by number."""
        numbers = {each.submission for each in notices if each.submission is not None}
        return {each.id: each for each in self.ledger.among(numbers)}

    def recipients(self, notice: Notice, known: Submissions) -> tuple[str, ...]:
        """Return the targets that hear of a notice."""
        if notice.submission is None:
            return find_recipients(notice.event, None, self.settings)
        submission = known.get(notice.submission)
        if submission is None:
            return ()
        return find_recipients(notice.event, self.origin(submission), self.settings)

    def origin(self, submission: Submission) -> FileOrigin:
        """Return what tells whose a file is: its place, its owner, and the `notify` of its rules."""
        return FileOrigin(submission.path, submission.dropped_by, named_by_rules(submission, self.rulebook()))

    def compose(self, told: Sequence[Notice], known: Submissions) -> NoticeText:
        """Return the message about these notices: of one in full, of more a digest."""
        first, base = told[0], self.settings.console_url
        submission = known.get(first.submission or 0)
        if len(told) > 1:
            text = digest_text(told, known, base)
        elif first.event in TROUBLES or submission is None:
            text = trouble_text(first, ways=self.ways, link=base)
        else:
            text = notice_text(
                first,
                submission,
                zone=self.zone,
                answer=self._answer(submission),
                ways=self.ways,
                link=base and f"{base.rstrip('/')}/s/{submission.id}",
                picture=self.picture(submission),
                prints=self.ledger.prints.read([submission]).get(submission.id, ()),
            )
            text = replace(text, decide_link=self._decide_link(first, submission))
        if not first.unconfirmed:
            return text
        return replace(text, paragraphs=(*text.paragraphs, ("Careful", REPEATED)))

    def _decide_link(self, notice: Notice, submission: Submission) -> str | None:
        base = self.settings.console_url
        if notice.event is not NoticeEvent.HELD or base is None or self.link_key is None:
            return None
        grant = make_grant(submission.id, notice.at, notice.target, now())
        return f"{base.rstrip('/')}/decide/{sign_grant(self.link_key, grant)}"

    def _answer(self, submission: Submission) -> Answer | None:
        if submission.build_id is None:
            return None
        decided = self.ledger.decisions.read_routing([submission.id]).get(submission.id)
        if decided is None:
            return None
        return make_answer(submission, decided, self.prices, self.changeover_seconds)


def named_by_rules(submission: Submission, rulebook: Rulebook | None) -> tuple[str, ...]:
    """Return whom the rules name that decided about a submission, as the rules are now."""
    if rulebook is None:
        return ()
    intake = [rule.notify for rule in rulebook.intake if rule.name == submission.intake_rule]
    routing = [rule.notify for rule in rulebook.routing if rule.name == submission.routing_rule]
    return tuple(dict.fromkeys(name for names in (*intake, *routing) for name in names))


def is_untrue(notice: Notice, known: Submissions) -> bool:
    """True if what a notice says is no longer so, or nothing is known of its file any more."""
    if notice.submission is None:
        return False
    submission = known.get(notice.submission)
    return submission is None or is_outdated(notice, submission)
