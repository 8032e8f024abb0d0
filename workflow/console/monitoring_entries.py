"""The pages that show how it goes: printers, rules, health, the wall, and what monitors ask for."""

from workflow.console.forms import LONGEST_FORM
from workflow.console.health import read_health, respond_bundle, run_checkup
from workflow.console.monitoring import respond_healthz, respond_metrics, respond_readyz
from workflow.console.printers import put_back, read_printers, take_out
from workflow.console.rule_previews import LARGEST_FILE, explain_dropped_file, read_rules_preview, replay_text
from workflow.console.views import Change, Document, Entry, Parameter, Preview, Role, View
from workflow.console.wall import read_wall

PRINTER_NAME = Parameter("name", "name or id of the printer")
HOURS = Parameter("hours", "how far the timeline reaches: 24 or 168", "integer")
NAMES = Parameter("names", "`no` leaves out the names of parts")
OUTAGE_FIELDS = (
    PRINTER_NAME,
    Parameter("reason", "why"),
    Parameter("until", "when it is back by itself, in the shop's time; empty: once it is put back"),
)

MONITORING_ENTRIES: tuple[Entry, ...] = (
    View("/printers", read_printers, "printers.html", "Printers", "p", parameters=(HOURS,)),
    Change("/printers/out", take_out, Role.ADMIN, "/printers", fields=OUTAGE_FIELDS),
    Change("/printers/back", put_back, Role.ADMIN, "/printers", fields=(PRINTER_NAME,)),
    View("/rules", read_rules_preview, "rules.html", "Rules", "r"),
    Preview("/rules/explain", explain_dropped_file, "rules.html", LARGEST_FILE),
    Preview("/rules/replay", replay_text, "rules.html", LONGEST_FORM),
    View("/wall", read_wall, "wall.html", role=Role.WALL, parameters=(NAMES,)),
    View("/health", read_health, "health.html", "Health", "h"),
    Change("/health/check", run_checkup, goes_to="/health"),
    Document("/health/bundle.zip", respond_bundle, role=Role.ADMIN),
    Document("/healthz", respond_healthz, role=None),
    Document("/readyz", respond_readyz, role=None),
    Document("/metrics", respond_metrics),
)
