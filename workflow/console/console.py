"""What every page works with: the ledger, the settings, and the key that signs cookies."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from workflow.assembly import share_from_ledger
from workflow.console.checkup import Checkup
from workflow.console.viewer_meshes import MESHES_FOLDER, ViewerMeshes
from workflow.doctor import Finding, run_checks_of
from workflow.errors import ShareError
from workflow.intake import Share
from workflow.ledger import Ledger
from workflow.pipeline.trouble_watch import TimedProbe
from workflow.routing import RuleTestResult
from workflow.settings import Settings
from workflow.state_folder import read_private_key

KEY_FILE = "console.key"
SHARE_SECONDS = 2.0
"""How long a page waits for the share."""


def wake_nobody() -> None:
    """Do nothing: the service is another process, and finds changes by itself."""


def never_stalled() -> float:
    """Return 0: a console on its own has no loop but the one that answers."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Console:
    """One console. `wake` makes the service check at once, `stalled_seconds` says for how
    long its loop has not turned; `stop` is set when the server ends."""

    ledger: Ledger
    settings: Settings
    key: bytes
    wake: Callable[[], None] = wake_nobody
    stalled_seconds: Callable[[], float] = never_stalled
    stop: Event = field(default_factory=Event)
    viewer_meshes: ViewerMeshes = field(init=False)
    checkup: Checkup = field(init=False)
    share_probe: TimedProbe = field(init=False)
    rule_tests: dict[str, tuple[RuleTestResult, ...]] = field(default_factory=dict)
    """The results of the last revision of the rules that was shown."""

    def __post_init__(self) -> None:
        """Begin with no mesh being made, and nothing checked."""
        meshes = ViewerMeshes(self.settings.state.absolute() / MESHES_FOLDER)
        object.__setattr__(self, "viewer_meshes", meshes)
        object.__setattr__(self, "checkup", Checkup(self.run_checks))
        silence = f"The share {self.settings.share} does not answer. Check the mount and the file server."
        object.__setattr__(self, "share_probe", TimedProbe(self.touch_share, silence, SHARE_SECONDS))

    def touch_share(self) -> None:
        """Return once the share, and the inbox, say something: that they are away is said elsewhere."""
        for place in filter(None, (self.settings.share, self.settings.read_only_inbox)):
            with suppress(OSError):
                place.stat()

    def run_checks(self) -> Iterator[Finding]:
        """Run the doctor's checks, one finding at a time."""
        return run_checks_of(self.settings)

    @property
    def share(self) -> Share:
        """Return the share as the ledger knows it now. Raises ShareError if it hangs.

        A call on a mount that hangs never ends, and each one would keep a thread of the server.
        """
        if silence := self.share_probe():
            raise ShareError(silence)
        return share_from_ledger(self.settings, self.ledger)


def read_key(state: Path) -> bytes:
    """Return the key that signs cookies, made at the first start. Raises StateFolderError."""
    return read_private_key(state.absolute() / KEY_FILE)
