"""The last step in shadow mode: what would be sent is written down, and nothing is uploaded or sent."""

from workflow.ledger import draft_of
from workflow.model import DecisionRecord, EventKind, Submission, SubmissionState
from workflow.pipeline.context import Context, now
from workflow.pipeline.decision_text import describe_route
from workflow.pipeline.facts import facts_before_upload
from workflow.pipeline.route import ROUTING, read_devices_for_rules
from workflow.routing import Explanation, OpenRule, explain

SHADOW_REASON = "Shadow mode: nothing was uploaded or sent."


def forecast_route(context: Context, submission: Submission) -> Submission:
    """Record what the routing rules say before slicing, with the printers as they are now; then end.

    Raises CloudError: the file waits until the printers can be read.
    """
    rulebook, moment = context.rulebook, now()
    known = facts_before_upload(context.ledger, submission, moment, context.zone, rulebook.volumes)
    facts = {**known, "preset": submission.preset or ""}
    forecast = explain(rulebook, facts, today=moment.astimezone(context.zone).date())
    rule = forecast.routing.rule if forecast.routing is not None else ""
    devices = read_devices_for_rules(context)
    taken = DecisionRecord(ROUTING, moment, rulebook.revision, rule, facts, devices=devices)
    ended = draft_of(submission).record(
        EventKind.FORECAST,
        describe_forecast(forecast),
        taken,
        state=SubmissionState.CANCELED,
        reason=SHADOW_REASON,
        ended_at=now(),
    )
    return context.ledger.write(ended)


def describe_forecast(forecast: Explanation) -> str:
    """Return where a build would go; what waits for facts of the build is said with its conditions."""
    if forecast.routing is not None:
        return describe_route(forecast.routing)
    *conditional, last = forecast.open_rules
    ways = [f"{each.send_to or 'hold'} if {_conditions(each)}" for each in conditional]
    return "unknown before slicing: " + ", ".join((*ways, f"else {last.send_to or 'hold'}"))


def _conditions(rule: OpenRule) -> str:
    return " and ".join(each.replace(": ", " ", 1) for each in rule.conditions)
