"""The console in a real Chromium: actions, live changes, choice, keyboard, phone, and without JavaScript."""

import pytest

from tests.console.browser import Browser
from tests.console.conftest import TOKENS_MADE, OpenSite, Site
from tests.console.parts import add_part, hold_part, send_part
from tests.states import put_in_state
from tests.stl import box
from tests.waiting import until
from workflow.model import EventKind, SubmissionState

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)>'\"🦊.stl"


def ready(browser: Browser, site: Site, path: str) -> None:
    """Open a page and wait until its scripts have started."""
    browser.open(f"{site.url}{path}")
    assert until(lambda: browser.run("return document.documentElement.dataset.ready") == "yes", 60)


def text(browser: Browser) -> str:
    return str(browser.run("return document.body.innerText"))


def waits_for(browser: Browser, what: str) -> bool:
    return until(lambda: what in text(browser), 60)


def state_of(site: Site, number: int) -> SubmissionState:
    return site.ledger.get(number).state


def keys(browser: Browser, *pressed: str) -> None:
    for key in pressed:
        event = "new KeyboardEvent('keydown', {key: arguments[0], bubbles: true})"
        browser.run(f"document.activeElement.dispatchEvent({event})", key)


def test_release_and_reject_without_leaving_the_page(site: Site, browser: Browser) -> None:
    first, second = hold_part(site.ledger, HOSTILE), hold_part(site.ledger, "lid.stl")
    ready(browser, site, "/")
    browser.find(f"tr[data-key='{first}'] button[value=release]").click()
    assert waits_for(browser, f"({first}) is released.")
    assert state_of(site, first) is SubmissionState.CLAIMED
    assert until(lambda: not browser.all(f"tr[data-key='{first}']"), 60)
    browser.find(f"tr[data-key='{second}'] a.danger").click()
    why = browser.find("dialog[open] #why")
    assert browser.run("return document.activeElement.id") == "why"
    why.send_keys("wrong revision")
    browser.find("dialog[open] button.danger-solid").click()
    assert waits_for(browser, "Nothing waits for you.")
    assert site.ledger.get(second).reason == "Canceled by a person at the console: wrong revision."
    assert browser.complaints() == []


@pytest.mark.parametrize("by_button", [True, False])
def test_after_a_refused_question_the_focus_is_in_the_field(
    site: Site, browser: Browser, *, by_button: bool
) -> None:
    number = hold_part(site.ledger, "lid.stl")
    ready(browser, site, "/")
    browser.find(f"tr[data-key='{number}'] a.danger").click()
    browser.find("dialog[open] #why").send_keys("   " if by_button else "   \n")
    if by_button:
        browser.find("dialog[open] button.danger-solid").click()
    assert "Say why" in browser.text("dialog[open] #refusal")
    assert browser.run("return document.activeElement.id") == "why"
    browser.find("dialog[open] #why").send_keys("wrong revision")
    browser.run("window.real = window.fetch; window.fetch = () => Promise.reject(new TypeError())")
    browser.find("dialog[open] button.danger-solid").click()
    assert waits_for(browser, "The service does not answer.")
    assert browser.run("return document.activeElement.id") == "why"
    browser.run("window.fetch = window.real")
    browser.find("dialog[open] button.danger-solid").click()
    assert waits_for(browser, "is rejected.")
    assert site.ledger.get(number).reason == "Canceled by a person at the console: wrong revision."


def test_a_bulk_arrival_is_asked_about_and_another_set_is_refused(site: Site, browser: Browser) -> None:
    site.ledger.mass_arrival.add(["a.stl", "b.stl"])
    ready(browser, site, "/")
    browser.find("a[href^='/bulk-arrival']").click()
    assert "Accept 2 files?" in browser.text("dialog[open] h1")
    assert browser.run("return document.activeElement.id") == "why"
    site.ledger.mass_arrival.remove(["b.stl"])
    site.ledger.mass_arrival.add(["c.stl"])
    browser.find("dialog[open] #why").send_keys("meant")
    browser.find("dialog[open] button.primary").click()
    assert waits_for(browser, "1 came: c.stl. 1 went: b.stl.")
    assert browser.run("return document.activeElement.value") == "meant"
    browser.find("dialog[open] button.primary").click()
    assert waits_for(browser, "2 files are accepted.")
    assert until(lambda: not browser.all("[data-key=bulk]"), 60)
    assert site.ledger.mass_arrival.list_waiting() == ()


