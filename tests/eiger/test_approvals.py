"""Approvals are merged: none is lost, and a change in between is seen."""

from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from pydantic import SecretStr

from tests.cloud import Cloud, simulated
from tests.stl import box
from workflow.eiger import Build, EigerClient, RateLimiter, RetryPolicy, add_approvals
from workflow.errors import Conflict, NotFound, OutcomeUnknown, SettingsError


class Watched(EigerClient):
    """A client beside which others work: `before_look` and `after_write` are what they do meanwhile."""

    before_look: Callable[[int], None] = staticmethod(lambda _number: None)
    after_write: Callable[[int], None] = staticmethod(lambda _number: None)
    looks = writes = 0

    def list_approved_builds(self, *, page_size: int = 100) -> tuple[Build, ...] | None:
        self.looks += 1
        self.before_look(self.looks)
        return super().list_approved_builds(page_size=page_size)

    def approve_builds(self, build_ids: object) -> None:
        super().approve_builds(build_ids)  # type: ignore[arg-type]  # passed on as it came
        self.writes += 1
        self.after_write(self.writes)


def client_at(cloud: Cloud) -> Watched:
    return Watched(
        cloud.url,
        SecretStr("demo"),
        SecretStr("demo"),
        budget=RateLimiter(10_000),
        retry=RetryPolicy(attempts=1),
    )


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with simulated(slice_seconds=0) as running:
        yield running


@pytest.fixture
def client(cloud: Cloud) -> Iterator[Watched]:
    with client_at(cloud) as ready:
        ready.disable_approved_builds()
        yield ready


@pytest.fixture
def other(cloud: Cloud) -> Iterator[Watched]:
    with client_at(cloud) as ready:
        yield ready


@pytest.fixture(scope="module")
def builds(cloud: Cloud) -> tuple[str, str, str]:
    with client_at(cloud) as client:
        for name in ("a.stl", "b.stl", "c.stl"):
            client.upload_stl(BytesIO(box()), name)
        found = [build.id for build in client.list_builds()]
    return found[0], found[1], found[2]


def approved(client: EigerClient) -> set[str]:
    return {build.id for build in client.list_approved_builds() or ()}


def test_it_adds_and_keeps(client: Watched, builds: tuple[str, str, str]) -> None:
    a, b, c = builds
    client.approve_builds([a])
    assert add_approvals(client, [b, c]) == approved(client) == {a, b, c}


def test_what_is_approved_already_is_not_written_again(client: Watched, builds: tuple[str, str, str]) -> None:
    a, b, _ = builds
    client.approve_builds([a, b])
    written = client.writes
    assert add_approvals(client, [a]) == {a, b}
    assert client.writes == written


def test_approvals_are_not_switched_on_by_accident(client: Watched, builds: tuple[str, str, str]) -> None:
    with pytest.raises(SettingsError, match="Approving one would forbid all others; say --switch-on"):
        add_approvals(client, [builds[0]])
    assert client.writes == 0
    assert add_approvals(client, [builds[0]], switch_on=True) == {builds[0]}


def test_another_approval_before_the_write_is_kept(
    client: Watched, other: Watched, builds: tuple[str, str, str]
) -> None:
    a, b, c = builds
    client.approve_builds([a])
    start = client.looks
    client.before_look = lambda number: other.approve_builds([a, b]) if number == start + 2 else None
    assert add_approvals(client, [c]) == {a, b, c}


def test_an_approval_that_another_wiped_out_is_made_again(
    client: Watched, other: Watched, builds: tuple[str, str, str]
) -> None:
    a, b, c = builds
    client.approve_builds([a])
    start = client.writes
    client.after_write = lambda number: other.approve_builds([a, b]) if number == start + 1 else None
    assert add_approvals(client, [c]) == {a, b, c}
    assert client.writes == start + 2


def test_a_set_that_never_rests_is_a_conflict(
    client: Watched, other: Watched, builds: tuple[str, str, str]
) -> None:
    a, b, c = builds
    client.approve_builds([a])
    client.after_write = lambda _number: other.approve_builds([b])
    with pytest.raises(
        Conflict, match=r"^Others changed the approved builds 4 times meanwhile, and"
    ) as caught:
        add_approvals(client, [c])
    assert caught.value.operation == "approveBuilds"


@pytest.mark.parametrize("kind", ["cut_after", "truncated"])
def test_a_lost_reply_is_settled_by_looking(
    cloud: Cloud, client: Watched, builds: tuple[str, str, str], kind: str
) -> None:
    a, b, _ = builds
    client.approve_builds([a])
    cloud.fault("approveBuilds", kind)
    assert add_approvals(client, [b]) == {a, b}


def test_a_lost_request_stays_unknown(cloud: Cloud, client: Watched, builds: tuple[str, str, str]) -> None:
    a, b, _ = builds
    client.approve_builds([a])
    cloud.fault("approveBuilds", "cut_before")
    with pytest.raises(OutcomeUnknown):
        add_approvals(client, [b])
    assert approved(client) == {a}


def test_an_unknown_build_changes_nothing(client: Watched, builds: tuple[str, str, str]) -> None:
    client.approve_builds([builds[0]])
    with pytest.raises(NotFound):
        add_approvals(client, ["00000000-0000-4000-8000-000000000000"])
    assert approved(client) == {builds[0]}
