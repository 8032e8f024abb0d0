"""The container file and the compose example: what they name exists, with no more rights than needed."""

import re
import tomllib
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.docs.blocks import ROOT
from workflow.settings import Settings

FOLDER = ROOT / "container"
TEXT = (FOLDER / "Containerfile").read_text("utf-8")
UID = "10001"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load((FOLDER / "compose.yaml").read_text("utf-8"))
    return loaded


def instructions(name: str) -> list[str]:
    joined = re.sub(r"\\\n\s*", " ", TEXT)
    return re.findall(rf"^{name} (.+)$", joined, re.MULTILINE)


def test_everything_that_the_wheel_needs_is_copied() -> None:
    copied = {word for line in instructions("COPY") if "--from" not in line for word in line.split()[:-1]}
    assert all((ROOT / each).exists() for each in copied), copied
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    assert copied >= {*wheel["packages"], *wheel["force-include"], "pyproject.toml", "README.md", "LICENSE"}
    kept = (ROOT / ".containerignore").read_text("utf-8").split()
    assert {f"!{each}" for each in copied} <= set(kept)


def test_it_runs_as_an_account_of_its_own_and_stops_in_time() -> None:
    assert instructions("USER") == [f"{UID}:{UID}"]
    assert instructions("VOLUME") == ['["/state", "/share"]']
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    assert len(instructions("FROM")) == 2
    assert "stlflow status" in instructions("HEALTHCHECK")[0]
    assert instructions("ENTRYPOINT") == ['["stlflow"]']


def test_the_service_of_the_example_has_no_more_rights_than_it_needs(compose: dict[str, Any]) -> None:
    service = compose["services"]["stlflow"]
    assert service["read_only"] is True
    assert service["user"] == f"{UID}:{UID}"
    assert service["cap_drop"] == ["ALL"]
    assert all("size=" in each for each in service["tmpfs"])
    assert service["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert "healthcheck" in compose["services"]["postgres"]
    assert any(each.endswith(":/share") for each in service["volumes"])
    assert any(each.endswith(":/state") for each in service["volumes"])


def test_its_settings_exist_and_its_secrets_are_files(compose: dict[str, Any]) -> None:
    service, secrets = compose["services"]["stlflow"], compose["secrets"]
    names = {
        name for name in (*service["environment"], *service["secrets"]) if name.upper().startswith("STLFLOW_")
    }
    assert {name.upper().removeprefix("STLFLOW_").lower() for name in names} <= set(Settings.model_fields)
    assert service["environment"]["CREDENTIALS_DIRECTORY"] == "/run/secrets"
    used = {name for each in compose["services"].values() for name in each["secrets"]}
    assert used == set(secrets)
    assert all(each["file"].startswith("./secrets/") for each in secrets.values())
