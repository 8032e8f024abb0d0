"""Programs written the vendor's way work against the simulator: its sample's steps, its curl line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulator.caller import Caller, calling, cube

PRINTS_A_BUILD = """
import os, sys, time
import requests

url, device, build = sys.argv[1:]
session = requests.Session()
session.auth = (os.environ["ACCESS_KEY"], os.environ["SECRET_KEY"])
meanings = {400: "wrong build or printer", 401: "keys", 404: "no such build or printer", 409: "not ready"}
sent = session.post(f"{url}/devices/{device}", data={"build": build})
if sent.status_code != 201:
    sys.exit(meanings[sent.status_code])
for _ in range(3):
    time.sleep(2)
    active = session.get(f"{url}/devices/{device}").json()["active_job"]
    if active["id"] == sent.json()["id"]:
        print("printing")
        break
"""


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
