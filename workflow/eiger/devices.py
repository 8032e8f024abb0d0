"""Calls about devices and their queues."""

from collections.abc import Iterator

from workflow.eiger import operations as the
from workflow.eiger.calls import PAGE_SIZE, Calls
from workflow.eiger.filters import DeviceFilter, DeviceSort, Order, list_query
from workflow.eiger.last_look import LastLook
from workflow.eiger.models import Device, DeviceQueue, PrintJob, QueuedPrintJob
from workflow.eiger.noun import Page


class DeviceCalls(Calls):
    """The seven operations on devices."""

    def list_devices(
        self,
        filters: DeviceFilter | None = None,
        *,
        sort_by: DeviceSort = "name",
        order: Order = "asc",
        page_size: int = PAGE_SIZE,
    ) -> Iterator[Device]:
        """List devices by name; each entry says as much as reading the device would."""
        return self._walk(the.LIST_DEVICES, Page[Device], list_query(filters, sort_by, order), page_size)

    def read_device(self, device_id: str) -> Device:
        """Give a device; only its `active_job` tells the live progress of a print."""
        return self._ask(the.READ_DEVICE, Device, device_id=device_id)

    def print_to_printer(
        self, device_id: str, build_id: str, *, last_look: LastLook | None = None
    ) -> PrintJob:
        """Start a print: a machine will move. The answer does not mean that the printer took it.

        Watch `read_device(…).active_job` for the id of the print job that this gives. Raises Conflict
        when the printer is not ready.
        """
        wish = {"build": build_id}
        return self._make(the.PRINT_TO_PRINTER, PrintJob, wish, last_look, device_id=device_id)

    def list_device_queue(self, device_id: str) -> DeviceQueue:
        """Give a device and everything that waits for it."""
        return self._ask(the.LIST_DEVICE_QUEUE, DeviceQueue, device_id=device_id)

    def append_to_device_queue(
        self, device_id: str, build_id: str, *, last_look: LastLook | None = None
    ) -> QueuedPrintJob:
        """Put a build at the end of a device's queue."""
        wish = {"build": build_id}
        return self._make(the.APPEND_TO_DEVICE_QUEUE, QueuedPrintJob, wish, last_look, device_id=device_id)

    def read_device_queue(self, device_id: str, queued_job_id: str) -> QueuedPrintJob:
        """Give one entry of a device's queue."""
        return self._ask(
            the.READ_DEVICE_QUEUE, QueuedPrintJob, device_id=device_id, queued_job_id=queued_job_id
        )

    def remove_from_device_queue(self, device_id: str, queued_job_id: str) -> None:
        """Take an entry out of a device's queue."""
        self._do(the.REMOVE_FROM_DEVICE_QUEUE, device_id=device_id, queued_job_id=queued_job_id)
