"""One listing of new builds lets many parked submissions go on, and never a wrong one."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cloud import Cloud, simulated
from tests.eiger.server import Answer, Asked, as_json, client_of, serving
from tests.eiger.turned import TurnedClock
from tests.pipeline.conftest import Open, dispatched
from tests.states import put_in_state
from tests.stl import box
from workflow.eiger import Build, EigerClient, RateLimiter, Timeouts
from workflow.ledger import Ledger
from workflow.model import Step, Submission, SubmissionState
from workflow.pipeline import retry, slice_listing
from workflow.pipeline.cloud_cache import CloudCache
from workflow.pipeline.context import Context
from workflow.pipeline.retry import RetrySchedule
from workflow.pipeline.slice_listing import (
    MAX_UNNAMED_BUILDS,
    RETRY_AFTER_FAULT_SECONDS,
    BuildCandidate,
    SliceListing,
    select_candidates,
)
from workflow.pipeline.upload import parse_signature, upload_name

SHA = "abcdef" + "0" * 58


@dataclass
class Rooms:
    """The rooms that are looked into, and no others."""

    ledger: Ledger
    client: EigerClient
    retry_schedule: RetrySchedule = field(default_factory=RetrySchedule)

    def __post_init__(self) -> None:
        self.catalog = CloudCache(self.client)


def looking(ledger: Ledger, client: EigerClient) -> tuple[SliceListing, TurnedClock]:
    clock = TurnedClock()
    context = cast(Context, cast(Any, Rooms(ledger, client)))
    return SliceListing(context, clock=lambda: clock.now), clock


def look(builds: SliceListing) -> tuple[BuildCandidate, ...]:
    """List, and read everything that is worth it, as the threads do."""
    assert builds.is_due()
    found = builds.list_candidates()
    for candidate in found:
        builds.read_candidate(candidate)
    return found


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that waits is many."""
    monkeypatch.setattr(slice_listing, "MAX_SINGLE_POLLS", 0)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with simulated(slice_seconds=0, builds="manual") as cloud:
        yield cloud


@pytest.fixture
def client(cloud: Cloud) -> Iterator[EigerClient]:
    from pydantic import SecretStr

    keys = SecretStr("demo"), SecretStr("demo")
    with EigerClient(cloud.url, *keys, budget=RateLimiter(1000), timeouts=Timeouts(2, 5, 5)) as client:
        yield client


def park(ledger: Ledger, part_version_id: str = "part-version", path: str = "clip.stl") -> Submission:
    """Write a submission that waits for slicing."""
    number = ledger.open(path)
    ledger.claimed(number, f"processing/{number}~{path}")
    now = datetime.now(UTC)
    slicing = put_in_state(ledger, ledger.get(number), state=SubmissionState.SLICING)
    return ledger.schedule_next_step(
        slicing,
        Step.POLL,
        now + timedelta(hours=0.4),
        sha256=SHA,
        part_version_id=part_version_id,
        slice_job_id="slice-job",
        uploaded_at=now,
        waiting_since=now,
    )


def uploaded(ledger: Ledger, client: EigerClient, name: str = "") -> Submission:
    """Park a submission whose part is in the cloud, under its own name or another."""
    submission = park(ledger)
    part = _stl(client, name or upload_name(submission))
    return ledger.update_submission(submission, part_version_id=part)


def _stl(client: EigerClient, name: str) -> str:
    import io

    return client.upload_stl(io.BytesIO(box()), name).part_version_id


def operations(cloud: Cloud) -> Counter[str]:
    return Counter(str(entry["operation"]) for entry in cloud.journal())


# -- what a title tells -----------------------------------------------------------------------------


