"""The list of everything that the console serves, in the order of the navigation."""

from workflow.console.actions import ACTION_FIELDS, act_on_submissions
from workflow.console.attention import accept_bulk_arrival, read_attention
from workflow.console.confirm import read_question
from workflow.console.decide import respond_decision
from workflow.console.drop import read_drop_page, take_upload
from workflow.console.live import respond_events
from workflow.console.mine import read_mine
from workflow.console.monitoring_entries import MONITORING_ENTRIES
from workflow.console.part_files import respond_note, respond_part, respond_picture, respond_thumbnail
from workflow.console.part_view import read_part_view, respond_mesh
from workflow.console.submission import read_submission_page
from workflow.console.submissions import SEARCH_PARAMETERS, read_submissions, respond_csv
from workflow.console.views import Change, Document, Entry, Parameter, Role, Upload, View

WHO = Parameter("who", "whose files")
COUNT = Parameter("count", "how many files the page showed")

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
    Upload("/drop", take_upload),
    Document("/events", respond_events),
    Document("/decide/{word}", respond_decision, role=None, methods=("GET", "POST")),
    View("/act", read_question, "question.html", in_api=False),
    Change("/act", act_on_submissions, fields=ACTION_FIELDS),
    Change("/bulk-arrival", accept_bulk_arrival, fields=(COUNT,)),
    View("/s/{number:int}", read_submission_page, "submission.html"),
    Document("/s/{number:int}/file", respond_part),
    Document("/s/{number:int}/note.txt", respond_note),
    Document("/s/{number:int}/picture.png", respond_picture),
    Document("/s/{number:int}/thumb.png", respond_thumbnail),
    View("/s/{number:int}/3d", read_part_view, "part_view.html"),
    Document("/s/{number:int}/mesh", respond_mesh),
    *MONITORING_ENTRIES,
)
