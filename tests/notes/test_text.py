import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from workflow.model import Destination, HoldReason, MeshReport, Submission, SubmissionEvent, SubmissionState
from workflow.notes import (
    StatusPage,
    StatusRow,
    progress_note_text,
    status_page_html,
    submission_note_text,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MESH = MeshReport(
    path="rush/bracket.stl", verdict="accept", reason=None, warnings=("2 facets have no area",),
    format="binary", triangles=12_345, size_mm=(120.04, 80.0, 35.5), volume_cm3=88.25, area_cm2=310.0,
    watertight=True, open_edges=0, seconds=0.1, sha256="ab" * 32,
)  # fmt: skip
SENT = Submission(
    id=17, path="rush/bracket.stl", state=SubmissionState.DISPATCHED, opened_at=NOON,
    size=617_334, sha256="ab" * 32,
    mesh=MESH, preset="Onyx", intake_rule="everything else", build_id="build-1", routing_rule="rush",
    destination=Destination.DEVICE_QUEUE, device="Mark Two 3", due_date=date(2026, 3, 5),
    receipt_id="queued-9",
)  # fmt: skip
EVENTS = (
    SubmissionEvent(NOON, "claimed", "processing/rush/17~bracket.stl"),
    SubmissionEvent(NOON + timedelta(seconds=75), "sent", ""),
)


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local times are those of the machine, here in Berlin."""
    if not hasattr(time, "tzset"):
        pytest.skip("the time zone can't be set here")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_note_of_a_part_that_was_sent() -> None:
    assert (
        submission_note_text(SENT, EVENTS)
        == f"""\
stlflow note: submission 17

bracket.stl is in the queue of Mark Two 3.

What to do next
  Nothing. To print it again, drag the file back into the inbox.

File      rush/bracket.stl
Bytes     617,334
Mesh      12,345 facets, binary, closed
Size      120.0 × 80.0 × 35.5 mm
Volume    88.2 cm³
Warning   2 facets have no area
Preset    Onyx  (rule: everything else)
Sent to   device queue, Mark Two 3  (rule: rush)
Due       2026-03-05
Build     build-1
Print job queued-9
SHA-256   {"ab" * 32}

What happened when
  2026-03-02 13:00:00 CET  claimed: processing/rush/17~bracket.stl
  2026-03-02 13:01:15 CET  sent
"""
    )


@pytest.mark.parametrize(
    ("size_mm", "line"),
    [
        (
            (20.9, 5.0, 0.5),
            "20.9 × 5.0 × 0.5 mm; if it was drawn in inches: 530.9 × 127.0 × 12.7 mm",
        ),
        ((0.5, 0.4, 0.25), "0.500 × 0.400 × 0.250 mm; if it was drawn in inches: 12.7 × 10.2 × 6.3 mm"),
        ((21.0, 5.0, 0.5), "21.0 × 5.0 × 0.5 mm"),
    ],
)
def test_the_size_of_a_small_part_is_said_in_inches_too(
    size_mm: tuple[float, float, float], line: str
) -> None:
    note = submission_note_text(replace(SENT, mesh=replace(MESH, size_mm=size_mm)), EVENTS)
    assert f"\nSize      {line}\n" in note


def test_the_note_of_a_rejected_part_says_why_and_what_to_do() -> None:
    reason = "412 open edges: the surface is not closed. Close the solid in CAD and export again."
    open_mesh = replace(MESH, watertight=False, open_edges=412, volume_cm3=None, warnings=())
    rejected = Submission(
        id=18, path="plate.stl", state=SubmissionState.REJECTED, opened_at=NOON, reason=reason, mesh=open_mesh
    )
    text = submission_note_text(rejected, ())
    assert "plate.stl was REJECTED: nothing was sent to a printer.\n" in text
    assert f"Why\n  {reason}\n" in text
    assert "Put the corrected file into the inbox." in text
    assert "12,345 facets, binary, 412 open edges\n" in text
    assert "Volume" not in text
    assert "Receipt" not in text


def test_the_note_of_a_mesh_says_how_many_bodies_it_has_and_how_to_see_where_it_is_open() -> None:
    mesh = replace(MESH, watertight=False, open_edges=4, open_places=("x 1.0 y 2.0 z 3.0 mm",), bodies=3)
    text = submission_note_text(replace(SENT, mesh=mesh), ())
    assert "12,345 facets, binary, 4 open edges, 3 bodies\n" in text
    hint = "`stlflow check FILE --picture part.png` shows where it is open (FILE: the full path)"
    assert f"\nPicture   {hint}\n" in text
    closed = submission_note_text(replace(SENT, mesh=replace(MESH, bodies=1)), ())
    assert "bodies" not in closed
    assert "--picture" not in closed


def test_a_part_held_by_a_rule_names_the_rule_and_small_volumes_keep_their_digits() -> None:
    small = replace(MESH, volume_cm3=0.0044)
    held = replace(
        SENT, state=SubmissionState.HELD, hold=HoldReason.RULE, mesh=small, preset=None, intake_rule="inches"
    )
    text = submission_note_text(held, ())
    assert "Rule      inches\n" in text
    assert "Preset" not in text
    assert "Volume    0.004 cm³\n" in text


@pytest.mark.parametrize(
    ("hold", "advice"),
    [
        (HoldReason.FILE, "Put the file into the inbox again."),
        (HoldReason.RULE, "`stlflow release 17`"),
        (HoldReason.PRESET, "`stlflow retry 17`"),
        (HoldReason.UPLOAD, "Look in Eiger for the part. Then `stlflow retry 17`"),
        (HoldReason.SLICE, "Look at the part in Eiger."),
        (HoldReason.BUILD, "`stlflow attach 17 BUILD`"),
        (HoldReason.ROUTE, "`stlflow retry 17`"),
        (
            HoldReason.SEND,
            "If it has: `stlflow settle 17 --sent RECEIPT`, "
            "or `stlflow cancel 17` to leave it. Only if it has not: `stlflow retry 17`.",
        ),
        (HoldReason.FAULT, "show this note to the person who looks after stlflow"),
    ],
)
def test_every_hold_has_a_next_step(hold: HoldReason, advice: str) -> None:
    held = replace(SENT, state=SubmissionState.HELD, hold=hold, reason="Because.", destination=None)
    text = submission_note_text(held, ())
    assert "bracket.stl is HELD: a person has to decide.\n" in text
    assert "Why\n  Because.\n" in text
    assert advice in text


def test_every_kind_of_hold_is_known() -> None:
    for hold in HoldReason:
        assert "What to do next" in submission_note_text(
            replace(SENT, state=SubmissionState.HELD, hold=hold), ()
        )


@pytest.mark.parametrize(
    ("destination", "sentence"),
    [
        (Destination.BACKLOG, "bracket.stl is in Eiger's backlog."),
        (Destination.JOB_REQUEST, "bracket.stl is in Eiger's job requests."),
        (Destination.DEVICE_QUEUE, "bracket.stl is in the queue of Mark Two 3."),
        (Destination.PRINT_NOW, "bracket.stl was sent to Mark Two 3 to be printed now."),
    ],
)
def test_every_destination_has_its_sentence(destination: Destination, sentence: str) -> None:
    assert sentence in submission_note_text(replace(SENT, destination=destination), ())


@pytest.mark.parametrize("state", list(SubmissionState))
def test_a_note_can_be_written_in_every_state(state: SubmissionState) -> None:
    bare = Submission(id=1, path="a.stl", state=state, opened_at=NOON)
    assert submission_note_text(bare, ()).startswith("stlflow note: submission 1\n")


def test_addresses_of_the_web_are_left_out() -> None:
    signed = "https://bucket.s3.example.com/x.stl?X-Amz-Signature=abc123&X-Amz-Credential=key"
    held = replace(
        SENT, state=SubmissionState.HELD, hold=HoldReason.FAULT, reason=f"Upload to {signed} failed."
    )
    text = submission_note_text(held, (SubmissionEvent(NOON, "fault", f"see {signed}"),))
    assert "abc123" not in text
    assert "Upload to (address left out) failed." in text


def test_a_file_that_waits_for_eiger_says_so_in_a_sentence() -> None:
    why = "No connection to https://www.eiger.io/api/v3: is the network up? Nothing is lost."
    waits = replace(SENT, state=SubmissionState.INSPECTED, reason=why, waiting_since=NOON)
    text = progress_note_text(waits, UTC)
    assert "  No connection to Eiger: is the network up? Nothing is lost. (since " in text
    row = status_page_html(StatusPage(NOON, recent=(StatusRow(waits),)), UTC)
    assert "No connection to Eiger: is the network up?" in row


def test_a_long_history_is_cut_at_its_beginning() -> None:
    events = [SubmissionEvent(NOON, f"event {number}", "x" * 500) for number in range(30)]
    text = submission_note_text(SENT, events)
    assert "  (18 earlier)\n" in text
    assert "event 17" not in text
    assert "event 29" in text
    assert max(map(len, text.splitlines())) < 210


def test_a_note_has_the_times_of_the_shop_with_the_zone() -> None:
    at = EVENTS[0].at.astimezone(ZoneInfo("Europe/Vienna"))
    note = submission_note_text(SENT, EVENTS, ZoneInfo("Europe/Vienna"))
    assert f"  {at:%Y-%m-%d %H:%M:%S} {at.tzname()}  {EVENTS[0].event}" in note


def test_the_note_says_which_printers_the_part_fits() -> None:
    text = submission_note_text(SENT, EVENTS, fit="fits X7; not Mark Two")
    assert "\nPrinters  fits X7; not Mark Two\n" in text
    assert "Printers" not in submission_note_text(SENT, EVENTS)
