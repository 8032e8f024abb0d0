"""What to do next: how a person decides about a submission, by moving its file or by a command."""

import re
from collections.abc import Mapping

from workflow.frozen import frozen
from workflow.model import HoldReason, Submission, SubmissionState


@frozen
class DecisionWays:
    """How a person decides at this shop.

    `by_moving`: by moving the file, too. `command` is how stlflow is called there, with what it needs to find
    its settings: `stlflow -C /srv/stlflow`.
    """

    command: str = "stlflow"
    by_moving: bool = False

    def with_command(self, text: str) -> str:
        """Return the text with each command as it works at this shop."""
        return text.replace("`stlflow ", f"`{self.command} ")


BY_COMMAND = DecisionWays()

_NEXT_STEP_BY_HOLD = {
    HoldReason.FILE: "Put the file into the inbox again.",
    HoldReason.MESH: ("Correct the part and drop it again. To print it as it is: `stlflow release {id}`."),
    HoldReason.RULE: (
        "If the part is right as it is: `stlflow release {id}`. Otherwise correct it and drop it again."
    ),
    HoldReason.PRESET: "When the rules or Eiger are put right: `stlflow retry {id}`.",
    HoldReason.UPLOAD: "Look in Eiger for the part. Then `stlflow retry {id}`, or `stlflow cancel {id}`.",
    HoldReason.SLICE: "Look at the part in Eiger. To slice it again: `stlflow retry {id}`.",
    HoldReason.BUILD: (
        "Make a build of this part in Eiger: it is found by itself. "
        "Or name one that is there: `stlflow attach {id} BUILD`."
    ),
    HoldReason.UNITS: (
        "When it is put right in Eiger: `stlflow retry {id}` uploads the part again. "
        "If that size is meant: `stlflow release {id}`."
    ),
    HoldReason.ROUTE: (
        "When the rules or the printers are put right: `stlflow retry {id}`. "
        "If it may go on past the rule that holds it: `stlflow release {id}`."
    ),
    HoldReason.DEVICE: (
        "Nothing: it goes by itself once a printer qualifies. "
        "To send it elsewhere, change the rules; to end it: `stlflow cancel {id}`."
    ),
    HoldReason.SEND: (
        "Look in Eiger whether it has arrived there. If it has: `stlflow settle {id} --sent RECEIPT`, "
        "or `stlflow cancel {id}` to leave it. Only if it has not: `stlflow retry {id}`."
    ),
    HoldReason.FAULT: (
        "Try again: `stlflow retry {id}`. If that does not help, "
        "show this note to the person who looks after stlflow."
    ),
}
_MOVE_BY_HOLD: Mapping[HoldReason, str] = {
    HoldReason.FILE: "To have the file checked, move it to inbox/.",
    HoldReason.MESH: "Correct the part and drop it again. To print it as it is, move {it} to approved/.",
    HoldReason.RULE: (
        "If the part is right as it is, move {it} to approved/. Otherwise correct it and drop it again."
    ),
    HoldReason.PRESET: "When the rules or Eiger are put right, move {it} to inbox/.",
    HoldReason.UPLOAD: "Look in Eiger for the part. If it is not there, move {it} to inbox/.",
    HoldReason.SLICE: "Look at the part in Eiger. To slice it again, move {it} to inbox/.",
    HoldReason.BUILD: "Make a build of this part in Eiger: it is found by itself.",
    HoldReason.UNITS: (
        "If that size is meant, move {it} to approved/. "
        "Otherwise put it right in Eiger, then move {it} to inbox/: it is uploaded again."
    ),
    HoldReason.ROUTE: (
        "If it may go on past the rule that holds it, move {it} to approved/. "
        "When the rules or the printers are put right, move it to inbox/."
    ),
    HoldReason.DEVICE: "Nothing: it goes by itself once a printer qualifies.",
    HoldReason.SEND: "Look in Eiger whether it has arrived there.",
    HoldReason.FAULT: "To try again, move {it} to inbox/.",
}
_MOVE_TO_CANCEL = "To end it, move {it} to rejected/."


