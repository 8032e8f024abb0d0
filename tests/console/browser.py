"""A real headless Chromium, driven by Debian's chromedriver; tests skip where either is missing."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until

PATIENCE_SECONDS = 60
_COUNT_PIXELS = """
const [picture, rules, done] = arguments;
const image = new Image();
image.onload = () => {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: image.width, height: image.height });
  const paper = canvas.getContext("2d");
  paper.drawImage(image, 0, 0);
  const found = Object.fromEntries(Object.keys(rules).map((name) => [name, 0]));
  const { data } = paper.getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.length; at += 4)
    for (const [name, low, high] of Object.entries(rules).map(([name, range]) => [name, ...range]))
      if ([0, 1, 2].every((of) => low[of] <= data[at + of] && data[at + of] <= high[of])) found[name]++;
  done(found);
};
image.src = `data:image/png;base64,${picture}`;
"""


@dataclass(frozen=True)
class Browser:
    """One window. Everything is waited for, nothing is slept for."""

    driver: Any

    def open(self, url: str) -> None:
        self.driver.get(url)

    def find(self, css: str) -> Any:
        """Return the first element that is found; fails when none appears."""
        found: list[Any] = []

        def is_there() -> bool:
            found[:] = self.all(css)
            return bool(found)

        assert until(is_there, PATIENCE_SECONDS), f"no {css} in {self.driver.page_source[:2000]}"
        return found[0]

    def text(self, css: str) -> str:
        """Return the text of the first element that is found, as `texts` does."""
        self.find(css)
        return next(iter(self.texts(css)), "")

    def all(self, css: str) -> list[Any]:
        return list(self.driver.find_elements("css selector", css))

    def texts(self, css: str) -> list[str]:
        """Return the texts of all elements at one moment: the page may replace them the next."""
        script = "return [...document.querySelectorAll(arguments[0])].map((each) => each.innerText.trim())"
        return list(self.run(script, css))

    def button(self, text: str) -> Any:
        """Return the button with this text."""
        found = [each for each in self.all("button") if each.text == text]
        assert len(found) == 1, [each.text for each in self.all("button")]
        return found[0]

    def run(self, script: str, *given: object) -> Any:
        return self.driver.execute_script(script, *given)

    def resize(self, width: int, height: int) -> None:
        """Set the size of the page itself, whatever the window needs around it; also below 500 pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, **features: str) -> None:
        """Set what the person prefers: `color_scheme="dark"`, `reduced_motion="reduce"`."""
        wanted = [
            {"name": f"prefers-{name.replace('_', '-')}", "value": value} for name, value in features.items()
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})

    def block_javascript(self, *, blocked: bool = True) -> None:
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": blocked})

    def complaints(self) -> list[str]:
        """Return what the browser logged since the last call: errors, and breaches of the CSP."""
        entries = self.driver.get_log("browser")
        return [each["message"] for each in entries if each["level"] == "SEVERE"]

    def screenshot(self, place: Path) -> str:
        """Save a picture of the page; return it as base64."""
        picture = self.driver.get_screenshot_as_base64()
        self.driver.save_screenshot(str(place))
        return str(picture)

    def count_pixels(self, picture: str, **ranges: tuple[tuple[int, int, int], tuple[int, int, int]]) -> Any:
        """Return how many pixels of a screenshot are within each range of RGB. It leaves the page."""
        self.driver.get("about:blank")
        self.driver.set_script_timeout(PATIENCE_SECONDS)
        return self.driver.execute_async_script(_COUNT_PIXELS, picture, ranges)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start Chromium; skips the test, with the reason, where it can't be."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: no browser test")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed: no browser test")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader",
        "--window-size=1200,900", "--force-color-profile=srgb", "--lang=en",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        yield Browser(started)
    finally:
        started.quit()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for all tests of a process: a start takes seconds."""
    with running_browser() as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """A desktop window with the defaults, and nothing remembered."""
    chromium.open("about:blank")  # the page of an earlier test would go on asking its server
    chromium.resize(1200, 900)
    chromium.prefer()
    chromium.block_javascript(blocked=False)
    chromium.driver.delete_all_cookies()
    chromium.complaints()
    return chromium
