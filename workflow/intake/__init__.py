"""From the inbox folder to settled, claimed part files, and from there to the outcome folders."""

from workflow.intake.arrivals import ArrivalLimit
from workflow.intake.claim import call_back, claim, give_back
from workflow.intake.custody import Custody, take_custody
from workflow.intake.echo import WATCHES, count_folders, echo_seconds
from workflow.intake.explain import Explained, explain_file
from workflow.intake.gate import GateTimes
from workflow.intake.guard import IN_A_CROWD
from workflow.intake.inbox import Desk, Inbox, SweepResult
from workflow.intake.kinds import Kind, Named, is_part_file, names_table, path_kind
from workflow.intake.leaving import Before, Left, looks_like
from workflow.intake.marker import make_marker, read_marker
from workflow.intake.moves import exists
from workflow.intake.names import is_text, readable
from workflow.intake.origin import origin_of
from workflow.intake.place import INBOX, make_folders, move_into_place, note_place, place, plan_place
from workflow.intake.settling import Waiting
from workflow.intake.share import OWNED, Outcome, Share, prove_move
from workflow.intake.taking import Register
from workflow.intake.walk import Walk, walk
from workflow.intake.writers import LOCAL_FILE_SYSTEMS, file_system, mount_options

__all__ = [
    "INBOX",
    "IN_A_CROWD",
    "LOCAL_FILE_SYSTEMS",
    "OWNED",
    "WATCHES",
    "ArrivalLimit",
    "Before",
    "Custody",
    "Desk",
    "Explained",
    "GateTimes",
    "Inbox",
    "Kind",
    "Left",
    "Named",
    "Outcome",
    "Register",
    "Share",
    "SweepResult",
    "Waiting",
    "Walk",
    "call_back",
    "claim",
    "count_folders",
    "echo_seconds",
    "exists",
    "explain_file",
    "file_system",
    "give_back",
    "is_part_file",
    "is_text",
    "looks_like",
    "make_folders",
    "make_marker",
    "mount_options",
    "move_into_place",
    "names_table",
    "note_place",
    "origin_of",
    "path_kind",
    "place",
    "plan_place",
    "prove_move",
    "read_marker",
    "readable",
    "take_custody",
    "walk",
]