@given(st.text(max_size=30), st.integers(1, 10**9 - 1), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_an_upload_names_its_submission(stem: str, number: int, sha256: str) -> None:
    named = Submission(
        number, f"{stem.replace('/', '')}x.stl", SubmissionState.SLICING, datetime.now(UTC), sha256=sha256
    )
    for title in (upload_name(named), upload_name(named).removesuffix(".stl"), upload_name(named) + " (2)"):
        assert parse_signature(title) == (number, sha256[:6])


@pytest.mark.parametrize("title", ["", "bracket", "bracket~17", "bracket~17-abc", "17-abcdef", "a~1-abcdef0"])
def test_other_titles_name_none(title: str) -> None:
    assert parse_signature(title) is None


def listed(title: str, place: int = 0) -> Build:
    return Build(id=str(UUID(int=place)), title=title, part_count=1, sliced=True)


def waiting(number: int) -> Submission:
    return Submission(
        number, "clip.stl", SubmissionState.SLICING, datetime(2026, 11, 25, tzinfo=UTC), sha256=SHA
    )


def test_titles_of_others_and_of_what_does_not_wait_are_passed_over() -> None:
    titles = ("clip~1-abcdef", "clip~2-abcdef", "clip~1-ffffff", "by hand", "clip~1-abcdef again")
    mine, stranger = select_candidates(
        [listed(title, place) for place, title in enumerate(titles)], [waiting(1)]
    )
    assert (mine.submission, [build.title for build in mine.builds]) == (waiting(1), [titles[0], titles[4]])
    assert (stranger.submission, stranger.builds[0].title) == (None, "by hand")


def test_strangers_are_read_a_few_at_a_time() -> None:
    many = [listed(f"by hand {place}", place) for place in range(3 * MAX_UNNAMED_BUILDS)]
    assert len(select_candidates(many, [])) == MAX_UNNAMED_BUILDS


# -- what is in the build ---------------------------------------------------------------------------


def test_one_listing_tells_about_all_whose_build_is_there(
    ledger: Ledger, cloud: Cloud, client: EigerClient
) -> None:
    parked = [uploaded(ledger, client) for _ in range(5)]
    made = {each.id: cloud.make_build(str(each.part_version_id)) for each in parked[:4]}
    builds, _ = looking(ledger, client)
    before = operations(cloud)
    look(builds)
    asked = operations(cloud) - before
    assert asked == Counter(listBuilds=1, readBuild=4)
    for each in parked[:4]:
        gone_on = ledger.get(each.id)
        assert (gone_on.state, gone_on.step, gone_on.build_id) == (
            SubmissionState.SLICED,
            Step.DELIVER,
            made[each.id],
        )
        assert gone_on.turn == each.turn + 1
        assert [event.event for event in ledger.events(each.id)][-2:] == ["sliced", "build found"]
    assert ledger.get(parked[4].id) == parked[4]


def test_a_build_of_another_title_is_known_by_its_part_and_listed_once_more(
    ledger: Ledger, cloud: Cloud, client: EigerClient
) -> None:
    submission = uploaded(ledger, client, "something else.stl")
    cloud.make_build(str(submission.part_version_id))
    builds, _ = looking(ledger, client)
    look(builds)
    gone_on = ledger.get(submission.id)
    assert (gone_on.state, gone_on.step, gone_on.build_id) == (SubmissionState.SLICED, Step.DELIVER, None)


def test_a_title_alone_never_decides_and_costs_one_request_only(
    ledger: Ledger, cloud: Cloud, client: EigerClient
) -> None:
    submission = uploaded(ledger, client, "something else.stl")
    imposter = _stl(client, upload_name(submission))
    cloud.make_build(imposter)
    builds, clock = looking(ledger, client)
    for expected in (1, 0):
        assert len(look(builds)) == expected
        clock.now += 100
    assert ledger.get(submission.id) == submission


def test_of_several_builds_the_one_with_that_part_alone_counts(
    ledger: Ledger, cloud: Cloud, client: EigerClient
) -> None:
    submission = uploaded(ledger, client)
    ours, other = str(submission.part_version_id), _stl(client, "other.stl")
    alone = cloud.make_build(ours)
    together = {"part_version_ids": [ours, other], "title": upload_name(submission)}
    requests.post(f"{cloud.control}/builds", json=together, timeout=60).raise_for_status()
    builds, _ = looking(ledger, client)
    look(builds)
    assert ledger.get(submission.id).build_id == alone


def test_where_none_is_the_obvious_one_the_next_stage_asks_a_person(
    ledger: Ledger, cloud: Cloud, client: EigerClient
) -> None:
    submission = uploaded(ledger, client)
    for _ in range(2):
        cloud.make_build(str(submission.part_version_id))
    builds, _ = looking(ledger, client)
    look(builds)
    gone_on = ledger.get(submission.id)
    assert (gone_on.step, gone_on.state, gone_on.build_id) == (Step.DELIVER, SubmissionState.SLICED, None)


def test_a_command_that_came_first_is_kept(ledger: Ledger, cloud: Cloud, client: EigerClient) -> None:
    submission = uploaded(ledger, client)
    cloud.make_build(str(submission.part_version_id))
    builds, _ = looking(ledger, client)
    assert builds.is_due()
    (candidate,) = builds.list_candidates()
    canceled = ledger.schedule_next_step(
        submission, Step.FINISH, submission.due_at, state=SubmissionState.CANCELED
    )
    builds.read_candidate(candidate)
    assert ledger.get(submission.id) == canceled


# -- a list that fails, grows and shrinks -----------------------------------------------------------


class Listed:
    """A cloud that lists builds, newest first, and changes between two pages as a test says."""

    def __init__(self, changes: Sequence[Callable[["Listed"], None]] = (), broken_page: int = 0) -> None:
        self.builds: list[dict[str, object]] = []
        self.queries: list[dict[str, list[str]]] = []
        self._made = 0
        self._changes, self.broken_page = list(changes), broken_page

    def make(self, submission: Submission, **changes: object) -> None:
        self._made += 1
        place = str(UUID(int=self._made))
        version = {"id": submission.part_version_id, "title": "t", "part_id": place, "version_number": 1}
        build = {
            "id": place, "title": upload_name(submission), "part_count": 1, "sliced": True,
            "created_at": datetime.now(UTC).isoformat(), "updated_at": None, "device_series": "FX10",
            "primary_material": "Onyx", "secondary_material": "None", "approved": None,
            "part_versions": [{**version, "description": None, "sliced": True}], "poses": [],
        }  # fmt: skip
        self.builds.insert(0, {**build, **changes})

    def send_reply(self, asked: Asked) -> Answer:
        place = urlsplit(asked.path)
        wanted = place.path.rpartition("/")[2]
        if wanted != "builds":
            found = next((build for build in self.builds if build["id"] == wanted), None)
            return as_json(found) if found else as_json({"message": "gone"}, 404)
        query = parse_qs(place.query)
        self.queries.append(query)
        number, size = int(query["page[number]"][0]), int(query["page[size]"][0])
        if number == self.broken_page:
            return as_json({"message": "broken"}, 500)
        page = self.builds[(number - 1) * size : number * size]
        more = len(self.builds) > number * size
        reply = json.loads(json.dumps({"items": page, "has_more_items": more}))
        if self._changes:
            self._changes.pop(0)(self)
        return as_json(reply)


def test_a_list_that_breaks_off_is_used_as_far_as_it_came(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slice_listing, "PAGE_SIZE", 2)
    cloud = Listed(broken_page=2)
    parked = [park(ledger, f"version-{place}") for place in range(4)]
    for submission in parked:
        cloud.make(submission)
    with serving(cloud.send_reply) as server, client_of(server.url) as client:
        builds, clock = looking(ledger, client)
        look(builds)
        assert [ledger.get(each.id).step for each in parked] == [Step.POLL] * 2 + [Step.DELIVER] * 2
        cloud.broken_page = 0
        clock.now += RETRY_AFTER_FAULT_SECONDS - 1
        assert not builds.is_due()
        clock.now += 2
        look(builds)
    assert [ledger.get(each.id).step for each in parked] == [Step.DELIVER] * 4
    whole = [query["filter[created_at][ge]"] for query in cloud.queries]
    assert whole[0] == whole[-1], "begun anew, from the oldest upload"


def test_only_what_is_new_is_listed_between_two_whole_lists(ledger: Ledger) -> None:
    cloud = Listed()
    submission, waits_on = park(ledger, "version-1"), park(ledger, "version-2")
    made = datetime.now(UTC) + timedelta(hours=1)
    cloud.make(submission, created_at=made.isoformat())
    with serving(cloud.send_reply) as server, client_of(server.url) as client:
        builds, clock = looking(ledger, client)
        for _ in range(3):
            look(builds)
            clock.now += 35
    since = [datetime.fromisoformat(query["filter[created_at][ge]"][0]) for query in cloud.queries]
    assert since[0] == since[2] < (waits_on.uploaded_at or made)
    assert timedelta(0) < made - since[1] < timedelta(minutes=3)


def test_a_list_that_is_longer_than_was_asked_for_is_not_read_to_its_end(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slice_listing, "PAGE_SIZE", 2)
    cloud = Listed()
    long_ago = (datetime.now(UTC) - timedelta(days=400)).isoformat()
    for place in range(20):
        cloud.make(park(ledger, f"old-{place}"), created_at=long_ago)
    submission = park(ledger, "version-1")
    cloud.make(submission)
    with serving(cloud.send_reply) as server, client_of(server.url) as client:
        look(looking(ledger, client)[0])
    assert ledger.get(submission.id).step is Step.DELIVER
    assert len(cloud.queries) == 1


def test_what_is_listed_unsliced_is_read_once_it_is_sliced(ledger: Ledger) -> None:
    cloud = Listed()
    submission = park(ledger, "version-1")
    cloud.make(submission, sliced=False)
    with serving(cloud.send_reply) as server, client_of(server.url) as client:
        builds, clock = looking(ledger, client)
        assert look(builds) == ()
        cloud.builds[0]["sliced"] = True
        clock.now += 10
        look(builds)
    assert ledger.get(submission.id).step is Step.DELIVER


def test_states_and_series_that_nobody_knows_do_no_harm(ledger: Ledger) -> None:
    cloud = Listed()
    submission = park(ledger, "version-1")
    cloud.make(submission, device_series="Something Newer", created_at=None, extra={"of": "tomorrow"})
    with serving(cloud.send_reply) as server, client_of(server.url) as client:
        look(looking(ledger, client)[0])
    assert ledger.get(submission.id).step is Step.DELIVER


def test_a_build_that_turns_out_unsliced_or_gone_is_none(ledger: Ledger) -> None:
    cloud = Listed()
    submission, other = park(ledger, "version-1"), park(ledger, "version-2")
    cloud.make(submission)
    cloud.make(other)

    def answer(asked: Asked) -> Answer:
        reply = cloud.send_reply(asked)
        if not asked.path.partition("?")[0].endswith("/builds"):
            cloud.builds[:] = [{**build, "sliced": False} for build in cloud.builds[:1]]
        return reply

    with serving(answer) as server, client_of(server.url) as client:
        builds, _ = looking(ledger, client)
        assert builds.is_due()
        first, second = builds.list_candidates()
        cloud.builds[:] = [{**build, "sliced": False} for build in cloud.builds[:1]]
        builds.read_candidate(first)
        builds.read_candidate(second)
    assert (ledger.get(submission.id), ledger.get(other.id)) == (submission, other)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 6),
    st.integers(1, 4),
    st.lists(st.one_of(st.just(-1), st.integers(0, 5)), max_size=4),
)
def test_builds_that_move_between_pages_are_found_at_the_latest_by_the_next_listing(
    count: int, page_size: int, happens: list[int]
) -> None:
    """Between two pages a new build comes (-1), or the one at a place is deleted."""
    ledger = Ledger("sqlite://")
    later = [park(ledger, f"late-{place}") for place in range(happens.count(-1))]

    def happen(place: int) -> Callable[[Listed], None]:
        def change(cloud: Listed) -> None:
            if place < 0:
                cloud.make(later.pop())
            elif place < len(cloud.builds):
                del cloud.builds[place]

        return change

    cloud = Listed([happen(place) for place in happens])
    for place in range(count):
        cloud.make(park(ledger, f"version-{place}"))
    park(ledger, "waits on")
    with pytest.MonkeyPatch.context() as patch, serving(cloud.send_reply) as server:
        patch.setattr(slice_listing, "PAGE_SIZE", page_size)
        with client_of(server.url) as client:
            builds, clock = looking(ledger, client)
            for _ in range(len(happens) + 2):
                look(builds)
                clock.now += 1000
    there = {build["title"] for build in cloud.builds}
    left = [each for each in ledger.all([SubmissionState.SLICING]) if upload_name(each) in there]
    assert left == []
    ledger.close()


# -- the whole service ------------------------------------------------------------------------------


def test_what_is_asked_for_late_is_reported_by_its_build_and_sent_once(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "LISTING_SECONDS", 0.1)
    context = open_shop(slice_first_poll_seconds=600)
    for place in range(6):
        context.drop(f"clip{place}.stl", box(10 + place))
    sent = [context.wait(f"clip{place}.stl", dispatched) for place in range(6)]
    assert [context.sent(each) for each in sent] == [1] * 6
    assert operations(context.cloud)["getSliceStatus"] == 0


def test_both_ways_at_once_send_once(open_shop: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "LISTING_SECONDS", 0.01)
    context = open_shop(slice_first_poll_seconds=0.01)
    for place in range(12):
        context.drop(f"clip{place}.stl", box(10 + place))
    sent = [context.wait(f"clip{place}.stl", dispatched) for place in range(12)]
    assert [context.sent(each) for each in sent] == [1] * 12


def test_a_list_that_fails_for_good_costs_nothing_but_time(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "LISTING_SECONDS", 0.05)
    context = open_shop()
    context.cloud.fault("listBuilds", "not_json", times=3)
    context.drop("clip.stl", box())
    assert context.sent(context.wait("clip.stl", dispatched)) == 1