def test_what_happens_is_shown_as_it_happens(site: Site, browser: Browser) -> None:
    ready(browser, site, "/")
    assert waits_for(browser, "Nothing waits for you.")
    assert waits_for(browser, "Live")
    number = hold_part(site.ledger, "late.stl", reason="A side is missing.")
    assert waits_for(browser, "A side is missing.")
    assert until(lambda: browser.driver.title.startswith("(1)"), 60)
    browser.find("#live").click()
    assert browser.text("#live") == "Paused"
    hold_part(site.ledger, "later.stl")
    browser.find("#live").click()
    assert waits_for(browser, "later.stl")
    assert browser.all(f"tr[data-key='{number}']")


def test_rows_do_not_jump_while_one_is_in_use(site: Site, browser: Browser) -> None:
    """A row changes in its place, its box stays checked and focused; new rows wait behind a button."""
    number = add_part(site.ledger, "mine.stl", state=SubmissionState.SLICING)
    ready(browser, site, "/submissions")
    box_of = f"tr[data-key='{number}'] input[type=checkbox]"
    browser.find(box_of).click()
    site.ledger.record_event(site.ledger.get(number), EventKind.SLICED, "", state=SubmissionState.SLICED)
    assert until(lambda: "Choosing" in browser.text(f"tr[data-key='{number}']"), 60)
    assert browser.find(box_of).is_selected()
    assert browser.run("return document.activeElement.value") == str(number)
    new = send_part(site.ledger, "new.stl")
    site.ledger.record_event(site.ledger.get(new), EventKind.APPROVED)
    assert waits_for(browser, "1 new: show")
    assert not browser.all(f"tr[data-key='{new}']")
    browser.find("#new-rows").click()
    assert until(lambda: browser.all(f"tr[data-key='{new}']"), 60)


def test_several_are_chosen_and_each_is_checked_again(site: Site, browser: Browser) -> None:
    numbers = [hold_part(site.ledger, f"part {n}.stl") for n in range(4)]
    ready(browser, site, "/")
    browser.run("window.EventSource = null; document.querySelector('#live').click()")  # the page grows old
    boxes = [browser.find(f"tr[data-key='{each}'] input[type=checkbox]") for each in numbers]
    boxes[0].click()
    browser.run(
        "arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true, shiftKey: true}))", boxes[2]
    )
    assert waits_for(browser, "3 chosen:")
    browser.find("form[data-bulk] button[value=reject]").click()
    browser.find("dialog[open] #why").send_keys("not needed")
    assert "Reject 3 parts?" in browser.text("dialog[open] h1")
    assert "part 1.stl" in browser.text("dialog[open]")
    put_in_state(site.ledger, site.ledger.get(numbers[1]), state=SubmissionState.DISPATCHED, hold=None)
    browser.find("dialog[open] button.danger-solid").click()
    assert waits_for(browser, f"2 are rejected. 1 not done: Submission {numbers[1]} is dispatched")
    assert [state_of(site, each) for each in numbers] == [
        SubmissionState.CANCELED, SubmissionState.DISPATCHED, SubmissionState.CANCELED, SubmissionState.HELD,
    ]  # fmt: skip


def test_a_question_that_nobody_answers_says_so(site: Site, browser: Browser) -> None:
    number = hold_part(site.ledger, "bracket.stl")
    ready(browser, site, "/submissions")
    browser.run("window.fetch = () => Promise.reject(new TypeError())")
    browser.find("tr input[name=id]").click()
    browser.find("form[data-bulk] button[value=reject]").click()
    assert waits_for(browser, "The service does not answer.")
    browser.run("document.querySelector('main > .notice').remove()")
    browser.find("#q").send_keys("lid")
    assert waits_for(browser, "The service does not answer.")
    ready(browser, site, "/")
    browser.run("window.fetch = () => Promise.reject(new TypeError())")
    browser.find("button[value=release]").click()
    assert waits_for(browser, "see whether it was done")
    assert state_of(site, number) is SubmissionState.HELD


