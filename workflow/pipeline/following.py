"""Follows the prints of what was sent to their end: the thread of the service that asks Eiger once a minute.

It keeps nothing but what is in the ledger, so that it may be killed at any point: a round that was cut off is
done again. Of several workers on one ledger, one does each round for all.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial

from loguru import logger

from workflow.eiger import Device
from workflow.errors import CloudError, StateFolderError, catch_faults
from workflow.ledger import Superseded
from workflow.model import (
    ENDED_PHASES,
    EventKind,
    FollowedPrint,
    PrintPhase,
    Submission,
    SubmissionChanges,
    SubmissionState,
)
from workflow.pipeline.context import Context, now
from workflow.pipeline.lateness import PrintTimes, late_day, lateness_text, ready_at
from workflow.pipeline.print_notes import write_print_notes
from workflow.pipeline.print_phase import next_print_state
from workflow.pipeline.print_sightings import PrintSightings
from workflow.pipeline.submission_log import log_of
from workflow.pipeline.watchdog import Watchdog

FOLLOW_SECONDS = 60.0
CALM_ROUNDS = 5
"""While no print is followed, only the printers are listed, and in one round of so many."""
ENDED_OVERLAP = timedelta(hours=1)
"""Print jobs may be listed as ended some time after they have."""
LONGEST_WINDOW = timedelta(days=30)
_EVENT_OF_PHASE = {
    PrintPhase.PRINTING: EventKind.PRINTING,
    PrintPhase.PRINTED: EventKind.PRINTED,
    PrintPhase.FAILED: EventKind.PRINT_FAILED,
    PrintPhase.CANCELED: EventKind.PRINT_CANCELED,
    PrintPhase.LOST: EventKind.LOST_TRACK,
}
Followed = Sequence[tuple[Submission, tuple[FollowedPrint, ...]]]


@dataclass
class PrintFollower:
    """Asks Eiger what became of the prints; one per process."""

    context: Context
    interval_seconds: float
    watchdog: Watchdog
    _wake: threading.Event = field(default_factory=threading.Event)
    _moment: datetime | None = None
    """When the last whole round of this process was, by Eiger's clock."""
    _rounds: int = 0

    def run(self, stop: threading.Event) -> None:
        """Do a round when it is due, until told to stop; at once if prints are followed from before."""
        catch_faults(self._begin, _log_fault)
        while not stop.is_set():
            self._wake.wait(self.interval_seconds)
            self._wake.clear()
            if not stop.is_set():
                catch_faults(self._round, _log_fault)

    def wake(self) -> None:
        """Let the thread see that the service stops."""
        self._wake.set()

    def _begin(self) -> None:
        try:
            write_print_notes(self.context)
            if self.context.ledger.prints.any_followed():
                self._wake.set()
        except StateFolderError as error:
            logger.debug("Prints are followed later: {}", error)

    def _round(self) -> None:
        try:
            is_calm = not self.context.ledger.prints.any_followed()
            interval = self.interval_seconds * (CALM_ROUNDS if is_calm else 1)
            if self.context.ledger.prints.begin_round(0.9 * interval):
                with self.watchdog.watching("Following the prints"):
                    self.follow()
            write_print_notes(self.context)
        except (CloudError, StateFolderError) as error:
            logger.debug("Prints are followed later: {}", error)

    def follow(self) -> None:
        """Ask Eiger once for all prints and write what has changed. Raises CloudError, StateFolderError."""
        ledger = self.context.ledger
        followed = [each for each in ledger.prints.list_followed() if each[1]]
        earlier = {printer.id: printer for printer in ledger.printers.latest()}
        devices = {device.id: device for device in self.context.catalog.list_devices_now()}
        if not followed:
            return
        moment = now() + timedelta(seconds=self.context.client.ahead_seconds or 0.0)
        waited = timedelta(seconds=self.interval_seconds) if self._moment is None else moment - self._moment
        copies = [
            _with_device_name(copy, devices)
            for _, of_one in followed
            for copy in of_one
            if copy.phase not in ENDED_PHASES
        ]
        known = ledger.prints.list_known_jobs({copy.build_id for copy in copies})
        sightings = PrintSightings(self.context.client, devices, earlier, known, moment, waited)
        seen = sightings.see(copies, self._ended_since(copies, moment))
        after = {
            (copy.submission, copy.copy): next_print_state(copy, sighting)
            for copy, sighting in zip(copies, seen, strict=True)
        }
        for submission, before in followed:
            record = partial(self._record, submission, before, after, devices, moment)
            catch_faults(record, _log_fault, but=(StateFolderError,))  # the others go on
        self._moment = moment

    def _ended_since(self, copies: Sequence[FollowedPrint], moment: datetime) -> datetime:
        if self._moment is not None:
            return min(self._moment, moment) - ENDED_OVERLAP
        oldest = min((copy.sent_at for copy in copies), default=moment)
        return max(oldest, moment - LONGEST_WINDOW) - ENDED_OVERLAP

    def _record(
        self,
        submission: Submission,
        before: Sequence[FollowedPrint],
        seen: Mapping[tuple[int, int], FollowedPrint],
        devices: Mapping[str, Device],
        moment: datetime,
    ) -> None:
        """Write what has changed for one submission: its copies, its state, its events, all at once."""
        after = [seen.get((copy.submission, copy.copy), copy) for copy in before]
        changed = [new for new, old in zip(after, before, strict=True) if new != old]
        events = [
            (_EVENT_OF_PHASE[new.phase], print_event_text(new, len(after)))
            for new, old in zip(after, before, strict=True)
            if new.phase is not old.phase
        ]
        changes = changes_after(submission, after)
        late_on = self._late_on(submission, after, devices, moment)
        if (
            late_on != submission.late_on
            and submission.due_date is not None
            and changes.get("followed", True)
        ):
            kind = EventKind.ON_TIME if late_on is None else EventKind.LATE
            events.append((kind, lateness_text(submission.due_date, late_on, after)))
            changes["late_on"] = late_on
        if not (changed or events):
            return
        try:
            self.context.ledger.prints.write(submission, changed, events, **changes)
        except Superseded as error:
            logger.debug("{}", error)
            return
        for kind, detail in events:
            about = log_of(submission, changes.get("state"), detail)
            about.info("Submission {} ({}) {}: {}", submission.id, submission.path, kind, detail)

    def _late_on(
        self,
        submission: Submission,
        copies: Sequence[FollowedPrint],
        devices: Mapping[str, Device],
        moment: datetime,
    ) -> date | None:
        if submission.due_date is None:
            return None
        routing = self.context.ledger.decisions.read_routing([submission.id]).get(submission.id)
        hours = None if routing is None else routing.facts.get("build.print_hours")
        seconds = 3600.0 * hours if isinstance(hours, int | float) else None
        times = PrintTimes(seconds, self.context.changeover_seconds)
        ready = ready_at(copies, devices, times, moment)
        return late_day(submission.due_date, ready, submission.late_on, self.context.zone)


