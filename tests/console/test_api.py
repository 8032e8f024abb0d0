"""The API keeps what its OpenAPI document promises: every answer and every refusal, for any request."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)

from tests.cli.command import Desk
from tests.console.parts import doubt_send, hold_part, send_part
from tests.free_ports import free_port
from tests.waiting import until
from workflow.console.api import openapi
from workflow.console.entries import ENTRIES
from workflow.ledger import Ledger


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A console with a few submissions; the cloud is not there.

    It has a process of its own: hypothesis refuses a test in whose process anything else draws from `random`
    meanwhile, and servers do.
    """
    desk = Desk(tmp_path_factory.mktemp("api"), "http://127.0.0.1:9/api/v3")
    desk.state.mkdir()
    desk.share.joinpath("inbox").mkdir(parents=True)
    with closing(Ledger(f"sqlite:///{desk.state}/stlflow.db")) as ledger:
        for n in range(3):
            hold_part(ledger, f"{n}.stl")
        send_part(ledger, "sent.stl", "Mark Two left")
        doubt_send(ledger, "doubt.stl")
    port = free_port()
    with desk.serving("console", STLFLOW_CONSOLE_PORT=str(port)) as console:
        assert until(lambda: "Console: " in console.said(), 60), console.said()
        yield f"http://127.0.0.1:{port}"


schema = schemathesis.openapi.from_dict(openapi(ENTRIES))
schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
schema.config.phases.update(phases=["coverage", "fuzzing"])
STEADY = settings(
    deadline=None, derandomize=True, database=None, max_examples=12, suppress_health_check=list(HealthCheck)
)


@schema.parametrize()
@STEADY
def test_any_request_is_answered_as_promised(address: str, case: Case[Any]) -> None:
    """A senseless value may be taken where it does no harm, and words decide about the rest: see 400."""
    case.call_and_validate(
        base_url=address,
        headers={"Content-Type": "application/json"} if case.method == "POST" else None,
        excluded_checks=[negative_data_rejection, positive_data_acceptance, ignored_auth],
        timeout=60,
    )


def test_the_document_names_every_page_and_action(address: str) -> None:
    document = requests.get(f"{address}/api/openapi.json", timeout=60).json()
    for path in ("/api/attention", "/api/submissions", "/api/s/{number}", "/api/mine", "/api/act"):
        assert path in document["paths"]
    rows = requests.get(f"{address}/api/attention", timeout=60).json()["groups"]
    assert {row["hold"] for group in rows for row in group["rows"]} <= {"rule", "send"}
