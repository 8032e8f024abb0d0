"""One search for a build: found, waited for, or held; and what a person is told of other versions."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from tests.pipeline.sending import Desk, upload
from tests.states import put_in_state
from workflow.eiger import BuildDetail, EigerClient, PartVersion
from workflow.ledger import draft_of
from workflow.model import EventKind, HoldReason, Step, Submission, SubmissionState
from workflow.pipeline.context import now
from workflow.pipeline.find_build import (
    AmbiguousBuilds,
    choose_build,
    find_build,
    other_version_text,
    part_made_at,
)

SLICING, SLICED, HELD = SubmissionState.SLICING, SubmissionState.SLICED, SubmissionState.HELD
NO_CLIENT = cast(EigerClient, cast(Any, None))


def find(desk: Desk, submission: Submission) -> Submission:
    """Search once, and write what was found."""
    return desk.ledger.write(find_build(desk.context, draft_of(submission)))


def sliced(desk: Desk, **changes: Any) -> Submission:
    """Submit a part that is sliced; it waits since now."""
    begun = {"state": SLICED, "part_version_id": desk.part, "waiting_since": now(), **changes}
    return put_in_state(desk.ledger, desk.claimed(), **begun)


def test_a_build_is_found_and_ends_the_wait(desk: Desk) -> None:
    build = desk.cloud.make_build(desk.part)
    for begun in ({}, {"state": HELD, "hold": HoldReason.BUILD, "reason": "no build"}):
        found = find(desk, sliced(desk, tries=3, **begun))
        assert (found.state, found.build_id, found.tries) == (SLICED, build, 0)
        assert (found.hold, found.reason) == (None, None)
        assert desk.details(found, EventKind.BUILD_FOUND) == [f"part ({build})"]


@pytest.mark.parametrize("title", [None, "named by a person"])
def test_only_a_build_that_is_sliced_and_holds_the_part_is_found(desk: Desk, title: str | None) -> None:
    """Newer ones are not: one of the part that is not sliced, and a sliced one of another part."""
    ours, theirs = {"part_version_id": desk.part, "title": title}, upload(desk.client, 32)
    desk.cloud.make_build(theirs)
    desk.cloud.act("builds", **ours, sliced=False)
    submission = find(desk, sliced(desk))
    assert (submission.state, submission.build_id) == (SLICED, None)
    before = set(desk.cloud.world_builds())
    desk.cloud.act("builds", **ours)
    (build,) = set(desk.cloud.world_builds()) - before
    assert find(desk, submission).build_id == build


def test_a_part_that_is_still_sliced_is_polled(desk: Desk) -> None:
    desk.cloud.make_build(desk.part)
    polled = find(desk, sliced(desk, state=SLICING, slice_job_id=str(uuid4())))
    assert (polled.state, polled.step, polled.build_id) == (SLICING, Step.POLL, None)


def test_the_first_search_is_said_and_the_next_one_is_later(desk: Desk) -> None:
    submission = sliced(desk)
    for tries in (1, 2):
        submission = find(desk, submission)
        assert (submission.state, submission.step, submission.tries) == (SLICED, Step.DELIVER, tries)
        assert submission.due_at is not None
        assert submission.due_at > now()
        assert desk.details(submission, EventKind.LOOKING_FOR_BUILD) == [""]


def test_builds_of_other_parts_are_read_once(desk: Desk) -> None:
    desk.cloud.make_build(upload(desk.client, 32))
    submission = sliced(desk)
    reads = []
    for _ in range(2):
        submission = find(desk, submission)
        reads.append(sum(entry["operation"] == "readBuild" for entry in desk.cloud.journal()))
    assert reads[0] == reads[1] > 0


def test_after_the_limit_a_person_is_asked_and_the_search_goes_on(desk: Desk) -> None:
    held = find(desk, sliced(desk, waiting_since=now() - timedelta(seconds=3600)))
    assert (held.state, held.hold) == (HELD, HoldReason.BUILD)
    assert (held.reason or "").startswith("No sliced build in Eiger holds this part after 360")
    assert " s. Make one there (it is found by itself), " in (held.reason or "")
    assert find(desk, held) == held


def test_several_builds_are_for_a_person_once(desk: Desk) -> None:
    builds = [desk.cloud.make_build(desk.part) for _ in range(2)]
    held = find(desk, sliced(desk))
    assert (held.state, held.hold) == (HELD, HoldReason.BUILD)
    named = ", ".join(reversed(builds))
    advice = f"Choose with `stlflow attach {held.id} BUILD`."
    assert held.reason == f"2 builds in Eiger hold this part: {named}. {advice}"
    assert find(desk, held) == held


@pytest.mark.parametrize("reused", [True, False])
@pytest.mark.parametrize("deleted", [True, False])
@pytest.mark.parametrize("state", [SLICED, SubmissionState.ROUTED])
def test_only_an_order_is_held_when_its_build_was_deleted(
    desk: Desk, state: SubmissionState, *, reused: bool, deleted: bool
) -> None:
    build = str(uuid4()) if deleted else desk.cloud.make_build(desk.part)
    submission = sliced(desk, state=state, build_id=build, reused=1 if reused else None)
    after = find(desk, submission)
    if reused and deleted and state is SLICED:
        assert (after.state, after.hold) == (HELD, HoldReason.FILE)
        assert (after.reason or "").startswith("Eiger no longer has the build of submission 1.")
    else:
        assert after == submission


def version(number: int, part: str | None, version_number: float | None = None) -> PartVersion:
    return PartVersion(id=str(UUID(int=number)), title="a", part_id=part, version_number=version_number)


OURS = version(1, "part", 2)


@pytest.mark.parametrize(
    ("held", "ours", "said"),
    [
        ([], OURS, None),
        ([OURS], OURS, None),
        ([version(2, "other", 1)], OURS, None),
        ([OURS, version(2, "part", 1)], OURS, "holds version 1 of the part; this file is version 2."),
        ([version(2, "part")], OURS, "holds version unknown of the part; this file is version 2."),
        ([version(2, None)], version(1, None), None),
    ],
)
def test_a_build_of_another_version_of_the_part_is_named(
    held: list[PartVersion], ours: PartVersion, said: str | None
) -> None:
    build = BuildDetail(id=str(UUID(int=9)), title="a", sliced=True, part_count=1, part_versions=tuple(held))
    assert other_version_text([build], ours) == (None if said is None else f"Build a ({build.id}) {said}")


def test_nobody_knows_when_a_version_without_a_part_was_made() -> None:
    assert part_made_at(NO_CLIENT, version(1, None)) is None


@pytest.mark.parametrize(
    ("part_counts", "chosen"),
    [([1], 0), ([3], 0), ([1, 3], 0), ([3, 1], 1), ([1, 1], None), ([2, 3], None), ([1, 3, 1], None)],
)
def test_the_only_build_is_preferred_then_the_only_one_with_a_single_part(
    part_counts: list[int], chosen: int | None
) -> None:
    hits = [
        BuildDetail(id=str(UUID(int=at)), title="a", sliced=True, part_count=count, part_versions=())
        for at, count in enumerate(part_counts)
    ]
    every = tuple(build.id for build in hits)
    assert choose_build(hits) == (AmbiguousBuilds(every) if chosen is None else hits[chosen])
