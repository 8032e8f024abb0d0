"""The table of all submissions: search, chips, sorting, pages and CSV; and my files."""

import csv
import io
from datetime import UTC, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from starlette.datastructures import QueryParams

from tests.console.conftest import Site
from tests.console.parts import add_part, hold_part, send_part
from tests.states import put_in_state
from workflow.console.filters import parse_filter
from workflow.model import SubmissionState


def paths(site: Site, query: str) -> list[str]:
    """Return the paths that a search finds, by the API."""
    reply = site.get(f"/api/submissions?q={quote(query)}")
    assert reply.status_code == 200, reply.text
    return [row["path"] for row in reply.json()["rows"]]


@pytest.fixture
def shop(site: Site) -> Site:
    hold_part(site.ledger, "rush/Bracket.stl", reason="Too large.")
    send_part(site.ledger, "lid.stl", "Mark Two left")
    add_part(site.ledger, "100%_clip.stl", state=SubmissionState.SLICING, dropped_by="kim")
    add_part(site.ledger, "bad.stl", state=SubmissionState.REJECTED, reason="No facets.")
    return site


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["bad.stl", "100%_clip.stl", "lid.stl", "rush/Bracket.stl"]),
        ("bracket", ["rush/Bracket.stl"]),
        ("#2", ["lid.stl"]),
        ("0%_", ["100%_clip.stl"]),
        ("%", ["100%_clip.stl"]),
        ("RUSH/ bracket", ["rush/Bracket.stl"]),
        ("state:held", ["rush/Bracket.stl"]),
        ("state:sent", ["lid.stl"]),
        ("state:Sent", ["lid.stl"]),
        ("state:progress", ["100%_clip.stl"]),
        ("-state:rejected -bracket", ["100%_clip.stl", "lid.stl"]),
        ("who:kim", ["100%_clip.stl"]),
        ('printer:"Mark Two left"', ["lid.stl"]),
        ("since:today state:rejected", ["bad.stl"]),
        ("until:2001-01-01", []),
        ("since:7d rush/", ["rush/Bracket.stl"]),
        ("'; drop table submissions", []),
        ("\\", []),
        ('"open quote', []),
        ("state:Slicing", ["100%_clip.stl"]),
        ('state:"Lost track"', []),
        ("state:dispatched", ["lid.stl"]),
        ("hold:RULE", ["rush/Bracket.stl"]),
        ("-hold:rule", ["bad.stl", "100%_clip.stl", "lid.stl"]),
        ('to:"device queue"', ["lid.stl"]),
        ('rule:"by hand"', ["rush/Bracket.stl"]),
        ('rule:"everything else"', ["lid.stl"]),
        ('-rule:"by hand"', ["bad.stl", "100%_clip.stl", "lid.stl"]),
        ("nonsense:held", []),
    ],
)
def test_a_search_finds(shop: Site, query: str, found: list[str]) -> None:
    assert paths(shop, query) == found


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("state:nonsense", "state: takes progress, checking, slicing, choosing, sending, sent, printing, "
         "printed, held, rejected, canceled, failed, lost_track, not 'nonsense'."),
        ("-state:nonsense", "not 'nonsense'."),
        ("hold:sliced", "hold: takes file, mesh, rule, preset, upload, slice, build, units, route, device, "
         "send, fault, not 'sliced'."),
        ("to:Anvil", "to: takes backlog, job_request, device_queue, print_now, not 'Anvil'."),
        ("state:", "state: takes progress, "),
        ("since:", "'' is no day."),
        ("who:", "Write a name behind who:, without a blank."),
        ("-since:today", "since: can't be excluded. Use until: instead."),
        ("-until:today", "until: can't be excluded. Use since: instead."),
    ],
)  # fmt: skip
def test_what_no_part_can_have_is_refused_and_not_searched_for(shop: Site, query: str, says: str) -> None:
    reply = shop.get(f"/api/submissions?q={quote(query)}")
    assert reply.status_code == 400
    assert says in reply.text


def test_a_day_is_one_of_the_shops_calendar() -> None:
    """Not of this machine's, and with the clock of that day: summer time in winter, and days of 23 hours."""
    zone = ZoneInfo("America/New_York")
    wanted = parse_filter(QueryParams(q="since:2026-07-01 until:2026-03-08"), zone)
    assert wanted.since == datetime(2026, 7, 1, 4, tzinfo=UTC)
    assert wanted.until == datetime(2026, 3, 9, 4, tzinfo=UTC)


def test_the_page_says_what_is_searched_and_keeps_it_in_its_links(shop: Site) -> None:
    page = shop.get("/submissions?q=state%3Aheld&sort=file").text
    assert 'value="state:held"' in page
    assert 'aria-current="true">Held</a>' in page
    assert "1 submission<" in page
    assert 'aria-sort="ascending"><a href="/submissions?q=state%3Aheld&amp;sort=-file">File' in page


