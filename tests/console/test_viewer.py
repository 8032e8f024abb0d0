"""The part viewer in a real Chromium: what is orange, red and gray, buttons and keys, and without WebGL."""

import hashlib
from contextlib import closing
from pathlib import Path

import pytest

from tests.console.browser import PATIENCE_SECONDS, Browser
from tests.console.conftest import Site
from tests.mesh.solids import Corners, binary, box, torus
from tests.waiting import until
from workflow.console.viewer_meshes import ViewerMeshes, remove_oldest
from workflow.mesh.inspection import inspect_mesh
from workflow.model import EventKind, SubmissionState

ORANGE = ((170, 90, 0), (255, 170, 60))
RED = ((200, 0, 0), (245, 30, 60))
PALE = ((200, 125, 130), (255, 175, 190))
GRAY = ((80, 86, 92), (190, 204, 218))


def test_a_fault_with_one_part_stops_no_other(tmp_path: Path) -> None:
    """A digest that is none makes a name that no file can have: the thread went on with the next part."""
    part = tmp_path / "part.stl"
    part.write_bytes(binary(box(10)))
    with closing(ViewerMeshes(tmp_path / "viewer")) as meshes:
        with pytest.raises(ValueError, match="null"):
            meshes.find(part, "\0").result(60)
        digest = hashlib.sha256(part.read_bytes()).hexdigest()
        assert meshes.find(part, digest).result(60).is_file()


def submit(site: Site, corners: Corners, path: str = "part.stl") -> int:
    """Put a part into held/ with its report, as the service does."""
    place = site.settings.share / "held" / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(binary(corners))
    return record(site, place, path)


def record(site: Site, place: Path, path: str) -> int:
    number = site.ledger.open(path)
    site.ledger.claimed(number, f"held/{path}")
    report = inspect_mesh(place, path)
    digest = hashlib.sha256(place.read_bytes()).hexdigest()
    site.ledger.record_event(
        site.ledger.get(number), EventKind.HELD, "", mesh=report, sha256=digest, size=place.stat().st_size,
        state=SubmissionState.HELD, reason=report.reason,
    )  # fmt: skip
    return number


def drawn(browser: Browser) -> int:
    return int(browser.find("part-viewer").get_attribute("data-drawn") or 0)


def shown(browser: Browser, site: Site, number: int) -> None:
    browser.open(f"{site.url}/s/{number}/3d")
    assert until(lambda: drawn(browser) > 0, PATIENCE_SECONDS), browser.text("main")


@pytest.mark.browser
def test_a_missing_side_is_orange_inside_with_a_red_rim(site: Site, browser: Browser, tmp_path: Path) -> None:
    number = submit(site, box(60, 40, 20)[2:])
    shown(browser, site, number)
    assert browser.complaints() == []
    whole = browser.screenshot(tmp_path / "whole.png")
    shown(browser, site, number)
    browser.button("Next hole").click()
    assert until(lambda: "near x 30.0 y 20.0 z 0.0 mm" in browser.text(".viewer-status"), 30)
    at_rest(browser)
    hole = browser.screenshot(tmp_path / "hole.png")
    before = browser.count_pixels(whole, orange=ORANGE, red=RED, pale=PALE, gray=GRAY)
    after = browser.count_pixels(hole, orange=ORANGE, red=RED, pale=PALE, gray=GRAY)
    assert before["gray"] > 20_000, before
    assert before["pale"] > 200, "the rim is behind the part, and is shown through it"
    assert after["orange"] > 20_000, after
    assert after["red"] > 1_000, after


def at_rest(browser: Browser) -> None:
    """Wait until nothing is drawn any more: several turns of the browser's clock without a frame."""
    script = """
        const [done] = arguments, viewer = document.querySelector("part-viewer");
        let last = -1, same = 0;
        const look = () => {
          same = viewer.dataset.drawn === last ? same + 1 : 0;
          last = viewer.dataset.drawn;
          if (same > 30) done(last); else requestAnimationFrame(look);
        };
        look();
    """
    browser.driver.set_script_timeout(PATIENCE_SECONDS)
    browser.driver.execute_async_script(script)


