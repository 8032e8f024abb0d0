"""What would happen to each STL file of a folder if it were dropped now: measured and decided, not sent."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, tzinfo
from pathlib import Path

from workflow.errors import InspectionFailed, ShareError, error_reason
from workflow.frozen import frozen
from workflow.intake import InboxScan, scan_inbox
from workflow.ledger import Ledger
from workflow.mesh import Inspector
from workflow.model import DeviceFacts, FactValue, MeshReport, SubmissionState, unmeasured_report
from workflow.pipeline.batch import find_earlier_submission
from workflow.pipeline.facts import facts_of_unsubmitted_file
from workflow.pipeline.shadow import describe_forecast
from workflow.routing import Rulebook, explain

Given = Collection[tuple[str, FactValue]]


@frozen
class FileForecast:
    """What would become of one file. `outcome` is send, hold, reject, or known: an earlier batch has it."""

    path: str
    report: MeshReport
    outcome: str
    says: str
    preset: str | None = None
    rule: str | None = None


@frozen
class Forecaster:
    """Everything that decides on a file; `devices` None leaves the choice of a printer open."""

    rulebook: Rulebook
    inspector: Inspector
    ledger: Ledger | None
    zone: tzinfo | None
    devices: Sequence[DeviceFacts] | None = None
    given: Given = ()
    """Facts that a person assumes, such as the print time of a build."""
    as_batch: bool = False
    """True to find what an earlier batch sent from the same place."""

    def forecast_folder(self, folder: Path, prefix: str = "") -> Iterator[FileForecast]:
        """Yield each part file below a folder, by its path; `prefix` is put before the paths that rules see.

        Raises ShareError when the folder can't be read.
        """
        for path in sorted(_scan(folder).paths):
            yield self._forecast(folder, path, f"{prefix}{path}")

    def _forecast(self, folder: Path, path: str, seen_as: str) -> FileForecast:
        file = folder / path
        try:
            report, facts = facts_of_unsubmitted_file(
                file, seen_as, self.inspector, self.ledger, self.zone, self.rulebook.volumes
            )
        except (OSError, InspectionFailed) as error:
            why = error_reason(error)
            return FileForecast(seen_as, unmeasured_report(seen_as, why), "hold", why)
        if report.verdict != "accept":
            return FileForecast(seen_as, report, report.verdict, report.reason or "")
        earlier = (
            find_earlier_submission(self.ledger, folder, path) if self.as_batch and self.ledger else None
        )
        if earlier is not None:
            state = earlier.state
            word = "sent" if state is SubmissionState.DISPATCHED else state.replace("_", " ")
            says = f"an earlier batch has it: submission {earlier.id}, {word}: it is not sent again"
            return FileForecast(seen_as, report, "known", says, earlier.preset, earlier.routing_rule)
        today = datetime.now(self.zone).date()
        explained = explain(self.rulebook, {**facts, **dict(self.given)}, self.devices, today=today)
        intake, route = explained.intake, explained.routing
        if intake.action != "upload":
            return FileForecast(seen_as, report, intake.action, intake.reason or "", rule=intake.rule)
        is_held = route is not None and route.destination is None and not route.waits_for_device
        says, outcome = describe_forecast(explained), "hold" if is_held else "send"
        return FileForecast(seen_as, report, outcome, says, intake.preset, route.rule if route else None)


def _scan(folder: Path) -> InboxScan:
    try:
        return scan_inbox(folder)
    except OSError as error:
        raise ShareError(f"{folder} can't be read: {error_reason(error)}.") from None