def test_the_arrow_is_on_the_column_that_is_sorted(shop: Site) -> None:
    page = shop.get("/submissions").text
    assert 'aria-sort="descending"><a href="/submissions?q=&amp;sort=number">#' in page
    assert '<th scope="col">Changed</th>' in page
    assert ">Canceled</a>" in page


@pytest.mark.parametrize(
    "sort", ["number", "-number", "file", "-file", "state", "-state", "preset", "-destination"]
)
def test_pages_in_any_order_have_every_row_once(site: Site, sort: str) -> None:
    for n in range(9):
        (send_part if n % 3 else hold_part)(site.ledger, f"{'Ää'[n % 2]}{n % 4}.stl")
    seen, address = [], f"/api/submissions?sort={sort}&limit=2"
    while address:
        page = site.get(address).json()
        seen += [row["id"] for row in page["rows"]]
        address = page["next"] and f"/api/submissions?sort={sort}&limit=2&after={page['next']}"
    assert sorted(seen) == list(range(1, 10))
    assert seen == [row["id"] for row in site.get(f"/api/submissions?sort={sort}").json()["rows"]]


@pytest.mark.parametrize(
    "query", ["sort=size", "after=xx", "after=WzEsMl0x", "q=since:never", f"q={'x' * 501}"]
)
def test_a_senseless_address_is_refused_in_words(site: Site, query: str) -> None:
    reply = site.get(f"/submissions?{query}")
    assert reply.status_code == 400
    assert "<h1>All submissions</h1>" in reply.text, "the table is there, as if nothing had been asked for"
    assert reply.text.count('role="alert"') == 1


def test_a_search_that_is_refused_can_be_corrected(site: Site) -> None:
    page = site.get("/submissions?q=bracket+since:<never>").text
    assert 'value="bracket since:&lt;never&gt;" aria-invalid="true"' in page
    assert "&#39;&lt;never&gt;&#39; is no day." in page.partition('id="refusal"')[2]


def test_csv_has_all_rows_and_no_formula(shop: Site) -> None:
    add_part(shop.ledger, "=cmd|calc.stl", state=SubmissionState.REJECTED, reason='@x, "quoted"\nsecond line')
    reply = shop.get("/submissions.csv?q=state:rejected")
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(reply.content.decode("utf-8-sig"))))
    assert [row["path"] for row in rows] == ["'=cmd|calc.stl", "bad.stl"]
    assert rows[0]["reason"].startswith('\'@x, "quoted"')


def test_only_names_rows_that_still_match(shop: Site) -> None:
    reply = shop.get("/api/submissions?q=state:held&only=1,2,999")
    assert [row["id"] for row in reply.json()["rows"]] == [1]


def test_my_files_are_told_in_plain_words(shop: Site) -> None:
    assert "<option>kim</option>" in shop.get("/mine").text
    page = shop.get("/mine?who=kim").text
    assert "100%_clip.stl" in page
    assert "stlflow is working on it." in page
    assert "lid.stl" not in page


def test_a_submission_shows_what_is_known_of_it(shop: Site) -> None:
    page = shop.get("/s/2").text
    assert "Mark Two left" in page
    assert "Order again…" in page
    assert shop.get("/api/s/2").json()["receipts"] == []
    assert shop.get("/s/99").status_code == 404
    assert "There is no submission 99" in shop.get("/s/99").text
    assert shop.get("/s/2/file").status_code == 404
    assert shop.get("/s/2/thumb.png").headers["Content-Type"] == "image/svg+xml"


def test_the_same_answer_is_not_sent_again(shop: Site) -> None:
    first = shop.get("/api/submissions")
    again = shop.get("/api/submissions", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


@pytest.mark.parametrize(
    ("state", "last"),
    [
        (SubmissionState.PRINTING, ("Printing", "now")),
        (SubmissionState.PRINTED, ("Printed", "done")),
        (SubmissionState.FAILED, ("Printed", "stopped")),
    ],
)
def test_the_way_says_what_is_done_and_what_goes_on(
    site: Site, state: SubmissionState, last: tuple[str, str]
) -> None:
    sliced = add_part(site.ledger, "clip.stl", state=SubmissionState.SLICING)
    assert {"title": "Slicing", "icon": "slice", "status": "now"} in site.get(f"/api/s/{sliced}").json()[
        "way"
    ]
    number = send_part(site.ledger, "lid.stl")
    put_in_state(site.ledger, site.ledger.get(number), state=state)
    way = [(step["title"], step["status"]) for step in site.get(f"/api/s/{number}").json()["way"]]
    assert [step for step in way if step[1] != "ahead"][-1] == last