def test_a_button_says_that_its_session_has_ended(open_site: OpenSite, browser: Browser) -> None:
    site = open_site(console_login=True)
    hold_part(site.ledger, "bracket.stl")
    browser.open(f"{site.url}/login")
    browser.find("#token").send_keys(TOKENS_MADE["Willi"])
    browser.find("button.primary").click()
    ready(browser, site, "/")
    browser.driver.delete_all_cookies()
    browser.find("button[value=release]").click()
    assert waits_for(browser, "Log in first")


def test_what_was_done_replaces_what_was_done_before(site: Site, browser: Browser) -> None:
    hold_part(site.ledger, "bracket.stl")
    ready(browser, site, "/")
    browser.find("#who").send_keys("Anna")
    browser.find("form.who button").click()
    assert waits_for(browser, "Your name in the history is Anna now.")
    browser.find("button[value=release]").click()
    assert waits_for(browser, "is released.")
    assert "Your name in the history is Anna now." not in text(browser)


def test_what_is_said_of_a_search_goes_with_the_next_one(site: Site, browser: Browser) -> None:
    hold_part(site.ledger, "bracket.stl")
    send_part(site.ledger, "lid.stl")
    ready(browser, site, "/submissions")
    browser.find("#q").send_keys("state:hel")
    assert browser.text(".notice").startswith("state: takes progress, checking")
    browser.find("#q").send_keys("d")
    assert until(lambda: browser.texts("a.file") == ["bracket.stl"], 60)
    assert browser.all(".notice") == []
    assert [line for line in browser.complaints() if "400" not in line] == []


def test_the_search_follows_what_is_typed_and_is_in_the_address(site: Site, browser: Browser) -> None:
    hold_part(site.ledger, "bracket.stl")
    send_part(site.ledger, "lid.stl")
    ready(browser, site, "/submissions")
    browser.find("#q").send_keys("brack")
    assert until(lambda: browser.texts("a.file") == ["bracket.stl"], 60)
    assert "q=brack" in browser.driver.current_url
    browser.driver.refresh()
    assert browser.texts("a.file") == ["bracket.stl"]


def test_the_keyboard_alone(site: Site, browser: Browser) -> None:
    for n in range(3):
        hold_part(site.ledger, f"{n}.stl")
    ready(browser, site, "/")
    keys(browser, "j", "j", "x")
    assert waits_for(browser, "1 chosen:")
    assert browser.run("return document.activeElement.textContent") == "1.stl"
    keys(browser, ".")
    assert browser.run("return document.activeElement.value") == "release"
    keys(browser, "?")
    assert "next and previous row" in browser.text("dialog[open]")
    browser.find("dialog[open] [data-close]").click()
    keys(browser, "g", "a")
    assert until(lambda: browser.driver.current_url.endswith("/submissions"), 60)
    assert until(lambda: browser.run("return document.documentElement.dataset.ready") == "yes", 60)
    keys(browser, "/")
    assert browser.run("return document.activeElement.id") == "q"


def test_a_file_dropped_onto_the_page_is_in_the_inbox(site: Site, browser: Browser) -> None:
    inbox = site.settings.share / "inbox"
    inbox.mkdir(parents=True)
    ready(browser, site, "/submissions")
    drop = """
        const files = new DataTransfer();
        files.items.add(new File([new Uint8Array(arguments[0])], arguments[1]));
        for (const kind of ["dragenter", "dragover", "drop"])
            document.body.dispatchEvent(new DragEvent(kind, {bubbles: true, dataTransfer: files}));
    """
    browser.run(drop, list(box(5, 5, 5)), "dropped.stl")
    assert waits_for(browser, "dropped.stl is in the inbox.")
    assert (inbox / "dropped.stl").read_bytes() == box(5, 5, 5)
    browser.run(drop, [1], "notes.txt")
    assert waits_for(browser, "only .stl files are")


def test_each_of_several_dropped_files_is_told_of(site: Site, browser: Browser) -> None:
    (site.settings.share / "inbox").mkdir(parents=True)
    ready(browser, site, "/")
    drop = """
        const files = new DataTransfer();
        for (const name of arguments[1]) files.items.add(new File([new Uint8Array(arguments[0])], name));
        document.dispatchEvent(new DragEvent("drop", {dataTransfer: files}));
    """
    browser.run(drop, list(box(5, 5, 5)), ["notes.txt", "a.stl", "b.stl"])
    assert waits_for(browser, "2 of 3 files are in the inbox. notes.txt is not taken: only .stl files are.")


