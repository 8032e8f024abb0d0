"""The call about users: personal data, to be shown and not kept."""

from collections.abc import Iterator

from workflow.eiger import operations as the
from workflow.eiger.calls import PAGE_SIZE, Calls
from workflow.eiger.filters import Order, UserFilter, UserSort, list_query
from workflow.eiger.models import User
from workflow.eiger.noun import Page


class UserCalls(Calls):
    """The one operation on users."""

    def list_users(
        self,
        filters: UserFilter | None = None,
        *,
        sort_by: UserSort = "name",
        order: Order = "asc",
        page_size: int = PAGE_SIZE,
    ) -> Iterator[User]:
        """List the users of the organization by name."""
        return self._walk(the.LIST_USERS, Page[User], list_query(filters, sort_by, order), page_size)
