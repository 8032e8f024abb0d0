"""The rules that count now: read again when their file changes, and never worse than the last good ones."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from loguru import logger

from workflow.errors import CloudError, RulesError, StateFolderError
from workflow.ledger import RULES_ERROR_KEY, Ledger, store_rules, write_metadata
from workflow.routing import Rulebook, parse_rules, read_rules_text, revision_of

CHECK_SECONDS = 1.0
CHECKS_BETWEEN_RETRIES = 15
"""Between questions to a cloud that could not be asked whether it has what the new rules name."""
RulesCheck = Callable[[Rulebook], None]


class LiveRules:
    """The last good rules. Whatever is decided takes `rulebook` once and keeps to it.

    A change counts once the file stood unchanged for two looks, holds no mistake, and everything that
    it names is there; until then the last good rules count, and `trouble` says why in words.
    """

    def __init__(self, path: Path, rulebook: Rulebook, ledger: Ledger, check: RulesCheck) -> None:
        self._path, self._ledger, self._check = path, ledger, check
        self._rulebook = rulebook
        self._seen = self._refused = ""
        self._looks_to_skip = 0
        self.trouble: str | None = None
        store_rules(ledger, rulebook.revision, rulebook.text)
        self._publish_problem()

    @property
    def rulebook(self) -> Rulebook:
        """The rules that count now."""
        return self._rulebook

    def run(self, stop: threading.Event) -> None:
        """Look now and then, until told to stop."""
        while not stop.wait(CHECK_SECONDS):
            self.look()

    def look(self) -> None:
        """Look whether the file has changed, and take the change if it is good."""
        try:
            text = read_rules_text(self._path)
        except RulesError as error:
            self._report_problem("unreadable", f"{error} The rules of before count on.")
            return
        revision = revision_of(text)
        settled, self._seen = revision == self._seen, revision
        if revision == self._rulebook.revision:
            self._report_problem("", None)
        elif settled and revision != self._refused:
            self._load_changed(text)

    def _load_changed(self, text: str) -> None:
        if self._looks_to_skip > 0:
            self._looks_to_skip -= 1
            return
        try:
            rulebook = parse_rules(text, str(self._path))
            self._check(rulebook)
            store_rules(self._ledger, rulebook.revision, rulebook.text)
        except RulesError as error:
            self._report_problem(
                revision_of(text), f"{_counted(error)} The rules of before count on.\n{error}"
            )
        except (CloudError, StateFolderError) as error:
            self._looks_to_skip = CHECKS_BETWEEN_RETRIES
            self._report_problem("", f"The changed rules can't be checked: {error} It is tried again.")
        else:
            before, self._rulebook = self._rulebook.revision, rulebook
            self._looks_to_skip = 0
            self.trouble, self._refused = None, ""
            self._publish_problem()
            logger.info("Rules {} count from now on, instead of {}.", rulebook.revision, before)

    def _report_problem(self, refused: str, trouble: str | None) -> None:
        """Say what is wrong once; and that it is over."""
        before, self.trouble, self._refused = self.trouble, trouble, refused
        if trouble == before:
            return
        if trouble is not None:
            logger.error("{}", trouble)
        else:
            logger.info("The rules are as they were: revision {}.", self._rulebook.revision)
        self._publish_problem()

    def _publish_problem(self) -> None:
        """Let other processes know what is wrong, such as `stlflow list`."""
        with suppress(StateFolderError):  # the log has it, and the next change is written again
            write_metadata(self._ledger, RULES_ERROR_KEY, self.trouble or "")


def _counted(error: RulesError) -> str:
    several = len(error.mistakes) != 1
    return f"The changed rules have {len(error.mistakes)} mistake{'s' if several else ''}."
