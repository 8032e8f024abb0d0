"""The link in a notice: its reader decides once, by a button; a GET, a forged or an old link does nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.console.conftest import OpenSite, Site
from tests.notices.outbox import submit
from workflow.assembly import notice_link_key
from workflow.console import decide
from workflow.errors import ShareError
from workflow.model import EventKind, HoldReason, SubmissionState
from workflow.notices import make_grant, read_grant, sign_grant
from workflow.settings import NoticeSettings, Settings

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
KEY = b"k" * 32


@pytest.fixture
def site(open_site: OpenSite, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A console that asks for a login, and takes links of notices."""
    notices = NoticeSettings(decide_links=True)
    monkeypatch.setattr(Settings, "notices", property(lambda _: notices))
    return open_site(console_login=True)


def link(site: Site, number: int) -> str:
    """Return the path that a notice about the present hold leads to."""
    held = [each for each in site.ledger.events(number) if each.event == EventKind.HELD]
    key = notice_link_key(site.settings)
    assert key is not None
    return (
        f"/decide/{sign_grant(key, make_grant(number, held[-1].at, 'anna@example.com', datetime.now(UTC)))}"
    )


def hold(site: Site, path: str = "bracket.stl") -> int:
    (site.settings.share / "held").mkdir(parents=True, exist_ok=True)
    (site.settings.share / "held" / path).write_bytes(b"solid")
    number = submit(site.ledger, path, EventKind.HELD, "3 holes <b>.")
    site.ledger.update_submission(site.ledger.get(number), claimed_as=f"held/{path}")
    return number


def state(site: Site, number: int) -> SubmissionState:
    return site.ledger.get(number).state


def test_a_get_shows_the_file_and_changes_nothing(site: Site) -> None:
    number = hold(site)
    before = site.ledger.get(number)
    for _ in range(3):
        page = site.get(link(site, number), allow_redirects=False)
        assert page.status_code == 200
        assert "bracket.stl" in page.text
        assert "3 holes &lt;b&gt;." in page.text
        assert 'name="action" value="release"' in page.text
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"
    site.session.head(f"{site.url}{link(site, number)}", timeout=60)
    assert site.ledger.get(number) == before


@pytest.mark.parametrize(
    ("action", "expected", "event"),
    [
        ("release", SubmissionState.CLAIMED, EventKind.RELEASED),
        ("reject", SubmissionState.CANCELED, EventKind.CANCELED),
    ],
)
def test_a_button_decides_once_and_the_history_says_who(
    site: Site, action: str, expected: SubmissionState, event: EventKind
) -> None:
    number = hold(site)
    path = link(site, number)
    done = site.session.post(f"{site.url}{path}", data={"action": action, "why": "looks fine"}, timeout=60)
    assert done.status_code == 200, done.text
    assert state(site, number) is expected
    line = next(each for each in site.ledger.events(number) if each.event == event)
    assert "by anna@example.com, by a link in a notice: looks fine" in line.detail
    for _ in range(2):
        again = site.session.post(f"{site.url}{path}", data={"action": "reject"}, timeout=60)
        assert again.status_code == 409
        assert "decided already" in again.text
    assert state(site, number) is expected


def test_a_link_is_for_one_hold(site: Site) -> None:
    number = hold(site)
    old = link(site, number)
    submission = site.ledger.update_submission(site.ledger.get(number), state=SubmissionState.CLAIMED)
    site.ledger.record_event(
        submission, EventKind.HELD, "again", state=SubmissionState.HELD, hold=HoldReason.MESH
    )
    assert site.session.post(f"{site.url}{old}", data={"action": "reject"}, timeout=60).status_code == 409
    assert state(site, number) is SubmissionState.HELD
    assert site.get(link(site, number)).status_code == 200


@pytest.mark.parametrize("path", ["/decide/abc", "/decide/W10.AAAA", "/decide/é.é"])
def test_a_forged_link_shows_nothing(site: Site, path: str) -> None:
    hold(site)
    reply = site.get(path, allow_redirects=False)
    assert reply.status_code == 404
    assert "bracket" not in reply.text


def test_a_change_that_another_site_sends_is_refused(site: Site) -> None:
    number = hold(site)
    headers = {"Origin": "https://evil.example.com"}
    sent = site.session.post(
        f"{site.url}{link(site, number)}", data={"action": "reject"}, headers=headers, timeout=60
    )
    assert sent.status_code == 403
    assert state(site, number) is SubmissionState.HELD


def test_without_the_setting_no_link_is_valid(open_site: OpenSite, tmp_path: Path) -> None:
    site = open_site()
    number = hold(site)
    grant = make_grant(number, site.ledger.events(number)[-1].at, "anna", datetime.now(UTC))
    assert site.get(f"/decide/{sign_grant(KEY, grant)}").status_code == 404
    assert not (tmp_path / "state" / "notices.key").exists()


def test_a_grant_is_bound_to_its_key_its_words_and_its_time() -> None:
    grant = make_grant(17, NOW, "anna@example.com", NOW)
    word = sign_grant(KEY, grant)
    assert read_grant(KEY, word, NOW) == grant
    assert read_grant(b"x" * 32, word, NOW) is None
    assert read_grant(KEY, word, NOW + timedelta(days=7, seconds=1)) is None
    other = sign_grant(KEY, make_grant(18, NOW, "anna@example.com", NOW))
    assert read_grant(KEY, f"{other.partition('.')[0]}.{word.partition('.')[2]}", NOW) is None
    for at in range(len(word)):
        flipped = f"{word[:at]}{'A' if word[at] != 'A' else 'B'}{word[at + 1 :]}"
        found = read_grant(KEY, flipped, NOW)
        assert found is None or found == grant, "the last bits of base64 mean nothing"


def test_the_reason_stays_if_the_decision_can_not_be_carried_out(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = hold(site)

    def hangs(*_: object, **__: object) -> None:
        raise ShareError("The share does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(decide, "release_submission", hangs)
        sent = {"action": "release", "why": "it's right"}
        reply = site.session.post(f"{site.url}{link(site, number)}", data=sent, timeout=60)
    assert (reply.status_code, "The share does not answer." in reply.text) == (409, True)
    assert 'value="it&#39;s right" aria-invalid="true"' in reply.text
    assert 'name="action" value="release"' in reply.text
    assert state(site, number) is SubmissionState.HELD
