"""The rules in use: loaded again when their file changes; a broken change keeps the previous rules."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from loguru import logger

from workflow.errors import CloudError, RulesError, StateFolderError
from workflow.ledger import RULES_ERROR_KEY, Ledger
from workflow.routing import Rulebook, parse_rules, read_rules_text, revision_of, with_build_volumes

CHECK_SECONDS = 1.0
CHECKS_BETWEEN_RETRIES = 15
"""How many checks to skip after the cloud could not be reached to look up the names in new rules."""
STILL_PREVIOUS = "Still using the previous rules."
RulesCheck = Callable[[Rulebook], None]
"""Raise RulesError when a changed file may not be used, CloudError when that can't be told now."""


class LiveRules:
    """The rules in use, and `trouble`: why a change of their file is not used, if so.

    A change is loaded when the file has been stable for two checks, has no mistakes, and passes `check`:
    every name in it exists in Eiger, and its tests pass. A decision takes `rulebook` once and keeps to it.
    """

    def __init__(self, path: Path, rulebook: Rulebook, ledger: Ledger, check: RulesCheck) -> None:
        self._path, self._ledger, self._check = path, ledger, check
        self.rulebook = rulebook
        """The rules in use."""
        self._seen = self._refused = ""
        self._checks_to_skip = 0
        self.trouble: str | None = None
        ledger.decisions.store_rules(rulebook.revision, rulebook.text)
        self._publish_problem()

    def watch(self, stop: threading.Event) -> None:
        """Check the file every second, until `stop` is set."""
        while not stop.wait(CHECK_SECONDS):
            self.check_file()

    def check_file(self) -> None:
        """Load the rules file again if it has changed and is good."""
        self._publish_if_cleared()
        try:
            text = read_rules_text(self._path)
        except RulesError as error:
            self._report_problem("unreadable", f"{error} {STILL_PREVIOUS}")
            return
        revision = revision_of(text)
        stable, self._seen = revision == self._seen, revision
        if revision == self.rulebook.revision:
            self._report_problem("", None)
        elif stable and revision != self._refused:
            self._load_changed(text)

    def _load_changed(self, text: str) -> None:
        if self._checks_to_skip > 0:
            self._checks_to_skip -= 1
            return
        try:
            rulebook = with_build_volumes(parse_rules(text, str(self._path)), self.rulebook.volumes)
            self._check(rulebook)
            self._ledger.decisions.store_rules(rulebook.revision, rulebook.text)
        except RulesError as error:
            self._report_problem(revision_of(text), f"{_counted(error)} {STILL_PREVIOUS}\n{error}")
        except (CloudError, StateFolderError) as error:
            self._checks_to_skip = CHECKS_BETWEEN_RETRIES
            self._report_problem("", f"The changed rules can't be checked: {error} stlflow tries again.")
        else:
            before, self.rulebook = self.rulebook.revision, rulebook
            self._checks_to_skip = 0
            self.trouble, self._refused = None, ""
            self._publish_problem()
            logger.info("Rules {} are in use from now on. Before: {}.", rulebook.revision, before)

    def _report_problem(self, refused: str, trouble: str | None) -> None:
        """Log a problem once, and once that it is over."""
        before, self.trouble, self._refused = self.trouble, trouble, refused
        if trouble == before:
            return
        if trouble is not None:
            logger.error("{}", trouble)
        else:
            logger.info("The rules file is as before: revision {}.", self.rulebook.revision)
        self._publish_problem()

    def _publish_if_cleared(self) -> None:
        """Store the problem again if another worker, whose rules are good, has cleared it."""
        with suppress(StateFolderError):
            if self.trouble is not None and not self._ledger.metadata.read(RULES_ERROR_KEY):
                self._publish_problem()

    def _publish_problem(self) -> None:
        """Store the problem, so that other processes such as `stlflow list` show it."""
        with suppress(StateFolderError):  # the log has it, and the next change is stored again
            self._ledger.metadata.write(RULES_ERROR_KEY, self.trouble or "")


def _counted(error: RulesError) -> str:
    several = len(error.mistakes) != 1
    return f"The changed rules have {len(error.mistakes)} mistake{'s' if several else ''}."
