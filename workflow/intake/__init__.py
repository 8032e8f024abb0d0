"""From the inbox folder to settled, claimed part files, and from there to the outcome folders."""

from workflow.intake.claim import (
    FileStamp,
    NotTakenYet,
    PreviousSubmission,
    claim_file,
    reclaim_file,
    undo_claim,
)
from workflow.intake.completeness import FileSignature, signature_of
from workflow.intake.events import INOTIFY_WATCH_LIMIT, count_folders, measure_event_latency
from workflow.intake.explain import FileExplanation, explain_file, find_blocked_files
from workflow.intake.filenames import fit_name, is_utf8, printable_path
from workflow.intake.fs import open_folder, remove_empty_folders
from workflow.intake.inbox import Inbox
from workflow.intake.mass_arrival import MASS_ARRIVAL_REASON, MassArrivalLimit
from workflow.intake.moves import (
    INBOX_FOLDER,
    exists_in_share,
    in_place_note_path,
    make_outcome_folders,
    move_file,
    move_to_outcome,
    plan_and_move,
    plan_outcome_path,
)
from workflow.intake.name_patterns import NameKind, is_part_file, list_name_patterns, match_path
from workflow.intake.open_writers import LOCAL_FILE_SYSTEMS, file_system_type, mount_options
from workflow.intake.read_only import folder_origin, matches_stamp
from workflow.intake.scan import FolderFiles, InboxScan, UntakenFile, files_below, paths_below, scan_inbox
from workflow.intake.share import (
    APPROVED_FOLDER,
    CLAIMS_FOLDER_PREFIX,
    Outcome,
    Share,
    make_marker,
    prove_move,
    read_marker,
)
from workflow.intake.spool import FileRoots, SpooledFile, copy_to_spool, hash_file
from workflow.intake.stability import StabilityTimes
from workflow.intake.waiting_files import InboxFile, InboxListing, WaitingKind, list_waiting_files
