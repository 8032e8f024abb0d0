"""Eiger as the checkup sees it, over real HTTP: only questions are asked."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.cloud import Cloud, simulated
from tests.doctor.conftest import Look
from workflow.doctor import Grade
from workflow.doctor.cloud import cloud_checks, judge_clock_skew
from workflow.settings import Settings, load_settings

SECRET = "hemmelig-4c1e"
INTAKE = "version: 1\nintake:\n  - name: all\n    preset: {preset}\n"
ROUTING = "routing:\n  - name: rush\n    send_to: device_queue\n    device: {{name: {device}}}\n"
RULES = INTAKE + ROUTING


@pytest.fixture(autouse=True)
def no_faults(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.clear_faults()


@contextmanager
def silent_server() -> Iterator[str]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v3"


def at(url: str, **changes: object) -> Settings:
    """Return settings for a cloud; None leaves one out."""
    given = {
        "eiger_url": url,
        "access_key": "demo",
        "secret_key": "demo",
        "requests_per_second": 500,
        **changes,
    }
    return load_settings(**{name: value for name, value in given.items() if value is not None})


def test_all_is_well_and_nothing_was_changed(look: Look, cloud: Cloud) -> None:
    before = len(cloud.journal())
    seen = look(cloud_checks(at(cloud.url)))
    assert set(seen.grades().values()) == {Grade.OK}
    assert {entry["method"] for entry in cloud.journal()[before:]} == {"GET"}
    assert seen.select("cloud.reach").says.startswith("127.0.0.1 answers after ")
    assert "It has 9 printers (FX20 - Girder, " in seen.select("cloud.access").says
    assert (
        seen.select("cloud.names").says == "Eiger has all that the rules name: 17-4 PH, Desktop Series, Onyx."
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"access_key": None}, "No keys for Eiger: STLFLOW_ACCESS_KEY not set."),
        (
            {"access_key": None, "secret_key": None},
            "No keys for Eiger: STLFLOW_ACCESS_KEY and STLFLOW_SECRET_KEY not set.",
        ),
        ({"access_key": f'"{SECRET}"'}, "STLFLOW_ACCESS_KEY has quotes around it."),
    ],
    ids=["one missing", "both missing", "quotes"],
)
def test_keys_that_can_not_be_right(look: Look, cloud: Cloud, changes: dict[str, object], says: str) -> None:
    before = len(cloud.journal())
    seen = look(cloud_checks(at(cloud.url, **changes)))
    assert (seen.select("cloud.keys").says, seen.select("cloud.keys").exit_code) == (says, 2)
    assert seen.select("cloud.reach").grade is Grade.SKIP
    assert len(cloud.journal()) == before
    assert SECRET not in str(seen)


def test_wrong_keys(look: Look, cloud: Cloud) -> None:
    seen = look(cloud_checks(at(cloud.url, secret_key=SECRET)))
    refused = seen.select("cloud.access")
    assert refused.says.startswith("401: Eiger refuses the access keys. Check STLFLOW_ACCESS_KEY")
    assert (refused.grade, refused.exit_code) == (Grade.FAIL, 3)
    assert seen.select("cloud.reach").grade is Grade.OK
    assert seen.select("cloud.clock").grade is Grade.SKIP
    assert SECRET not in str(seen)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://127.0.0.1:9/api/v3", "No connection to http://127.0.0.1:9/api/v3: is the network up?"),
        ("http://no-such-eiger.invalid/api/v3", "The name no-such-eiger.invalid can't be found: "),
    ],
    ids=["nobody listens", "no such name"],
)
def test_a_cloud_out_of_reach(look: Look, url: str, says: str) -> None:
    seen = look(cloud_checks(at(url)))
    away = seen.select("cloud.reach")
    assert away.says.startswith(says)
    assert (away.grade, away.exit_code) == (Grade.FAIL, 3)
    assert away.fix.startswith("Check ")
    assert seen.select("cloud.access").grade is Grade.SKIP


def test_a_server_that_is_silent_holds_nobody_up(look: Look) -> None:
    with silent_server() as url:
        silent = look(cloud_checks(at(url, request_timeout_seconds=0.2))).select("cloud.reach")
    assert silent.says.startswith(
        "0.2 s without a whole answer to getOrgSettingsPresets from http://127.0.0.1:"
    )
    assert silent.exit_code == 3


def test_a_page_instead_of_the_api(look: Look, cloud: Cloud) -> None:
    elsewhere = look(cloud_checks(at(cloud.url.removesuffix("/api/v3")))).select("cloud.reach")
    assert elsewhere.says.startswith(
        "404: Nothing answers getOrgSettingsPresets there. Does STLFLOW_EIGER_URL end with /api/v3?"
    )


def test_a_proxy_is_named_without_its_password(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("HTTP_PROXY", f"http://shop:{SECRET}@127.0.0.1:9")
        seen = look(cloud_checks(at("http://eiger.example.com/api/v3")))
    assert seen.select("cloud.reach").says.startswith(
        "No connection to http://eiger.example.com/api/v3: the proxy"
    )
    assert "the proxy lets stlflow through" in seen.select("cloud.reach").fix
    assert SECRET not in str(seen)


def test_a_clock_that_is_off(look: Look) -> None:
    with simulated() as cloud:
        requests.post(f"{cloud.control}/clock", json={"advance_seconds": 600}, timeout=60).raise_for_status()
        skewed = look(cloud_checks(at(cloud.url))).select("cloud.clock")
    assert skewed.grade is Grade.FAIL
    assert skewed.says in {
        f"This machine's clock is {seconds} s behind Eiger's. Due dates and times of day are wrong."
        for seconds in (599, 600)
    }
    assert "timedatectl set-ntp true" in skewed.fix


@pytest.mark.parametrize(
    ("ahead", "grade", "says"),
    [
        (None, Grade.OK, "Eiger does not say what time it is."),
        (-1.4, Grade.OK, "This machine's clock agrees with Eiger's."),
        (-45.0, Grade.WARN, "This machine's clock is 45 s ahead of Eiger's."),
        (299.0, Grade.WARN, "This machine's clock is 299 s behind Eiger's."),
    ],
)
def test_how_far_a_clock_may_be_off(ahead: float | None, grade: Grade, says: str) -> None:
    assert (judge_clock_skew(ahead).grade, judge_clock_skew(ahead).says) == (grade, says)


def test_misspelt_presets_and_printers(look: Look, cloud: Cloud) -> None:
    Path("own.yaml").write_text(RULES.format(preset="Onix", device="Mark Two - Anvl"))
    preset, device = look(cloud_checks(at(cloud.url, rules=Path("own.yaml")))).of("cloud.names")
    assert (preset.says, preset.exit_code) == ("own.yaml:4:13: Eiger has no preset `Onix`.", 2)
    assert preset.fix == "Did you mean `Onyx`?"
    assert device.says == "own.yaml:8:20: Eiger has no device `Mark Two - Anvl`."
    assert device.fix == "Did you mean `Mark Two - Anvil`?"


def test_what_the_keys_may_not_read(look: Look, cloud: Cloud) -> None:
    cloud.fault("listPrintJobs", "status", status=403)
    refused = look(cloud_checks(at(cloud.url))).select("cloud.reading")
    assert refused.says.startswith(
        "These keys can't read print jobs: 403: Eiger does not allow listPrintJobs"
    )
    assert refused.exit_code == 3


def test_a_fault_of_the_cloud_is_reported_after_a_second_try(look: Look, cloud: Cloud) -> None:
    cloud.fault("getOrgSettingsPresets", "status", times=2, status=503)
    away = look(cloud_checks(at(cloud.url))).select("cloud.reach")
    assert away.says.startswith("503: Eiger has a fault of its own in getOrgSettingsPresets.")


def test_printers_that_are_all_offline_and_builds_that_need_approval(look: Look) -> None:
    with simulated() as cloud:
        world = requests.get(f"{cloud.url}/devices", auth=("demo", "demo"), timeout=60).json()
        for device in world["items"]:
            cloud.change_device(device["name"], "Offline")
        cloud.approve()
        seen = look(cloud_checks(at(cloud.url)))
    assert seen.select("cloud.devices").says == "No printer of 9 is online."
    assert seen.select("cloud.approvals").says == (
        "Only approved builds may be printed, and these rules do not approve: rush, long prints, "
        "everything else."
    )
