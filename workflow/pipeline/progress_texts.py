"""What the note of a file that is worked on says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from workflow.model import Submission
from workflow.notes import PROGRESS_STATES, PastPrints, find_similar_prints, progress_note_text
from workflow.pipeline.context import Context
from workflow.pipeline.submission_notes import describe_printers, find_answer

PRINT_TIMES_READ = 50
"""So many earlier parts say how long one takes. As many newer ones may come before they are read again."""


@dataclass
class ProgressTexts:
    """Returns the texts of progress notes; of many parts at once, earlier print times are read once."""

    context: Context
    _times: dict[str, tuple[int, Sequence[tuple[float | None, float]]]] = field(default_factory=dict)
    """The print times that were read last, by preset, and before which submission they were read."""
    _printers: frozenset[str | None] = frozenset()

    def text(self, submission: Submission) -> str:
        """Return the text of a note. Raises StateFolderError."""
        answer = find_answer(self.context, submission)
        past = None if answer is not None else self._past_prints(submission)
        fit = describe_printers(self.context, submission)
        return progress_note_text(submission, self.context.zone, fit, answer, past)

    def is_worked_on(self, submission: Submission) -> bool:
        """True while the file is out of the inbox and not yet in a folder that says how it ended."""
        if submission.state not in PROGRESS_STATES:
            return False
        if submission.left_in_place:  # of a read-only inbox; that of a batch has no note
            inbox = self.context.share.left_inbox
            return inbox is not None and submission.claimed_as == str(inbox / submission.path)
        return PurePosixPath(submission.claimed_as or "").parts[:1] == ("processing",)

    def knows_printers(self) -> bool:
        """True if the kinds of printers were known at the last call of `has_new_printers`."""
        return bool(self._printers)

    def has_new_printers(self) -> bool:
        """True if the kinds of printers are others than at the last call: every note names those that fit."""
        before = self._printers
        self._printers = frozenset(device.device_type for device in self.context.catalog.known_devices())
        return self._printers != before

    def _past_prints(self, submission: Submission) -> PastPrints | None:
        if submission.preset is None or submission.mesh is None:
            return None
        past = self._print_times(submission.preset, submission.id)
        return find_similar_prints(submission.mesh.volume_cm3, past)

    def _print_times(self, preset: str, number: int) -> Sequence[tuple[float | None, float]]:
        """Return the print times of parts before this one; while there are few, every new part reads them."""
        read_for, known = self._times.get(preset, (0, ()))
        is_new = number > read_for and len(known) < PRINT_TIMES_READ
        if is_new or abs(number - read_for) >= PRINT_TIMES_READ:
            known = self.context.ledger.decisions.list_print_times(preset, number, PRINT_TIMES_READ)
            self._times[preset] = number, known
        return known
