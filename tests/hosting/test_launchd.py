"""The property list for launchd: read back by plistlib; no macOS was at hand."""

import plistlib
from dataclasses import replace
from pathlib import Path

from tests.hosting.test_systemd import PLAN
from workflow.hosting import launchd_commands, launchd_domain, plist_path, render_plist

KNOWN_KEYS = {
    "Label", "ProgramArguments", "WorkingDirectory", "EnvironmentVariables", "RunAtLoad", "KeepAlive",
    "ThrottleInterval", "ExitTimeOut", "Umask", "ProcessType", "StandardErrorPath", "UserName",
}  # fmt: skip
"""Of launchd.plist(5)."""


def test_it_is_a_property_list_with_everything_in_its_place() -> None:
    awkward = replace(PLAN, folder=Path("/Shop & Sons"), variables={"STLFLOW_CONTACT": "Kim <4711>"})
    service = plistlib.loads(render_plist(awkward, "shop").encode())
    assert set(service) == KNOWN_KEYS
    assert service["ProgramArguments"] == ["/opt/stlflow/bin/stlflow", "run"]
    assert service["WorkingDirectory"] == "/Shop & Sons"
    assert service["EnvironmentVariables"]["STLFLOW_CONTACT"] == "Kim <4711>"
    assert service["KeepAlive"] == {"SuccessfulExit": False}
    assert service["UserName"] == "shop"


def test_one_of_ones_own_names_no_account_and_goes_into_the_own_folder() -> None:
    assert "UserName" not in plistlib.loads(render_plist(PLAN, None).encode())
    assert plist_path(None) == Path.home() / "Library" / "LaunchAgents" / "stlflow.plist"
    assert plist_path("shop") == Path("/Library/LaunchDaemons/stlflow.plist")
    assert (launchd_domain(None, 501), launchd_domain("shop", 501)) == ("gui/501", "system")
    assert launchd_commands(PLAN, "shop", 501)[1].startswith("sudo launchctl bootstrap system ")
