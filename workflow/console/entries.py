"""The list of everything that the console serves, in the order of the navigation."""

from workflow.console.actions import ACTION_FIELDS, act_on_submissions, read_question
from workflow.console.attention import read_attention
from workflow.console.bulk_arrival import ACCEPT_FIELDS, accept_bulk_arrival, read_bulk_question
from workflow.console.decide import respond_decision
from workflow.console.drop import read_drop_page, take_upload
from workflow.console.forms import LONGEST_FORM
from workflow.console.health import (
    read_health,
    respond_bundle,
    respond_healthz,
    respond_metrics,
    respond_readyz,
    run_checkup,
)
from workflow.console.live import respond_events
from workflow.console.mine import read_mine
from workflow.console.part_files import respond_note, respond_part, respond_picture, respond_thumbnail
from workflow.console.part_view import read_part_view, respond_mesh
from workflow.console.printers import put_back, read_printers, take_out
from workflow.console.rule_previews import LARGEST_FILE, explain_dropped_file, read_rules_preview, replay_text
from workflow.console.submission import read_submission_page
from workflow.console.submissions import SEARCH_PARAMETERS, read_submissions, respond_csv
from workflow.console.views import Change, Document, Entry, Parameter, Preview, Role, View
from workflow.console.wall import read_wall

WHO = Parameter("who", "whose files")
PRINTER_NAME = Parameter("name", "name or id of the printer")
HOURS = Parameter("hours", "how far the timeline reaches: 24 or 168", "integer")
NAMES = Parameter("names", "`no` leaves out the names of parts")
OUTAGE_FIELDS = (
    PRINTER_NAME,
    Parameter("reason", "why"),
    Parameter("until", "when it is back by itself, in the shop's time; empty: once it is put back"),
)

ENTRIES: tuple[Entry, ...] = (
    View("/", read_attention, "attention.html", "Needs attention", "n"),
    View(
        "/submissions",
        read_submissions,
        "submissions.html",
        "All submissions",
        "a",
        parameters=SEARCH_PARAMETERS,
    ),
    Document("/submissions.csv", respond_csv),
    View("/mine", read_mine, "mine.html", "My files", "m", parameters=(WHO,)),
    View("/drop", read_drop_page, "drop.html", role=Role.WORK),
    Document("/drop", take_upload, Role.WORK, methods=("POST",)),
    Document("/events", respond_events),
    Document("/decide/{word}", respond_decision, role=None, methods=("GET", "POST")),
    View("/act", read_question, "question.html", in_api=False),
    Change("/act", act_on_submissions, fields=ACTION_FIELDS),
    View("/bulk-arrival", read_bulk_question, "bulk_arrival.html", in_api=False),
    Change("/bulk-arrival", accept_bulk_arrival, fields=ACCEPT_FIELDS),
    View("/s/{number:int}", read_submission_page, "submission.html"),
    Document("/s/{number:int}/file", respond_part),
    Document("/s/{number:int}/note.txt", respond_note),
    Document("/s/{number:int}/picture.png", respond_picture),
    Document("/s/{number:int}/thumb.png", respond_thumbnail),
    View("/s/{number:int}/3d", read_part_view, "part_view.html"),
    Document("/s/{number:int}/mesh", respond_mesh),
    View("/printers", read_printers, "printers.html", "Printers", "p", parameters=(HOURS,)),
    Change("/printers/out", take_out, Role.ADMIN, "/printers", fields=OUTAGE_FIELDS),
    Change("/printers/back", put_back, Role.ADMIN, "/printers", fields=(PRINTER_NAME,)),
    View("/rules", read_rules_preview, "rules.html", "Rules", "r"),
    Preview("/rules/explain", explain_dropped_file, "/rules", "rules.html", LARGEST_FILE),
    Preview("/rules/replay", replay_text, "/rules", "rules.html", LONGEST_FORM),
    View("/wall", read_wall, "wall.html", role=Role.WALL, parameters=(NAMES,)),
    View("/health", read_health, "health.html", "Health", "h"),
    Change("/health/check", run_checkup, goes_to="/health"),
    Document("/health/bundle.zip", respond_bundle, role=Role.ADMIN),
    Document("/healthz", respond_healthz, role=None),
    Document("/readyz", respond_readyz, role=None),
    Document("/metrics", respond_metrics),
)
