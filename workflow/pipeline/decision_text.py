"""What was decided, as one phrase."""

from workflow.model import IntakeDecision, Route
from workflow.routing import format_window


def describe_intake(decision: IntakeDecision) -> str:
    """Return a decision before the upload as one phrase."""
    if decision.action != "upload":
        return f"{decision.action}: {decision.reason}"
    owner = f" for {decision.owner}" if decision.owner else ""
    folder = f" into folder {decision.folder}" if decision.folder else ""
    return f"upload with preset {decision.preset or 'of the vendor'}{owner}{folder}"


def describe_route(route: Route) -> str:
    """Return a decision after slicing as one phrase."""
    if route.destination is None:
        return f"hold: {route.reason}"
    device = f" of {route.device}" if route.device else ""
    due = f", due {route.due.isoformat()}" if route.due else ""
    copies = f", {route.copies} copies" if route.copies > 1 else ""
    approved = ", approved first" if route.approve_first else ""
    window = f", sent {format_window(route.send_window)}" if route.send_window else ""
    return f"{route.destination}{device}{copies}{due}{approved}{window}"