def test_a_file_that_is_too_large_is_not_even_sent(open_site: OpenSite, browser: Browser) -> None:
    site = open_site(largest_file_mb=1)
    (site.settings.share / "inbox").mkdir(parents=True)
    too_large = "large.stl is larger than 1 MB, the most that is taken."
    ready(browser, site, "/")
    files = """
        const files = new DataTransfer();
        files.items.add(new File([new Uint8Array(2 ** 20 + 1)], "large.stl"));
    """
    browser.run(f"{files} document.dispatchEvent(new DragEvent('drop', {{dataTransfer: files}}));")
    assert waits_for(browser, too_large)
    ready(browser, site, "/drop")
    said = browser.run(f"""
        {files}
        const input = document.getElementById("files");
        input.files = files.files;
        input.dispatchEvent(new Event("change"));
        return [input.validationMessage, input.form.checkValidity()];
    """)
    assert said == [too_large, False]


@pytest.mark.parametrize("megabytes", [2, 300])
def test_what_the_server_says_of_a_file_that_is_too_large_is_shown(
    open_site: OpenSite, browser: Browser, megabytes: int
) -> None:
    """A page that was loaded before the limit was lowered sends it: the server answers and closes."""
    site = open_site(largest_file_mb=1)
    (site.settings.share / "inbox").mkdir(parents=True)
    ready(browser, site, "/")
    browser.run(
        """
        document.body.dataset.largestMb = "1000";
        const files = new DataTransfer();
        files.items.add(new File([new Blob(Array(arguments[0]).fill(new Uint8Array(2 ** 20)))], "large.stl"));
        document.dispatchEvent(new DragEvent("drop", {dataTransfer: files}));
        """,
        megabytes,
    )
    assert waits_for(browser, "The upload is larger than 1 MB, the most that is taken.")
    browser.complaints()


def test_a_dropped_folder_is_named_as_one(site: Site, browser: Browser) -> None:
    (site.settings.share / "inbox").mkdir(parents=True)
    ready(browser, site, "/")
    drop = """
        const entry = {isDirectory: true, name: "rush"}, folder = {webkitGetAsEntry: () => entry};
        const event = new Event("drop");
        event.dataTransfer = {types: ["Files"], items: [folder], files: []};
        document.dispatchEvent(event);
    """
    browser.run(drop)
    assert waits_for(browser, "rush is a folder: drop the files in it.")


def test_the_newest_lines_of_the_log_are_in_sight(site: Site, browser: Browser) -> None:
    log = site.settings.state / "logs" / "stlflow.log"
    log.parent.mkdir()
    log.write_text("".join(f"line {n}\n" for n in range(150)))
    ready(browser, site, "/health")
    below = """
        const log = document.querySelector(".log"), end = document.createRange();
        end.selectNodeContents(log);
        return end.getBoundingClientRect().bottom - log.getBoundingClientRect().bottom;
    """
    assert "line 149" in browser.text(".log")
    assert browser.run(below) <= 0


def test_without_javascript_everything_still_works(site: Site, browser: Browser) -> None:
    number = hold_part(site.ledger, "bracket.stl")
    browser.block_javascript()
    browser.open(f"{site.url}/submissions?q=bracket")
    browser.find("input[name=id]").click()
    browser.find("form[data-bulk] button[value=reject]").click()
    browser.find("#why").send_keys("wrong revision")
    browser.find("#question button.danger-solid").click()
    assert waits_for(browser, f"bracket.stl ({number}) is rejected.")
    assert state_of(site, number) is SubmissionState.CANCELED


def test_a_phone_has_cards_and_buttons_for_thumbs(site: Site, browser: Browser) -> None:
    """Names and reasons are hostile and long: no page is wider than the phone, and nothing of them runs."""
    number = hold_part(site.ledger, f"{'long_name_' * 12}.stl", reason="A side is missing. " * 6)
    hold_part(site.ledger, HOSTILE, reason=HOSTILE)
    browser.resize(360, 740)
    for path in ("/submissions", f"/s/{number}", f"/act?action=reject&id={number}", "/"):
        ready(browser, site, path)
        assert browser.run("return document.documentElement.scrollWidth") <= 360, path
    for button in browser.all(".do .button, .do button"):
        assert button.size["height"] >= 44
    assert browser.run("return getComputedStyle(document.querySelector('tbody tr')).display") == "block"
    assert browser.complaints() == []
