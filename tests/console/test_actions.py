"""What people decide on the page: each action, who and why, and what the server refuses."""

import re
from datetime import datetime
from html import unescape
from urllib.parse import quote

import pytest

from tests.cloud import simulated
from tests.console.conftest import OpenSite, Site, bearer
from tests.console.parts import BUILD, add_part, doubt_send, hold_part, send_part
from tests.states import put_in_state
from workflow.model import EventKind, HoldReason, SubmissionState
from workflow.pipeline.commands import cancel_submission
from workflow.pipeline.order_again import order_again


def test_what_is_held_is_shown_with_its_reason_and_what_can_be_done(site: Site) -> None:
    number = hold_part(site.ledger, "rush/clip.stl", HoldReason.MESH, "A side is missing.")
    page = site.get("/").text
    assert "A side is missing." in page
    assert "Something is wrong with the mesh" in page
    assert re.findall(r'name="action" value="([a-z-]+)">', page) == ["release", "retry"]
    assert f"/act?action=reject&amp;id={number}" in page
    assert "Nothing waits for you" not in page


def test_since_when_a_part_is_held_is_not_when_it_was_last_asked_for(site: Site) -> None:
    number = hold_part(site.ledger, "clip.stl", HoldReason.BUILD)
    held = site.ledger.events(number)[-1].at
    site.ledger.record_event(site.ledger.get(number), EventKind.WAITING, "Eiger does not answer.")
    row = site.get("/api/attention").json()["groups"][0]["rows"][0]
    assert datetime.fromisoformat(row["held_at"]) == held < datetime.fromisoformat(row["changed_at"])
    assert f'<time datetime="{held.isoformat()}"' in site.get("/").text


def test_nothing_waits_and_how_many_were_sent_today(site: Site) -> None:
    send_part(site.ledger, "a.stl")
    page = site.get("/").text
    assert "Nothing waits for you." in page
    assert "1 sent today." in page


def test_release_says_who_did_it(site: Site) -> None:
    number = hold_part(site.ledger, "clip.stl")
    site.post("/name", {"name": "Anna Müller"})
    said = site.post("/act", {"action": "release", "id": number, "why": "measured\nit twice"})
    assert f"clip.stl ({number}) is released." in said.text
    assert f"clip.stl ({number}) is released." not in site.get("/").text  # once
    submission, last = site.ledger.get(number), site.ledger.events(number)[-1]
    assert (submission.state, submission.passed) == (SubmissionState.CLAIMED, ("by hand",))
    assert (last.event, last.detail) == (EventKind.RELEASED, "by Anna Müller: measured it twice")
    assert "by Anna Müller: measured it twice" in site.get(f"/s/{number}").text


def test_reject_needs_a_reason_which_is_in_history_and_note(site: Site) -> None:
    number = hold_part(site.ledger, "clip.stl")
    without = site.post("/act", {"action": "reject", "id": number})
    assert (without.status_code, "Say why" in without.text) == (400, True)
    site.post("/act", {"action": "reject", "id": number, "why": "wrong revision"})
    submission = site.ledger.get(number)
    assert submission.state is SubmissionState.CANCELED
    assert submission.reason == "Canceled by a person at the console: wrong revision."


