"""What Eiger shows of the copies that are followed, with as few requests as will do.

Two lists for all of them: the devices, and the print jobs that have ended lately. More is asked only about a
copy that something has happened to: a print of its build, a queue that has changed, a print that is no longer
shown; and about a waiting copy once in a while.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from workflow.eiger import Device, DeviceQueue, EigerClient, PrintJobDetail, PrintJobFilter
from workflow.errors import NotFound
from workflow.model import Destination, FollowedPrint, PrinterSnapshot, PrintPhase
from workflow.pipeline.print_matching import Match, is_candidate, match_jobs
from workflow.pipeline.print_phase import ENDED_WORDS, SeenJob, Sighting

QUEUE_CHECK = timedelta(minutes=15)
REQUEST_CHECK = timedelta(hours=1)
"""How often a waiting copy is looked for where nothing seems to have happened."""
MISSING_CHECK = timedelta(minutes=10)
"""How often a print that is not shown is looked for, after it was each round for as long."""
MAX_LOOKUPS = 60
MAX_ENDED = 2000
_JOBS_OF_BUILD = 20
_WAITING_REQUEST, _REMOVED, _LEFT = "backlogged", "removed", frozenset({"started", "removed"})


@dataclass
class PrintSightings:
    """One round: what Eiger shows now. `earlier` is what the printers showed a round ago."""

    client: EigerClient
    devices: Mapping[str, Device]
    earlier: Mapping[str, PrinterSnapshot]
    known_jobs: Mapping[str, Collection[str]]
    moment: datetime
    interval: timedelta
    jobs: dict[str, SeenJob] = field(default_factory=dict)
    lookups_left: int = MAX_LOOKUPS
    _queues: dict[str, DeviceQueue] = field(default_factory=dict)
    _waiting: dict[str, bool] = field(default_factory=dict)
    _removed: set[str] = field(default_factory=set)
    _started: set[str] = field(default_factory=set)
    """Requests that were started, as their print job says; where is not known."""

    def see(self, copies: Sequence[FollowedPrint], ended_since: datetime) -> Sequence[Sighting]:
        """Return what is seen of each copy. Raises CloudError."""
        self._see_devices()
        self._list_ended(ended_since)
        for copy in sorted(copies, key=lambda each: each.waited_at or each.sent_at):
            if copy.phase is PrintPhase.QUEUED and self._is_due(copy):
                self._look_where_it_waits(copy)
        matches = self._match(copies)
        for copy in copies:
            if copy.receipt_id not in matches and self._is_search_due(copy):
                self._search(copy)
        matches = self._match(copies)
        return [self._sighting(copy, matches.get(copy.receipt_id)) for copy in copies]

    def _match(self, copies: Sequence[FollowedPrint]) -> Mapping[str, Match]:
        own = {copy.receipt_id for copy in copies} | {copy.job_id for copy in copies}
        taken = {job for known in self.known_jobs.values() for job in known} - own
        left = {receipt for receipt, waits in self._waiting.items() if not waits} - self._removed
        at_once = {copy.receipt_id for copy in copies if copy.destination is Destination.PRINT_NOW}
        return match_jobs(copies, list(self.jobs.values()), left | at_once, taken)

    def _see_devices(self) -> None:
        for device in self.devices.values():
            job = device.active_job
            if job is not None:
                self.jobs[job.id] = SeenJob(
                    job.id, None if job.build is None else job.build.id, job.state, True, False,
                    device.id, device.name, job.progress, job.started_at or job.created_at,
                )  # fmt: skip

    def _list_ended(self, since: datetime) -> None:
        """List what has ended. A filter on the end leaves out the rows that say `Printing` for ever."""
        listed = self.client.list_print_jobs(
            PrintJobFilter(ended_from=since), sort_by="ended_at", order="desc"
        )
        for job in islice(listed, MAX_ENDED):
            self._add_job(job)

    def _add_job(self, job: PrintJobDetail) -> SeenJob:
        """Add a print job as listed; a device that shows it as running knows better."""
        has_ended = job.ended_at is not None or job.state.casefold() in ENDED_WORDS
        seen = SeenJob(
            job.id, None if job.build is None else job.build.id, job.state, False, has_ended,
            None if job.device is None else job.device.id,
            None if job.device is None else job.device.name,
            None, job.started_at or job.created_at,
        )  # fmt: skip
        if has_ended or job.id not in self.jobs:
            self.jobs[job.id] = seen
        return seen

    def _is_due(self, copy: FollowedPrint) -> bool:
        """True if a waiting copy may have left the place where it waits, or was not looked for lately."""
        if copy.destination is Destination.PRINT_NOW:
            return copy.receipt_id not in self.jobs and self._is_search_due(copy)
        if any(is_candidate(copy, job) for job in self.jobs.values()):
            return True
        if copy.missing_since is not None:
            return self._is_search_due(copy)
        check = QUEUE_CHECK if copy.destination is Destination.DEVICE_QUEUE else REQUEST_CHECK
        return (
            copy.waited_at is None
            or self.moment - copy.waited_at >= check
            or self._queue_has_changed(copy.device_id or "")
        )

    def _queue_has_changed(self, device_id: str) -> bool:
        device, earlier = self.devices.get(device_id), self.earlier.get(device_id)
        return device is not None and earlier is not None and device.queue_length != earlier.queue_length

    def _is_search_due(self, copy: FollowedPrint) -> bool:
        """True in each round for a while after the last sign, and once in a while after that."""
        device = self.devices.get(copy.device_id or "")
        is_back = device is not None and not _is_offline(device) and copy.online_since is None
        since = None if is_back else copy.online_since or copy.missing_since
        age = self.moment - (since or self.moment)
        if copy.phase is PrintPhase.QUEUED and self._waiting.get(copy.receipt_id):
            return False
        return age < MISSING_CHECK or age // MISSING_CHECK != (age - self.interval) // MISSING_CHECK

    def _take_lookup(self) -> bool:
        self.lookups_left -= 1
        return self.lookups_left >= 0

    def _look_where_it_waits(self, copy: FollowedPrint) -> None:
        if copy.destination is not Destination.DEVICE_QUEUE:
            self._look_at_request(copy)
            return
        device_id = copy.device_id or ""
        if device_id not in self._queues:
            if not self._take_lookup():
                return
            try:
                self._queues[device_id] = self.client.list_device_queue(device_id)
            except NotFound:  # the device is gone from Eiger, and its queue with it
                self._waiting[copy.receipt_id] = False
                return
        entries = self._queues[device_id].queue
        entry = next((each for each in entries if each.id == copy.receipt_id), None)
        self._waiting[copy.receipt_id] = entry is not None and entry.state.casefold() not in _LEFT

    def _look_at_request(self, copy: FollowedPrint) -> None:
        """Read the print job of a request, of the backlog or of a print that was sent to a printer."""
        if copy.receipt_id in self._waiting or not self._take_lookup():
            return
        try:
            job = self._add_job(self.client.read_print_job(copy.receipt_id))
        except NotFound:
            self._waiting[copy.receipt_id] = False
            return
        self._waiting[copy.receipt_id] = job.state.casefold() == _WAITING_REQUEST
        if not (self._waiting[copy.receipt_id] or job.has_ended):
            self._started.add(copy.receipt_id)

    def _search(self, copy: FollowedPrint) -> None:
        """Search for the print of a copy that left the queue, or that its printer no longer shows."""
        if copy.job_id is not None:
            if self._take_lookup():
                try:
                    self._add_job(self.client.read_print_job(copy.job_id))
                except NotFound:
                    return
        elif self._waiting.get(copy.receipt_id) is False and self._take_lookup():
            if copy.destination is Destination.DEVICE_QUEUE and self._is_removed(copy):
                return
            of_build = PrintJobFilter(build=copy.build_id)
            for job in islice(
                self.client.list_print_jobs(of_build, order="desc", page_size=_JOBS_OF_BUILD), _JOBS_OF_BUILD
            ):
                self._add_job(job)

    def _is_removed(self, copy: FollowedPrint) -> bool:
        """True if Eiger says that a person took the entry out of its queue."""
        try:
            entry = self.client.read_device_queue(copy.device_id or "", copy.receipt_id)
        except NotFound:
            return False
        if entry.state.casefold() == _REMOVED:
            self._removed.add(copy.receipt_id)
            return True
        return False

    def _sighting(self, copy: FollowedPrint, match: Match | None) -> Sighting:
        device = self.devices.get(copy.device_id or "")
        running = earlier.running if (earlier := self.earlier.get(copy.device_id or "")) else None
        is_same = running is not None and running.job_id == copy.job_id
        is_elsewhere = device is None and (copy.device_id is not None or copy.receipt_id in self._started)
        return Sighting(
            self.moment,
            None if match is None else match.job,
            self._waiting.get(copy.receipt_id),
            copy.receipt_id in self._removed,
            not is_elsewhere and (device is None or not _is_offline(device)),
            None if device is None else device.state,
            running.percent if running is not None and is_same else None,
            0 if match is None else match.others,
            self._ahead(copy),
        )

    def _ahead(self, copy: FollowedPrint) -> tuple[int | None, float | None]:
        """Return how many jobs wait before it in its queue, and how long they print."""
        listed = self._queues.get(copy.device_id or "")
        if listed is None:
            return copy.ahead_jobs, copy.ahead_seconds
        before = []
        for entry in listed.queue:
            if entry.id == copy.receipt_id:
                break
            before.append(entry.build.estimated_print_seconds)
        known = [each for each in before if each is not None]
        return len(before), sum(known) if len(known) == len(before) else None


def _is_offline(device: Device) -> bool:
    return (device.state or "").casefold() == "offline"
