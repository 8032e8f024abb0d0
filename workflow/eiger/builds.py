"""Calls about builds: the only thing that can be sent anywhere."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from workflow.eiger import operations as the
from workflow.eiger.calls import PAGE_SIZE, Calls
from workflow.eiger.filters import BuildFilter, BuildSort, Order, list_query, page_query
from workflow.eiger.last_look import LastLook
from workflow.eiger.models import Build, BuildDetail, PrintJob
from workflow.eiger.noun import Page
from workflow.eiger.protocol import read, refuse_errors
from workflow.eiger.reply import Reply
from workflow.eiger.transport import Request

NO_CONTENT = 204


class BuildCalls(Calls):
    """The eight operations on builds."""

    def list_builds(
        self,
        filters: BuildFilter | None = None,
        *,
        sort_by: BuildSort = "created_at",
        order: Order = "desc",
        page_size: int = PAGE_SIZE,
    ) -> Iterator[Build]:
        """List builds, newest first unless told otherwise; pages are read as they are needed."""
        return self._walk(the.LIST_BUILDS, Page[Build], list_query(filters, sort_by, order), page_size)

    def read_build(self, build_id: str) -> BuildDetail:
        """Give a build with the part versions in it."""
        return self._ask(the.READ_BUILD, BuildDetail, build_id=build_id)

    def list_approved_builds(self, *, page_size: int = PAGE_SIZE) -> tuple[Build, ...] | None:
        """Give all approved builds; None when the organization does not use approvals."""
        approved: list[Build] = []
        number = 1
        while (page := self._approved_page(number, page_size)) is not None:
            approved += page.items
            if not (page.has_more_items and page.items):
                return tuple(approved)
            number += 1
        return None

    def approve_builds(self, build_ids: Iterable[str]) -> None:
        """Replace the approved builds by these: every other build loses its approval."""
        self._do(the.APPROVE_BUILDS, {"builds": list(build_ids)})

    def disable_approved_builds(self) -> None:
        """Switch approvals off for the organization: every build may be printed."""
        self._do(the.DISABLE_APPROVED_BUILDS)

    def send_build_to_backlog(
        self, build_id: str, due_date: date | None = None, *, last_look: LastLook | None = None
    ) -> PrintJob:
        """Put a build into the backlog; gives the print job that was made, `Backlogged`."""
        wish = _wish(due_date)
        return self._make(the.SEND_BUILD_TO_BACKLOG, PrintJob, wish, last_look, build_id=build_id)

    def send_build_to_job_request_queue(
        self, build_id: str, due_date: date | None = None, *, last_look: LastLook | None = None
    ) -> PrintJob:
        """Ask for a build to be printed; gives the print job that was made, `Backlogged`."""
        wish = _wish(due_date)
        return self._make(the.SEND_BUILD_TO_JOB_REQUEST_QUEUE, PrintJob, wish, last_look, build_id=build_id)

    def remove_build_from_job_request_queue(self, build_id: str) -> None:
        """Take a build out of the job requests again."""
        self._do(the.REMOVE_BUILD_FROM_JOB_REQUEST_QUEUE, build_id=build_id)

    def _approved_page(self, number: int, page_size: int) -> Page[Build] | None:
        def understand(reply: Reply, now: datetime) -> Page[Build] | None:
            refuse_errors(the.LIST_APPROVED_BUILDS, reply, now)
            if reply.status == NO_CONTENT:
                return None
            return read(the.LIST_APPROVED_BUILDS, reply, Page[Build], now)

        place = the.LIST_APPROVED_BUILDS.place()
        request = Request(the.LIST_APPROVED_BUILDS, place, page_query(number, page_size))
        return self._exchange.call(request, understand)


def _wish(due_date: date | None) -> dict[str, str]:
    """Write the body; `due_date` in the service's own spelling, for it refuses any other."""
    return {} if due_date is None else {"dueDate": due_date.isoformat()}