def test_a_refused_question_is_asked_again_with_what_was_typed(site: Site) -> None:
    number = hold_part(site.ledger, "clip.stl", HoldReason.BUILD)
    asked = f"/act?action=attach&id={number}&next=/submissions"
    question = site.get(asked).text
    came_from = unescape(re.findall(r'name="from" value="([^"]+)"', question)[0])
    assert came_from == asked
    fields = {"action": "attach", "id": number, "build": "<b>", "why": "it's right", "from": came_from}
    site.ledger.update_submission(site.ledger.get(number), part_version_id=BUILD)
    again = site.post("/act", {**fields, "anyway": "yes"})
    assert (again.status_code, "Attach a build to" in again.text) == (409, True)
    assert '<input id="build" name="build" value="&lt;b&gt;" aria-invalid="true"' in again.text
    assert "is no build id" in again.text.partition('id="refusal"')[2]
    assert again.text.count("is no build id") == 1
    assert 'value="it&#39;s right"' in again.text
    assert 'value="yes" checked>' in again.text
    assert 'href="/submissions" data-close' in again.text
    cancel_submission(site.ledger, number)
    over = site.post("/act", {**fields, "seen": f"{number} held build"})
    assert (over.status_code, "not as you saw it" in over.text) == (409, True)
    assert "left out: It is canceled." in over.text
    gone = site.post("/act", {**fields, "anyway": "yes", "from": "/act?action=attach&id=x"})
    assert "<h1>Not possible now</h1>" in gone.text, "no page can be shown: the refusal itself is"


def test_a_refused_button_leaves_its_page(site: Site) -> None:
    number = send_part(site.ledger, "clip.stl")
    reply = site.post("/act", {"action": "release", "id": number, "next": "/submissions?q=clip"})
    assert (reply.status_code, "All submissions" in reply.text) == (409, True)
    assert f'<p class="notice wrong" role="alert">Submission {number} is dispatched' in reply.text
    assert 'value="clip"' in reply.text
    assert 'data-address="/submissions?q=clip"' in reply.text
    for elsewhere in ("//evil.example", "/health/bundle.zip", "/nowhere"):
        refused = site.post("/act", {"action": "release", "id": number, "next": elsewhere})
        assert (refused.status_code, "<h1>Not possible now</h1>" in refused.text) == (409, True)


def test_retry_takes_up_again(site: Site) -> None:
    number = hold_part(site.ledger, "clip.stl", HoldReason.PRESET)
    site.post("/act", {"action": "retry", "id": number})
    assert site.ledger.events(number)[-1].event == EventKind.RETRIED
    assert site.ledger.events(number)[-1].detail == "by a person at the console"


@pytest.mark.parametrize(("action", "fields"), [("sent", {"receipt": "job 7"}), ("not-sent", {})])
def test_a_send_is_confirmed_as_sent_or_not(site: Site, action: str, fields: dict[str, str]) -> None:
    number = doubt_send(site.ledger, "clip.stl")
    assert "It was sent…" in site.get("/").text
    site.post("/act", {"action": action, "id": number, **fields})
    last = site.ledger.events(number)[-1]
    assert last.event == EventKind.SETTLED
    assert last.detail.endswith("by a person at the console")
    assert site.ledger.sends.list_receipts(number) == (("job 7",) if fields else ())


def test_a_hold_of_a_send_that_is_not_in_doubt_can_be_retried(site: Site) -> None:
    why = "The print has failed. `stlflow retry 1` prints <it> again."
    number = hold_part(site.ledger, "clip.stl", HoldReason.SEND, why)
    site.ledger.update_submission(site.ledger.get(number), dropped_by="kim")
    page = site.get("/").text
    assert "It was sent…" not in page
    said = "Look at the printer. The reason says what a retry does."
    for place in ("/", f"/s/{number}", "/mine?who=kim"):
        shown = site.get(place).text
        assert (said in shown, "then confirm" in shown) == (True, False), place
        assert "<code>stlflow retry 1</code> prints &lt;it&gt; again." in shown, place
        assert "`" not in shown, place
    assert 'class="primary"' not in page, "a retry may print it twice"
    assert re.findall(r'name="action" value="([a-z-]+)">', page) == ["retry"]
    site.post("/act", {"action": "retry", "id": number})
    assert site.ledger.events(number)[-1].event == EventKind.RETRIED
    doubted = doubt_send(site.ledger, "lid.stl")
    assert f"/act?action=sent&amp;id={doubted}" in site.get("/").text
    assert "Look in Eiger whether it arrived there, then confirm." in site.get(f"/s/{doubted}").text
    assert 'value="retry">' not in site.get("/").text
    assert "confirm that first" in site.get(f"/act?action=retry&id={doubted}").text
    other = hold_part(site.ledger, "cap.stl", HoldReason.SEND, "The print has failed.")
    groups = site.get("/api/attention").json()["groups"]
    assert [(each["key"], each["hold"], len(each["rows"])) for each in groups] == [
        ("send", "send", 1), ("print", "send", 1),
    ]  # fmt: skip
    assert "Its send is not in doubt" in site.get(f"/act?action=sent&id={other}").text


