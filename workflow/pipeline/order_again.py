"""Order a part again: the build that was sent is sent once more, and nothing is uploaded."""

import secrets

from workflow.errors import WrongSubmissionState
from workflow.ledger import Ledger
from workflow.pipeline.decider import PERSON, Decider
from workflow.pipeline.duplicates import same_folder
from workflow.routing import MAX_COPIES


def order_again(ledger: Ledger, number: int, copies: int | None, decider: Decider = PERSON) -> int:
    """Begin a submission that sends the build of an earlier one again, and return its number.

    `copies` None: as many as the rule says. Raises UnknownSubmission, WrongSubmissionState.
    """
    earlier = ledger.get(number)
    if earlier.receipt_id is None or earlier.build_id is None:
        raise WrongSubmissionState(
            f"Submission {number} is {earlier.state}: only what was sent is ordered again."
        )
    if earlier.left_in_place:
        raise WrongSubmissionState(
            f"The file of submission {number} is in a read-only inbox: save it under another name."
        )
    if copies is not None and not 1 <= copies <= MAX_COPIES:
        raise WrongSubmissionState(f"{copies} copies: order from 1 to {MAX_COPIES}.", field="copies")
    many = {None: "", 1: "1 copy, "}.get(copies, f"{copies} copies, ")
    begun = ledger.commands.begin_reorder(
        earlier,
        earlier.path,
        f"order {secrets.token_hex(8)}",
        f"{many}again as submission {number}, {decider.by}",
        lambda other: same_folder(other.path, earlier.path),
    )
    if begun is None:
        raise WrongSubmissionState(
            f"Another submission of this build is under way. Order {number} again once that has ended."
        )
    return begun
