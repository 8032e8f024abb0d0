"""The list of everything that the console serves, in the order of the navigation."""

from workflow.console.attention import read_attention
from workflow.console.views import Entry, View

ENTRIES: tuple[Entry, ...] = (View("/", read_attention, "attention.html", "Needs attention", "n"),)