def test_a_build_is_attached_after_eiger_was_asked(open_site: OpenSite) -> None:
    with simulated() as cloud:
        site = open_site(eiger_url=cloud.url, access_key="demo", secret_key="demo")
        number = hold_part(site.ledger, "clip.stl", HoldReason.BUILD)
        site.ledger.update_submission(site.ledger.get(number), part_version_id=BUILD)
        refused = site.post("/act", {"action": "attach", "id": number, "build": BUILD})
        assert (refused.status_code, "Eiger has no build" in refused.text) == (409, True)
        site.post("/act", {"action": "attach", "id": number, "build": BUILD, "anyway": "yes"})
    assert site.ledger.get(number).build_id == BUILD
    assert site.ledger.events(number)[-1].detail == f"{BUILD}, by a person at the console"


def test_what_was_sent_is_ordered_again(site: Site) -> None:
    number = send_part(site.ledger, "clip.stl")
    site.post("/act", {"action": "order", "id": number, "copies": "3", "why": "spares"})
    again = site.ledger.get(number + 1)
    assert (again.reused, again.build_id, again.state) == (number, BUILD, SubmissionState.SLICED)
    detail = site.ledger.events(again.id)[-1].detail
    assert detail == f"3 copies, again as submission {number}, by a person at the console: spares"
    refused = site.post("/act", {"action": "order", "id": number})
    assert (refused.status_code, "under way" in refused.text) == (409, True)


def test_many_are_checked_one_by_one(site: Site) -> None:
    """The page is old: one was sent meanwhile, one is gone. Each is refused by itself, the others go on."""
    held = [hold_part(site.ledger, f"{n}.stl") for n in range(3)]
    gone = send_part(site.ledger, "sent.stl")
    reply = site.post("/act", {"action": "release", "id": [*held, gone, 999]})
    assert "3 are released." in reply.text
    assert "2 not done: " in reply.text
    assert f"Submission {gone} is dispatched, not held" in reply.text
    assert "There is no submission 999" in reply.text
    assert {site.ledger.get(each).state for each in held} == {SubmissionState.CLAIMED}


def test_scripts_get_the_result_of_each(site: Site) -> None:
    held, sent = hold_part(site.ledger, "a.stl"), send_part(site.ledger, "b.stl")
    sent_fields = {"action": "release", "id": [held, sent], "why": "checked"}
    reply = site.session.post(f"{site.url}/api/act", json=sent_fields, headers=bearer("Willi"), timeout=60)
    results = {each["id"]: each["done"] for each in reply.json()["results"]}
    assert (reply.status_code, results) == (200, {held: True, sent: False})
    assert site.ledger.events(held)[-1].detail == "by Willi: checked"


def test_the_question_names_every_part_and_their_number(site: Site) -> None:
    held = [hold_part(site.ledger, f"part {n}.stl") for n in range(3)]
    sent = send_part(site.ledger, "sent.stl")
    ids = "&".join(f"id={each}" for each in (*held, sent))
    page = site.get(f"/act?action=reject&{ids}&next=/").text
    assert "Reject 3 parts?" in page
    assert all(f"part {n}.stl" in page for n in range(3))
    assert "left out: It is dispatched." in page
    assert page.count('name="id" value=') == 3
    assert site.ledger.get(held[0]).state is SubmissionState.HELD  # asking changes nothing


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"action": "fly"},
        {"action": "retry"},
        *({"action": "retry", "id": n} for n in ("x", "-1", "9" * 13)),
    ],
)
def test_a_senseless_form_is_refused_in_words(site: Site, fields: dict[str, str]) -> None:
    reply = site.post("/act", fields)
    assert reply.status_code == 400
    assert "<h1>That did not work</h1>" in reply.text


