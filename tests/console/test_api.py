"""The API keeps what its OpenAPI document promises: every answer and every refusal, for any request."""

from collections.abc import Iterator
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

from tests.console.parts import doubt_send, hold_part, send_part
from workflow.console import make_console, open_listener, running_console
from workflow.console.api import openapi
from workflow.console.entries import ENTRIES
from workflow.ledger import Ledger
from workflow.settings import Settings


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A console with a few submissions; the cloud is not there."""
    place = tmp_path_factory.mktemp("api")
    (place / "state").mkdir()
    (place / "share" / "inbox").mkdir(parents=True)
    given = Settings.model_validate(
        {"share": place / "share", "state": place / "state", "eiger_url": "http://127.0.0.1:9/api/v3",
         "access_key": "demo", "secret_key": "demo"}
    )  # fmt: skip
    ledger = Ledger(given.database)
    for n in range(3):
        hold_part(ledger, f"{n}.stl")
    send_part(ledger, "sent.stl", "Mark Two left")
    doubt_send(ledger, "doubt.stl")
    with (
        open_listener("127.0.0.1", 0) as listener,
        running_console(make_console(given, ledger), listener) as url,
    ):
        yield url
    ledger.close()


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
