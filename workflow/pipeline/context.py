"""What every step works with: the rooms, opened once and shared by all threads.

The present time, as everybody sees it who works on the same ledger.
"""

from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path

from workflow.eiger import EigerClient
from workflow.frozen import frozen
from workflow.intake import Share
from workflow.ledger import CLOCK, Ledger
from workflow.mesh import Inspector
from workflow.model import Submission
from workflow.notes import BY_COMMAND, NO_PRICES, DecisionWays, Prices
from workflow.pipeline.cloud_cache import CloudCache
from workflow.pipeline.live_rules import LiveRules
from workflow.pipeline.part_units import MM, PartUnits
from workflow.pipeline.retry import RetrySchedule
from workflow.routing import Rulebook
from workflow.settings import NoticeSettings

UploadProgressCallback = Callable[[int, int, int], None]
"""Called with submission, bytes sent, bytes in all while a file is uploaded."""

NO_NOTICES = NoticeSettings()


def ignore_progress(_number: int, _sent: int, _total: int) -> None:
    """Ignore the progress of uploads."""


@frozen
class Context:
    """The rooms and the limits, opened once."""

    ledger: Ledger
    client: EigerClient
    catalog: CloudCache
    rules: LiveRules
    share: Share
    spool: Path
    inspector: Inspector
    retry_schedule: RetrySchedule
    send_lease_seconds: float
    """The longest that one attempt to send may take, and its effect be late."""
    late_effect_seconds: float
    print_now_armed: bool = False
    """Whether a rule that says print_now may start a machine."""
    zone: tzinfo | None = None
    """The shop's time zone; None is this machine's."""
    progress_notes: bool = True
    """A note beside the place in the inbox where a file was dropped, while it is worked on."""
    pictures: str = "none"
    """Which notes get a picture: "meshes" that were held or rejected, "all", or "none"."""
    thumbnails: Path | None = None
    """The folder for thumbnails of the newest parts; None to draw none."""
    status_page: Path | None = None
    """Where the status page is written; None for nowhere."""
    prices: Prices = NO_PRICES
    eiger_link: str = ""
    """How the address of a build in Eiger is made; "" for none."""
    changeover_seconds: float = 600.0
    """How long an operator takes to clear a bed and start the next print."""
    follows_prints: bool = True
    """What was sent is followed until its print has ended, unless the rule says otherwise."""
    canary_seconds: float = 0.0
    """How often a tiny part tests the inbox; 0 for never."""
    date_folders: bool = False
    """Outcome folders get one folder a day."""
    reuses_builds: bool = False
    """A part that was sliced with the same settings before is not uploaded again."""
    accepted_units: tuple[PartUnits, ...] = (MM,)
    """Units and scales in which Eiger may take a part; a part in another one is held."""
    sets_duplicates_aside: bool = False
    """The same content in the same folder is sent once at a time; a batch sends whatever it is given."""
    shadow: bool = False
    """Shadow mode: files are read where they are, and what would be sent is only written down."""
    ways: DecisionWays = BY_COMMAND
    """How people decide about held files; it is said in each note."""
    on_progress: UploadProgressCallback = ignore_progress
    notices: NoticeSettings = NO_NOTICES
    """Who is told what, and where."""
    ca_bundle: str | None = None
    """The certificates that connections for notices trust; None: those of this machine."""
    proxy_for: Callable[[str], str | None] = lambda _: None
    """Returns the proxy of an address that notices go to."""
    link_key: bytes | None = None
    """Signs the links in notices that decide about held files; None: there are none."""

    @property
    def polls_at_once(self) -> bool:
        """True if the thread that uploads a part also polls it: one process runs all, without a wait."""
        return not self.ledger.is_shared and self.retry_schedule.first_poll_seconds <= 0

    @property
    def rulebook(self) -> Rulebook:
        """Return the rules in use."""
        return self.rules.rulebook

    def spool_path(self, submission: Submission) -> Path:
        """Return the place of the private copy that is inspected and uploaded."""
        return self.spool / f"{submission.id}.stl"

    def source(self, submission: Submission) -> Path:
        """Return the place of the file itself while it is worked on."""
        claimed_as = Path(submission.claimed_as or "")
        return claimed_as if submission.left_in_place else self.share.root / claimed_as


now = CLOCK.now
"""Return the present time, aware and in UTC."""
