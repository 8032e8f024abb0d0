"""What every step works with: the rooms, opened once and shared by all threads."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from workflow.eiger import EigerClient
from workflow.intake import Share
from workflow.ledger import Ledger
from workflow.mesh import Inspector
from workflow.model import Submission
from workflow.pipeline.catalog import Catalog
from workflow.pipeline.part_units import MM, PartUnits
from workflow.pipeline.patience import Patience
from workflow.pipeline.rules_in_force import RulesInForce
from workflow.routing import Rulebook

Progress = Callable[[int, int, int], None]
"""Called with submission, bytes sent, bytes in all while a file is uploaded."""


def nobody_watches(_number: int, _sent: int, _total: int) -> None:
    """Ignore the progress of uploads."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """The rooms and the limits, opened once."""

    ledger: Ledger
    client: EigerClient
    catalog: Catalog
    rules: RulesInForce
    share: Share
    spool: Path
    inspector: Inspector
    patience: Patience
    send_lease_seconds: float
    """The longest that one attempt to send may take, and its effect be late."""
    late_effect_seconds: float
    print_now_armed: bool = False
    """Whether a rule that says print_now may start a machine."""
    zone: tzinfo | None = None
    """The shop's time zone; None is this machine's."""
    date_folders: bool = False
    """Outcome folders get one folder a day."""
    reuses_builds: bool = False
    """A part that was sliced with the same settings before is not uploaded again."""
    accepted_units: tuple[PartUnits, ...] = (MM,)
    """Units and scales in which Eiger may take a part; a part in another one is held."""
    sets_duplicates_aside: bool = False
    """The same content in the same folder is sent once at a time; a batch sends whatever it is given."""
    on_progress: Progress = nobody_watches

    @property
    def rulebook(self) -> Rulebook:
        """The rules that count for whatever is decided now."""
        return self.rules.rulebook

    def spool_file(self, submission: Submission) -> Path:
        """Give the place of the private copy that is inspected and uploaded."""
        return self.spool / f"{submission.id}.stl"

    def source(self, submission: Submission) -> Path:
        """Give the place of the file itself while it is worked on."""
        claimed_as = Path(submission.claimed_as or "")
        return claimed_as if submission.left_in_place else self.share.root / claimed_as