def test_who_may_only_look_is_refused_by_the_server(open_site: OpenSite) -> None:
    site = open_site(console_login=True)
    number = hold_part(site.ledger, "clip.stl")
    body = {"action": "release", "id": [number]}
    reply = site.session.post(f"{site.url}/api/act", json=body, headers=bearer("Vera"), timeout=60)
    assert (reply.status_code, "needs the role work" in reply.text) == (403, True)
    site.session.headers.update(bearer("Vera"))
    assert "Release" not in site.get("/").text
    assert site.post("/act", {"action": "release", "id": number}).status_code == 403
    assert site.ledger.get(number).state is SubmissionState.HELD


def test_a_bulk_arrival_is_accepted_as_it_was_shown(site: Site) -> None:
    site.ledger.mass_arrival.add([f"many/{n}.stl" for n in range(30)])
    page = site.get("/").text
    assert "Accept 30 files…" in page
    assert "and 10 more" in page
    question = site.get("/bulk-arrival?next=/").text
    assert "Accept 30 files?" in question
    assert all(f"many/{n}.stl" in question for n in range(30))
    shown = {"digest": DIGEST.findall(question)[0], "from": "/bulk-arrival?next=/", "why": "the archive"}
    site.ledger.mass_arrival.remove(["many/7.stl"])
    site.ledger.mass_arrival.add(["<late>.stl"])
    refused = site.post("/bulk-arrival", shown)
    assert (refused.status_code, "Accept 30 files?" in refused.text) == (400, True)
    assert "1 came: &lt;late&gt;.stl. 1 went: many/7.stl." in refused.text
    assert 'value="the archive"' in refused.text
    assert not any(site.ledger.mass_arrival.read_paths().values())
    unknown = site.post("/bulk-arrival", {"digest": "30"})
    assert (unknown.status_code, "other files wait now" in unknown.text) == (400, True)
    again = {**shown, "digest": DIGEST.findall(refused.text)[0]}
    assert "30 files are accepted" in site.post("/bulk-arrival", again).text
    assert all(site.ledger.mass_arrival.read_paths().values())
    number = site.ledger.open("<late>.stl")
    site.ledger.claimed(number, "processing/late.stl", arrived_as="<late>.stl")
    who = "30 files at once, by a person at the console: the archive"
    assert site.ledger.events(number)[-1].detail == who
    assert who in site.get(f"/s/{number}").text
    over = site.post("/bulk-arrival", again)
    assert (over.status_code, "No file waits to be accepted." in over.text) == (400, True)


def test_a_script_accepts_the_bulk_arrival_that_it_was_shown(site: Site) -> None:
    site.ledger.mass_arrival.add(["a.stl", "b.stl"])
    digest = site.get("/api/attention").json()["bulk_arrival"]["digest"]
    url = f"{site.url}/api/bulk-arrival"
    site.ledger.mass_arrival.remove(["a.stl"])
    site.ledger.mass_arrival.add(["c.stl"])
    refused = site.session.post(url, json={"digest": digest}, headers=bearer("Willi"), timeout=60)
    assert (refused.status_code, "Nothing was accepted" in refused.json()["error"]) == (400, True)
    digest = site.get("/api/attention").json()["bulk_arrival"]["digest"]
    done = site.session.post(url, json={"digest": digest}, headers=bearer("Willi"), timeout=60)
    assert done.json()["said"] == "2 files are accepted. They are taken at the next scan."