@pytest.mark.browser
def test_keys_turn_it_and_it_draws_on_demand_only(site: Site, browser: Browser) -> None:
    browser.prefer(reduced_motion="reduce")
    shown(browser, site, submit(site, torus(60, 30)[3:]))
    at_rest(browser)
    still = drawn(browser)
    canvas = browser.find("part-viewer canvas")
    for key in (
        "n",
        "0",
        "\N{LATIN SMALL LETTER N}",
        "\ue012",
        "\ue013",
        "+",
        "-",
    ):  # arrows: WebDriver's codes
        canvas.send_keys(key)
        assert until(lambda: drawn(browser) > still, 30), key  # noqa: B023
        at_rest(browser)
        assert drawn(browser) == still + 1, f"{key}: one frame, without a flight, as the person prefers"
        still = drawn(browser)
    assert canvas.get_attribute("aria-label").startswith("3D view of part.stl. Arrow keys turn it")
    assert browser.text("ol li").startswith("near x ")


@pytest.mark.browser
def test_on_a_phone_the_picture_comes_first(site: Site, browser: Browser) -> None:
    browser.resize(390, 800)
    number = submit(site, box(60, 40, 20)[2:])
    browser.open(f"{site.url}/s/{number}/3d")
    assert browser.find("part-viewer img").is_displayed()
    browser.button("Show in 3D").click()
    assert until(lambda: drawn(browser) > 0, PATIENCE_SECONDS)
    assert not browser.find("part-viewer img").is_displayed()
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.browser
def test_without_webgl_the_picture_stays(site: Site, browser: Browser) -> None:
    script = "HTMLCanvasElement.prototype.getContext = () => null;"
    made = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        browser.open(f"{site.url}/s/{submit(site, box(60, 40, 20)[2:])}/3d")
        assert until(lambda: "no WebGL2" in browser.text(".viewer-status"), 30)
        assert browser.find("part-viewer img").is_displayed()
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)


def test_the_mesh_is_made_once_and_a_missing_file_is_said(site: Site) -> None:
    number = submit(site, box(60, 40, 20)[2:])
    reply = site.get(f"/s/{number}/mesh")
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/octet-stream")
    assert len(reply.content) > 16 + 36 * 10 + 24 * 4
    (site.settings.share / "held" / "part.stl").unlink()
    assert site.get(f"/s/{number}/mesh").content == reply.content, "it is kept"
    for kept in (site.settings.state / "viewer").iterdir():
        kept.unlink()
    gone = site.get(f"/s/{number}/mesh")
    assert (gone.status_code, gone.text) == (
        404,
        "The file part.stl can't be read: No such file or directory.",
    )
    assert site.get("/s/99/mesh").status_code == 404


def test_another_file_in_its_place_is_not_shown(site: Site) -> None:
    number = submit(site, box(60, 40, 20)[2:])
    (site.settings.share / "held" / "part.stl").write_bytes(binary(box(10, 10, 10)))
    reply = site.get(f"/s/{number}/mesh")
    assert (reply.status_code, reply.text) == (404, "The file has changed since it was inspected.")
    assert list((site.settings.state / "viewer").iterdir()) == []


def test_old_meshes_make_room(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.mesh").write_bytes(bytes(100))
    (tmp_path / "other").write_bytes(bytes(1000))
    remove_oldest(tmp_path, 250)
    assert sorted(each.name for each in tmp_path.iterdir())[-1] == "other"
    assert len(list(tmp_path.glob("*.mesh"))) == 2


def test_what_was_never_inspected_has_words_alone(site: Site) -> None:
    number = site.ledger.open("part.stl")
    site.ledger.claimed(number, "processing/part.stl")
    page = site.get(f"/s/{number}/3d").text
    assert "part-viewer" not in page
    assert "not inspected yet" in page
    assert site.get(f"/s/{number}/mesh").status_code == 404
