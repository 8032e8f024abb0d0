"""From the inbox folder to settled, claimed part files, and from there to the outcome folders."""

from workflow.intake.claim import NotTakenYet, claim_file, reclaim_file, undo_claim
from workflow.intake.completeness import FileSignature, signature_of
from workflow.intake.events import INOTIFY_WATCH_LIMIT, count_folders, measure_event_latency
from workflow.intake.explain import FileExplanation, explain_file, find_blocked_files
from workflow.intake.filenames import is_utf8, printable_path
from workflow.intake.inbox import Inbox, ScanResult
from workflow.intake.mass_arrival import MASS_ARRIVAL_REASON, MassArrivalLimit
from workflow.intake.moves import (
    INBOX_FOLDER,
    exists_in_share,
    in_place_note_path,
    make_outcome_folders,
    move_to_outcome,
    plan_and_move,
    plan_outcome_path,
)
from workflow.intake.name_patterns import NameKind, NameMatch, is_part_file, list_name_patterns, match_path
from workflow.intake.open_writers import LOCAL_FILE_SYSTEMS, file_system_type, mount_options
from workflow.intake.read_only import folder_origin, matches_stamp
from workflow.intake.scan import FolderFiles, InboxScan, UntakenFile, scan_inbox
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
from workflow.intake.stability_tracker import WaitingFile
from workflow.intake.store import FileStamp, IntakeStore, PreviousSubmission

__all__ = [
    "APPROVED_FOLDER",
    "CLAIMS_FOLDER_PREFIX",
    "INBOX_FOLDER",
    "INOTIFY_WATCH_LIMIT",
    "LOCAL_FILE_SYSTEMS",
    "MASS_ARRIVAL_REASON",
    "FileExplanation",
    "FileRoots",
    "FileSignature",
    "FileStamp",
    "FolderFiles",
    "Inbox",
    "InboxScan",
    "IntakeStore",
    "MassArrivalLimit",
    "NameKind",
    "NameMatch",
    "NotTakenYet",
    "Outcome",
    "PreviousSubmission",
    "ScanResult",
    "Share",
    "SpooledFile",
    "StabilityTimes",
    "UntakenFile",
    "WaitingFile",
    "claim_file",
    "copy_to_spool",
    "count_folders",
    "exists_in_share",
    "explain_file",
    "file_system_type",
    "find_blocked_files",
    "folder_origin",
    "hash_file",
    "in_place_note_path",
    "is_part_file",
    "is_utf8",
    "list_name_patterns",
    "make_marker",
    "make_outcome_folders",
    "match_path",
    "matches_stamp",
    "measure_event_latency",
    "mount_options",
    "move_to_outcome",
    "plan_and_move",
    "plan_outcome_path",
    "printable_path",
    "prove_move",
    "read_marker",
    "reclaim_file",
    "scan_inbox",
    "signature_of",
    "undo_claim",
]
