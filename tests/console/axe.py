"""axe-core, the checker of accessibility, fetched by npm at the time of the test."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.console.browser import PATIENCE_SECONDS, Browser

PACKAGE, MEMBER = "axe-core@4", "package/axe.min.js"
_RUN = """
const [impacts, done] = arguments;
axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => done(
  violations.filter((each) => impacts.includes(each.impact)).map((each) =>
    `${each.impact} ${each.id}: ${each.nodes.slice(0, 5).map((node) => node.target).join("; ")}`)));
"""


class NoAxe(Exception):
    """axe-core can't be had: npm is missing, or does not reach its registry."""


def load_axe(folder: Path) -> str:
    """Return the script, fetched into a folder that keeps it. Raises NoAxe with the reason."""
    npm = shutil.which("npm")
    if npm is None:
        raise NoAxe("npm is not installed")
    kept = sorted(folder.glob("axe-core-*.tgz"))
    if not kept:
        words = [npm, "pack", "--json", PACKAGE]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise NoAxe(f"`npm pack {PACKAGE}` failed: {done.stderr.strip()[-300:]}")
        kept = [folder / json.loads(done.stdout)[0]["filename"]]
    with tarfile.open(kept[-1]) as archive:
        member = archive.extractfile(MEMBER)
        assert member is not None
        return member.read().decode()


def find_violations(browser: Browser, axe: str) -> list[str]:
    """Return what axe finds on the page that is open, serious or critical, with the first places of each."""
    browser.run(axe)
    browser.driver.set_script_timeout(PATIENCE_SECONDS)
    return list(browser.driver.execute_async_script(_RUN, ["serious", "critical"]))
