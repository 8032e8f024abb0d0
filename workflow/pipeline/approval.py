"""Having a build approved in Eiger before it is sent, where the rule says so."""

from workflow.eiger import approve_more
from workflow.errors import Conflict, SettingsError
from workflow.ledger import APPROVING, alone
from workflow.model import Hold, Submission
from workflow.pipeline.outcome import hold
from workflow.pipeline.workshop import Workshop

NOT_IN_USE = (
    "The rule has builds approved first, and approvals are not in use in Eiger: approving one build would "
    "forbid all others. Switch them on in Eiger, or take `approve_first` out of the rule; then retry."
)


def approve(shop: Workshop, submission: Submission) -> Submission:
    """Approve the build beside those that are; once it is done it is not asked for again."""
    if not submission.approve_first or submission.receipt_id is not None:
        return submission
    build_id = submission.build_id or ""
    try:
        with alone(shop.ledger, APPROVING):  # the whole set is replaced: two of us would undo each other
            approved = approve_more(shop.client, [build_id])
    except SettingsError:
        return hold(shop, submission, Hold.ROUTE, NOT_IN_USE)
    except Conflict as refusal:
        return hold(shop, submission, Hold.ROUTE, str(refusal))
    detail = f"build {build_id}, one of {len(approved)} that are"
    return shop.ledger.record(submission, "approved", detail, approve_first=False)
