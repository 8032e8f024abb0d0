"""The rooms that sending works with, over a simulated cloud: without a service, a test sees what returns."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Unpack, cast

from tests.cloud import Cloud
from tests.states import put_in_state
from tests.stl import box
from workflow.eiger import EigerClient, make_client
from workflow.ledger import Ledger, SendIntent
from workflow.model import Destination, Submission, SubmissionChanges, SubmissionState
from workflow.pipeline.cloud_cache import CloudCache
from workflow.pipeline.context import Context
from workflow.pipeline.dispatch import IN_THE_CLOUD, dispatch_build
from workflow.pipeline.retry import RetrySchedule
from workflow.settings import load_settings

CALLS = {
    Destination.BACKLOG: "sendBuildToBacklog",
    Destination.JOB_REQUEST: "sendBuildToJobRequestQueue",
    Destination.DEVICE_QUEUE: "appendToDeviceQueue",
    Destination.PRINT_NOW: "printToPrinter",
}
ANVIL, BOLT = "Mark Two - Anvil", "Mark Two - Bolt"


@dataclass
class Desk:
    """A ledger, a cloud that is as new, and one part in it."""

    ledger: Ledger
    client: EigerClient
    cloud: Cloud
    part: str
    retry_schedule: RetrySchedule = field(default_factory=RetrySchedule)
    send_lease_seconds: float = 60.0
    late_effect_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.catalog = CloudCache(self.client)

    @property
    def context(self) -> Context:
        return cast(Context, cast(Any, self))

    def claimed(self, path: str = "a.stl") -> Submission:
        """Submit a file that stays where it is."""
        number = self.ledger.open(path)
        self.ledger.claimed(number, f"processing/{number}~{path}", left_in_place=True)
        return self.ledger.get(number)

    def routed(
        self, to: Destination = Destination.JOB_REQUEST, /, **changes: Unpack[SubmissionChanges]
    ) -> Submission:
        """Submit a file whose build, one of its own, is to be sent; to ANVIL if it goes to a printer."""
        to_device = to in {Destination.DEVICE_QUEUE, Destination.PRINT_NOW}
        changes = {
            "state": SubmissionState.ROUTED,
            "build_id": changes.get("build_id") or self.cloud.make_build(self.part),
            "part_version_id": self.part,
            "destination": to,
            "device": ANVIL if to_device else None,
            "device_id": self.device_id(ANVIL) if to_device else None,
            **changes,
        }
        return put_in_state(self.ledger, self.claimed(), **changes)

    def device_id(self, name: str) -> str:
        return str(self.cloud.device(name)["id"])

    def sent(self, submission: Submission) -> int:
        """Count how often the cloud was made to take the submission's build."""
        return self.cloud.dispatches()[str(submission.build_id)]

    def details(self, submission: Submission, event: str) -> list[str]:
        """Return the details of the submission's events of a kind."""
        return [each.detail for each in self.ledger.events(submission.id) if each.event == event]

    def reconciled(self, submission: Submission) -> list[bool]:
        """Return, copy by copy, whether the receipt was found in the cloud, as the history tells."""
        (dispatched,) = self.details(submission, "dispatched")
        return [copy.endswith(IN_THE_CLOUD) for copy in dispatched.split("; ")]


def upload(client: EigerClient, side: float) -> str:
    """Upload a part, sliced at once; return its version."""
    onyx = next(preset.id for preset in client.get_org_settings_presets() if preset.title == "Onyx")
    return client.upload_stl(BytesIO(box(side)), "part.stl", settings_preset_id=onyx).part_version_id


@contextmanager
def opened_desk(ledger: Ledger, cloud: Cloud) -> Iterator[Desk]:
    """Open a desk over a cloud, which is reset before."""
    cloud.act("reset")
    cloud.clear_faults()
    settings = load_settings(
        eiger_url=cloud.url, access_key="demo", secret_key="demo", request_timeout_seconds=0.5,
        requests_per_second=500.0,
    )  # fmt: skip
    with make_client(settings) as client:
        yield Desk(ledger, client, cloud, upload(client, 31))


def send(desk: Desk, submission: Submission) -> Submission:
    """Try once to send; what is returned is what the ledger has."""
    after = dispatch_build(desk.context, submission)
    assert after == desk.ledger.get(submission.id)
    return after


def begin(desk: Desk, submission: Submission, copy: int = 1, lease_seconds: float = 60.0) -> SendIntent:
    intent = desk.ledger.sends.begin(submission, copy, lease_seconds)
    assert isinstance(intent, SendIntent)
    return intent


def send_by_hand(desk: Desk, submission: Submission) -> str:
    return desk.client.send_build_to_job_request_queue(str(submission.build_id)).id


def send_first_copy(desk: Desk, submission: Submission) -> str:
    """Send the first copy as a process does that is killed before the second one."""
    intent, receipt = begin(desk, submission), send_by_hand(desk, submission)
    desk.ledger.sends.complete(submission, 1, intent, receipt)
    return receipt
