"""The list of everything that the console serves, in the order of the navigation."""

from workflow.console.attention import read_attention
from workflow.console.monitoring import respond_healthz, respond_metrics, respond_readyz
from workflow.console.part_view import read_part_view, respond_mesh
from workflow.console.views import Document, Entry, View

ENTRIES: tuple[Entry, ...] = (
    View("/", read_attention, "attention.html", "Needs attention", "n"),
    View("/s/{number:int}/3d", read_part_view, "part_view.html"),
    Document("/s/{number:int}/mesh", respond_mesh),
    Document("/healthz", respond_healthz, role=None),
    Document("/readyz", respond_readyz, role=None),
    Document("/metrics", respond_metrics),
)