def changes_after(submission: Submission, copies: Sequence[FollowedPrint]) -> SubmissionChanges:
    """Return what changes of a submission when its copies are as they are now."""
    state = state_of_copies(copies)
    if state is submission.state:
        return {}
    changes: SubmissionChanges = {"state": state}
    if state in {SubmissionState.FAILED, SubmissionState.LOST_TRACK}:
        reasons = [copy.reason for copy in copies if copy.phase is not PrintPhase.PRINTED and copy.reason]
        changes["reason"] = " ".join(dict.fromkeys(reasons))
    if all(copy.phase in ENDED_PHASES for copy in copies):
        changes["followed"] = False
    return changes


def state_of_copies(copies: Sequence[FollowedPrint]) -> SubmissionState:
    """Return the state of a submission by its copies; printed only if each of them is."""
    phases = {copy.phase for copy in copies}
    if phases == {PrintPhase.PRINTED}:
        return SubmissionState.PRINTED
    if phases <= ENDED_PHASES:
        failed = phases & {PrintPhase.FAILED, PrintPhase.CANCELED}
        return SubmissionState.FAILED if failed else SubmissionState.LOST_TRACK
    return SubmissionState.DISPATCHED if phases == {PrintPhase.QUEUED} else SubmissionState.PRINTING


def print_event_text(copy: FollowedPrint, copies: int) -> str:
    """Return what the history says of a copy: where it prints, and what is to be known of it."""
    which = f"copy {copy.copy} of {copies}" if copies > 1 else ""
    where = copy.device if copy.phase in {PrintPhase.PRINTING, PrintPhase.PRINTED} else None
    return ": ".join(filter(None, (which, " - ".join(filter(None, (where, copy.reason))))))


def _with_device_name(copy: FollowedPrint, devices: Mapping[str, Device]) -> FollowedPrint:
    device = devices.get(copy.device_id or "")
    return copy if device is None else replace(copy, device=device.name)


def _log_fault(fault: Exception) -> None:
    logger.opt(exception=fault).error("A fault of stlflow while following the prints: {}", fault)
