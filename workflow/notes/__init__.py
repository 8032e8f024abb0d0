"""The notes beside people's files."""

from workflow.notes.answer import (
    NO_PRICES,
    Answer,
    PastPrints,
    Prices,
    find_similar_prints,
    make_answer,
    parse_prices,
    queue_wait,
)
from workflow.notes.answer_text import (
    answer_document,
    answer_line,
    duration_text,
    materials_text,
    print_time_text,
    ready_text,
)
from workflow.notes.files import (
    has_note_of,
    is_note,
    is_note_about,
    is_picture,
    note_path,
    note_title,
    orphan_notes,
    picture_path,
    read_submission_note,
    remove_note,
    remove_note_file,
    remove_notes_left,
    remove_orphan_note,
    remove_submission_note,
    remove_titled_note,
    says,
    title_of_note,
    untouched_note_text,
    write_note,
    write_picture,
)
from workflow.notes.how_to import HOW_TO_NAME, how_to_text, write_how_to
from workflow.notes.next_step import BY_COMMAND, DecisionWays, next_step_text, why_not_approved
from workflow.notes.notice_text import REPEATED, digest_text, is_outdated, notice_text, trouble_text
from workflow.notes.prints import (
    PrintStatus,
    answer_once_printing,
    print_status_document,
    print_status_text,
    running_by_job,
)
from workflow.notes.progress import PROGRESS_STATES, progress_note_text, submission_in_progress
from workflow.notes.status_page import STATUS_PAGE_MARK, status_page_html
from workflow.notes.status_view import StatusPage, StatusRow, is_undecided
from workflow.notes.text import (
    MASS_ARRIVAL_NOTE,
    fact_lines,
    mass_arrival_note_text,
    naming_eiger,
    orphaned_claims_note_text,
    spreadsheet_cell,
    state_text,
    submission_note_text,
    untaken_file_note_text,
    untaken_file_of_note,
)
