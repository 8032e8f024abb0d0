"""The client of Eiger, Markforged's print cloud: its 28 operations as typed calls with one error tree."""

from workflow.eiger.client import EigerClient, PingResult, add_approvals, make_client
from workflow.eiger.models import (
    Build,
    BuildDetail,
    Device,
    DeviceQueue,
    PartSettings,
    PartVersion,
    Preset,
    PrintJobDetail,
    QueuedPrintJob,
    SliceStatus,
    UploadResult,
    User,
)
from workflow.eiger.operations import (
    OPERATIONS,
    BuildFilter,
    BuildSort,
    DeviceFilter,
    DeviceSort,
    PrintedPartFilter,
    PrintedPartSort,
    PrintJobFilter,
    PrintJobSort,
    UserFilter,
    UserSort,
)
from workflow.eiger.rate_limit import RateLimiter
from workflow.eiger.retry import GiveUp, RetryLater, RetryPolicy
from workflow.eiger.session import Network, network_of, proxy_address, proxy_for
from workflow.eiger.transport import Timeouts