DIGEST = re.compile(r'name="digest" value="([0-9a-f]+)"')
HOSTILE = [
    "<script>alert(1)</script>.stl", "\"><img src=x onerror=alert(1)>.stl", "a'b\"c.stl", "🦊 part.stl",
    "שלום\N{RIGHT-TO-LEFT OVERRIDE}lts.exe.stl", "&lt;b&gt;.stl", "a" * 251 + ".stl", "{{ 7*7 }}.stl",
    "%3Cscript%3E.stl", "line\nbreak.stl",
]  # fmt: skip


def test_hostile_names_are_text(site: Site) -> None:
    numbers = [hold_part(site.ledger, name, reason=f"Why {name}") for name in HOSTILE]
    everything = "".join(site.get(path).text for path in ("/", *(f"/s/{each}" for each in numbers)))
    assert "<script>alert" not in everything
    assert "<img src=x" not in everything
    assert "49.stl" not in everything
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in everything
    question = site.get(
        f"/act?action=retry&{'&'.join(f'id={each}' for each in numbers)}&next={quote(HOSTILE[1])}"
    )
    assert "<img src=x" not in question.text


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1"]
)
def test_no_form_leads_away(site: Site, address: str) -> None:
    number = hold_part(site.ledger, "a.stl")
    reply = site.post("/act", {"action": "retry", "id": number, "next": address}, allow_redirects=False)
    assert reply.headers["Location"] == "/"


def test_only_what_was_sent_is_ordered_again(site: Site) -> None:
    number = add_part(site.ledger, "a.stl")
    assert site.post("/act", {"action": "order", "id": number}).status_code == 409
    sent = send_part(site.ledger, "b.stl")
    for wrong in ("0", "-1", "1000000", "many"):
        assert site.post("/act", {"action": "order", "id": sent, "copies": wrong}).status_code in {400, 409}
    assert order_again(site.ledger, sent, None) == sent + 1


def test_what_changed_since_the_page_showed_it_is_refused(site: Site) -> None:
    """A part that somebody rejected meanwhile is not taken up again, nor one released that has a new hold."""
    mesh, rule, same = (hold_part(site.ledger, f"{n}.stl", HoldReason.MESH) for n in range(3))
    question = site.get(f"/act?action=retry&id={mesh}&id={rule}&id={same}").text
    seen = re.findall(r'name="seen" value="([^"]+)"', question)
    assert len(seen) == 3
    button = re.findall(rf'name="seen" value="({rule} [^"]+)"', site.get("/").text)
    cancel_submission(site.ledger, mesh)
    put_in_state(site.ledger, site.ledger.get(rule), hold=HoldReason.RULE)
    ids = [mesh, rule, same]
    said = site.post("/act", {"action": "retry", "id": ids, "seen": seen}).text
    assert "1 are" not in said
    assert f"Submission {mesh} is canceled now, not as you saw it: look again." in said
    assert f"Submission {rule} is held now, not as you saw it: look again." in said
    assert site.ledger.get(mesh).state is SubmissionState.CANCELED
    refused = site.post("/act", {"action": "release", "id": rule, "seen": button[0]})
    assert (refused.status_code, site.ledger.get(rule).state) == (409, SubmissionState.HELD)
    assert site.ledger.get(same).state is SubmissionState.CLAIMED


def test_a_question_says_what_is_asked(site: Site) -> None:
    doubted, held = doubt_send(site.ledger, "lid.stl"), hold_part(site.ledger, "a.stl", HoldReason.BUILD)
    heading = re.compile(r"<h1>(.*?)</h1>")
    asked = {
        kind: re.sub("<[^>]+>", "", heading.findall(site.get(f"/act?action={kind}&id={number}").text)[-1])
        for kind, number in (("sent", doubted), ("not-sent", doubted), ("attach", held), ("reject", held))
    }
    assert asked == {
        "sent": "Confirm as sent: lid.stl?",
        "not-sent": "Confirm as not sent: lid.stl?",
        "attach": "Attach a build to a.stl?",
        "reject": "Reject a.stl?",
    }
    assert "It is held for another reason: read it." in site.get(f"/act?action=release&id={held}").text
