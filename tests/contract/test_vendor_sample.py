"""Programs written as the vendor shows work against the simulator: its sample's calls, its curl line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulator.caller import Caller, calling, cube
from workflow.simulator import SimulatorOptions

PRINTS_A_BUILD = """
import os
import sys
import time

import requests

device_url, build = f"{sys.argv[1]}/devices/{sys.argv[2]}", sys.argv[3]
keys = (os.environ.get("ACCESS_KEY"), os.environ.get("SECRET_KEY"))
meanings = {400: "wrong build or printer", 401: "keys", 404: "no such build or printer", 409: "not ready"}

sent = requests.post(device_url, data={"build": build}, auth=keys)
if sent.status_code != 201:
    sys.exit(meanings.get(sent.status_code, "something went wrong"))
for _ in range(3):
    device = requests.get(device_url, auth=keys).json()
    if device["active_job"]["id"] == sent.json()["id"]:
        break
    time.sleep(2)
else:
    sys.exit("did not make it to the printer")
print("printing")
"""
"""The vendor's published sample, call for call: form-encoded, and `active_job` is read at once."""


def printed(eiger: Caller, device: str, build: str, secret_key: str = "demo") -> str:
    keys = {"ACCESS_KEY": "demo", "SECRET_KEY": secret_key}
    command = [sys.executable, "-c", PRINTS_A_BUILD, eiger.url, device, build]
    ended = subprocess.run(
        command, env={**os.environ, **keys}, capture_output=True, text=True, check=False, timeout=60
    )
    return (ended.stdout + ended.stderr).strip()


def test_the_sample_prints_a_build_and_sees_it_run() -> None:
    with calling() as eiger:
        build = eiger.build()
        assert printed(eiger, eiger.device("Anvil")["id"], build) == "printing"
        (job,) = eiger.control("GET", "world")["print_jobs"]
        assert (job["build_id"], job["asked_for"]) == (build, "print")


@pytest.mark.parametrize(
    ("take_seconds", "ends_with"),
    [(0.0, "printing"), (3600.0, "KeyError: 'active_job'")],
    ids=["at once", "after an hour"],
)
def test_the_sample_relies_on_a_printer_that_shows_its_job_at_once(
    take_seconds: float, ends_with: str
) -> None:
    with calling(SimulatorOptions(slice_seconds=0, take_seconds=take_seconds)) as eiger:
        assert printed(eiger, eiger.device("Anvil")["id"], eiger.build()).endswith(ends_with)


def test_its_statuses_mean_what_it_says() -> None:
    with calling() as eiger:
        build, anvil = eiger.build(), eiger.device("Anvil")["id"]
        assert printed(eiger, eiger.device("Flange")["id"], build) == "wrong build or printer"
        assert printed(eiger, build, build) == "no such build or printer"
        assert printed(eiger, anvil, anvil) == "no such build or printer"
        assert printed(eiger, eiger.device("Dowel")["id"], build) == "not ready"
        assert printed(eiger, anvil, build, secret_key="wrong") == "keys"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_uploads() -> None:
    Path("bracket.stl").write_bytes(cube())
    with calling() as eiger:
        command = [
            "curl",
            "-sS",
            "-u",
            "demo:demo",
            "-F",
            "stlFile=@bracket.stl",
            f"{eiger.url}/parts/upload_stl",
        ]
        reply = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        (version,) = eiger.control("GET", "world")["part_versions"]
    assert version["id"] in reply
    assert version["title"] == "bracket"
