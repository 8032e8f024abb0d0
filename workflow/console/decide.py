"""The page behind a link in a notice: it shows the held file, and only its buttons decide.

A GET changes nothing: mail scanners follow every link. The link itself is what allows the decision, so that
nobody has to log in.
"""

from asyncio import to_thread

from starlette.requests import Request
from starlette.responses import Response

from workflow.assembly import notice_link_key
from workflow.console.access import console_of
from workflow.console.console import Console
from workflow.console.forms import LONGEST_FORM, with_body_limit
from workflow.console.render import render
from workflow.errors import StlflowError
from workflow.frozen import frozen
from workflow.intake import printable_path
from workflow.model import EventKind, Submission, SubmissionState
from workflow.notices import LinkGrant, read_grant
from workflow.pipeline.commands import cancel_submission, release_submission
from workflow.pipeline.context import now
from workflow.pipeline.decider import Decider
from workflow.pipeline.holds import RELEASABLE_HOLDS

INVALID = "This link is not valid, or no longer. The newest message has the newest link."
DECIDED = "This has been decided already. Nothing was changed."
MOST_WHY = 300
_SAME_MOMENT_SECONDS = 0.001


@frozen
class HeldPart:
    """What the page shows of the file."""

    id: int
    path: str
    reason: str
    can_release: bool


async def respond_decision(request: Request) -> Response:
    """Show the held file of a link, or carry out what a button of that page says."""
    if request.method != "POST":
        return await to_thread(_answer, request, "", "")
    form = await with_body_limit(request, LONGEST_FORM).form(max_files=0, max_fields=10)
    action, why = str(form.get("action", "")), str(form.get("why", ""))[:MOST_WHY]
    return await to_thread(_answer, request, action, why)


def _answer(request: Request, action: str, why: str) -> Response:
    console = console_of(request)
    key = notice_link_key(console.settings)
    grant = None if key is None else read_grant(key, request.path_params["word"], now())
    if grant is None:
        return _page(request, None, INVALID, 404)
    try:
        submission = _find_held(console, grant)
        if submission is None:
            return _page(request, None, DECIDED, 409)
    except StlflowError as error:
        return _page(request, None, str(error), 409)
    if action not in {"release", "reject"}:
        return _page(request, submission, "")
    try:
        return _page(request, None, _decide(console, submission, grant, action, why))
    except StlflowError as error:
        return _page(request, submission, str(error), 409, why)


def _find_held(console: Console, grant: LinkGrant) -> Submission | None:
    """Return the submission if it is still held as when the notice was sent. Raises UnknownSubmission."""
    submission = console.ledger.get(grant.number)
    held = [each.at for each in console.ledger.events(grant.number) if each.event == EventKind.HELD]
    if submission.state is not SubmissionState.HELD or not held:
        return None
    is_same = abs(held[-1].timestamp() - grant.held_at) < _SAME_MOMENT_SECONDS
    return submission if is_same else None


def _decide(console: Console, submission: Submission, grant: LinkGrant, action: str, why: str) -> str:
    """Release or reject the file, and return what was done. Raises WrongSubmissionState."""
    decider = Decider(f"{grant.target}, by a link in a notice", why)
    path = printable_path(submission.path)
    if action == "release":
        release_submission(console.ledger, submission.id, console.share, decider=decider)
        said = f"{path} is released and goes on."
    else:
        cancel_submission(console.ledger, submission.id, decider=decider)
        said = f"{path} is rejected. Its file goes to rejected/."
    console.wake()
    return said


def _page(
    request: Request, submission: Submission | None, said: str, status: int = 200, why: str = ""
) -> Response:
    request.state.page = {}
    part = submission and HeldPart(
        submission.id,
        printable_path(submission.path),
        submission.reason or "",
        submission.hold in RELEASABLE_HOLDS,
    )
    return render(request, "decide.html", {"part": part, "said": said, "most": MOST_WHY, "why": why}, status)
