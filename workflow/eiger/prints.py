"""Calls about print jobs and the parts that came out of them."""

from collections.abc import Iterator
from datetime import datetime

from workflow.eiger import operations as the
from workflow.eiger.calls import PAGE_SIZE, Calls
from workflow.eiger.filters import (
    Order,
    PrintedPartFilter,
    PrintedPartSort,
    PrintJobFilter,
    PrintJobSort,
    list_query,
)
from workflow.eiger.models import (
    PartScanReport,
    PartScanReports,
    PrintedPart,
    PrintJobDetail,
    ScanReport,
)
from workflow.eiger.noun import Page
from workflow.eiger.protocol import read_scan_report
from workflow.eiger.reply import Reply
from workflow.eiger.transport import Request


class PrintCalls(Calls):
    """The six operations on print jobs and printed parts."""

    def list_print_jobs(
        self,
        filters: PrintJobFilter | None = None,
        *,
        sort_by: PrintJobSort = "created_at",
        order: Order = "desc",
        page_size: int = PAGE_SIZE,
    ) -> Iterator[PrintJobDetail]:
        """List print jobs, newest first. `Printing` in this list may be months old."""
        return self._walk(
            the.LIST_PRINT_JOBS, Page[PrintJobDetail], list_query(filters, sort_by, order), page_size
        )

    def read_print_job(self, print_job_id: str) -> PrintJobDetail:
        """Give a print job with its build and, if the service names one, its device."""
        return self._ask(the.READ_PRINT_JOB, PrintJobDetail, print_job_id=print_job_id)

    def get_print_job_part_scan_report(self, print_job_id: str) -> tuple[PartScanReport, ...]:
        """Give where the scan report of each part of a print job is; None where none was made yet."""
        return self._ask(the.GET_PRINT_JOB_PART_SCAN_REPORT, PartScanReports, print_job_id=print_job_id).root

    def list_printed_parts(
        self,
        filters: PrintedPartFilter | None = None,
        *,
        sort_by: PrintedPartSort = "printed_at",
        order: Order = "desc",
        page_size: int = PAGE_SIZE,
    ) -> Iterator[PrintedPart]:
        """List printed parts, the latest first."""
        return self._walk(
            the.LIST_PRINTED_PARTS, Page[PrintedPart], list_query(filters, sort_by, order), page_size
        )

    def read_printed_part(self, printed_part_id: str) -> PrintedPart:
        """Give one printed part."""
        return self._ask(the.READ_PRINTED_PART, PrintedPart, printed_part_id=printed_part_id)

    def get_printed_part_scan_report(self, printed_part_id: str) -> ScanReport:
        """Ask for the scan report of a printed part; asking is what has it made, so ask again later."""
        operation = the.GET_PRINTED_PART_SCAN_REPORT

        def understand(reply: Reply, now: datetime) -> ScanReport:
            return read_scan_report(operation, reply, now)

        request = Request(operation, operation.place(printed_part_id=printed_part_id))
        return self._exchange.call(request, understand)