_WHY_NOT_APPROVED: Mapping[HoldReason, str] = {
    HoldReason.FILE: "The file was not checked. To have it checked, move it to inbox/.",
    HoldReason.PRESET: "Eiger lacks what the rule names. When that is put right, move the file to inbox/.",
    HoldReason.UPLOAD: (
        "It may have been uploaded already: look in Eiger for the part. "
        "If it is not there, move the file to inbox/."
    ),
    HoldReason.SLICE: (
        "Eiger did not slice the part. Correct the part and drop it again. "
        "To slice it again as it is, move the file to inbox/."
    ),
    HoldReason.BUILD: "Eiger has no build of it. Make one there: it is found by itself.",
    HoldReason.DEVICE: "No printer qualifies. It goes by itself once one does.",
    HoldReason.SEND: (
        "It may have been sent already: look in Eiger. "
        "If it was, `stlflow settle {id} --sent RECEIPT`; if not, `stlflow settle {id} --not-sent`."
    ),
    HoldReason.FAULT: "stlflow failed with this part. To try it again, move the file to inbox/.",
}
"""Holds that approval can't lift: what to do instead."""

_NEXT_STEP_BY_STATE = {
    SubmissionState.CANCELED: "Nothing. To print it after all, drag it back into the inbox.",
    SubmissionState.REJECTED: (
        "Put the corrected file into the inbox. To try this very file again, drag it back into the inbox."
    ),
    SubmissionState.FAILED: "Look at the printer. To print it again, drag this note into the inbox.",
    SubmissionState.LOST_TRACK: (
        "Look at the printer for the part. To print it again, drag this note into the inbox."
    ),
}


def next_step_text(submission: Submission, ways: DecisionWays = BY_COMMAND) -> str:
    """Return what a person does next: the folder first where a move decides, then the command."""
    if submission.state is SubmissionState.HELD and submission.hold is not None:
        by_command = _NEXT_STEP_BY_HOLD[submission.hold].format(id=submission.id)
        if not ways.by_moving:
            return by_command
        commands = " ".join(each for each in _sentences(by_command) if "`" in each)
        return _move_text(submission) + (f"\n  By command: {commands}" if commands else "")
    if submission.left_in_place:
        return _next_step_in_place(submission.state)
    it = "this note" if ways.by_moving else "the file back"
    otherwise = f"Nothing. To print it again, drag {it} into the inbox."
    return _NEXT_STEP_BY_STATE.get(submission.state, otherwise)


def _next_step_in_place(state: SubmissionState) -> str:
    """Nobody moves a file of a read-only inbox: what is the same there is not taken again."""
    if state is SubmissionState.REJECTED:
        return "Correct the file where it is: once its content changes, it is taken again."
    if state is SubmissionState.CANCELED:
        return "Nothing. To print it after all, save it under another name."
    if state in {SubmissionState.FAILED, SubmissionState.LOST_TRACK}:
        return "Look at the printer. To print it again, save it under another name."
    return "Nothing. To print it again, save it under another name."


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=\.) ", text)


def _move_text(submission: Submission) -> str:
    """Return where to move the file to decide; of a read-only inbox the note is moved in its place."""
    hold = submission.hold or HoldReason.FAULT
    it = "this note" if submission.left_in_place else "the file"
    by_move = _MOVE_BY_HOLD[hold].format(it=it)
    if submission.left_in_place:  # nothing can be moved into a read-only inbox
        by_move = " ".join(each for each in _sentences(by_move) if "inbox/" not in each)
    cancel = "" if hold is HoldReason.SEND else _MOVE_TO_CANCEL.format(it="it" if it in by_move else it)
    return f"{by_move} {cancel}".strip()


def why_not_approved(submission: Submission, hold: HoldReason | None = None) -> str:
    """Return why a held file can't be approved by moving it, and what to do instead."""
    why = _WHY_NOT_APPROVED[hold or submission.hold or HoldReason.FILE].format(id=submission.id)
    if submission.left_in_place and "inbox/" in why:  # nothing can be moved into a read-only inbox
        why = f"{why.partition('. ')[0]}. To try again: `stlflow retry {submission.id}`."
    return f"It can't be approved by moving. {why}"
