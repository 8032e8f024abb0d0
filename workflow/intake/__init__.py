"""From the inbox folder to settled, claimed part files, and from there to the outcome folders."""

from workflow.intake.claim import call_back, claim, give_back
from workflow.intake.custody import Custody, take_custody
from workflow.intake.gate import GateTimes
from workflow.intake.inbox import Inbox, Register, SweepResult
from workflow.intake.kinds import is_part_file
from workflow.intake.names import readable
from workflow.intake.place import move_into_place, place, plan_place
from workflow.intake.settling import Waiting
from workflow.intake.share import Outcome, Share
from workflow.intake.walk import Walk, walk
from workflow.intake.writers import file_system

__all__ = [
    "Custody",
    "GateTimes",
    "Inbox",
    "Outcome",
    "Register",
    "Share",
    "SweepResult",
    "Waiting",
    "Walk",
    "call_back",
    "claim",
    "file_system",
    "give_back",
    "is_part_file",
    "move_into_place",
    "place",
    "plan_place",
    "readable",
    "take_custody",
    "walk",
]
