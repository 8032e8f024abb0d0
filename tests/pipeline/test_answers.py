"""The answer of a sent part, against what the simulator's own world says of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from tests.cloud import Cloud, simulated
from tests.pipeline.conftest import Shop, dispatched, opened, written
from tests.stl import box
from workflow.notes import answer_document
from workflow.operations import read_answers

RULES = """\
version: 1
intake:
  - {name: fiber, when: {path: "fiber/**"}, preset: Onyx with carbon fiber}
  - {name: rest, preset: Onyx}
routing:
  - name: bolt
    when: {path: "bolt/**"}
    send_to: device_queue
    device: {name: Mark Two - Bolt}
    copies: 2
  - name: fiber
    when: {path: "fiber/**"}
    send_to: device_queue
    device: {name: Mark Two - Anvil}
  - {name: rest, send_to: backlog}
"""
SHOP = {"timezone": "Europe/Vienna", "changeover_minutes": 5.0}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("answers")
    rules = written(folder, RULES)
    with (
        simulated(quirks=frozenset({"extra-fields"})) as cloud,
        opened(folder, cloud, rules=rules, **SHOP) as shop,
    ):
        yield shop


def build_of(cloud: Cloud, build_id: str) -> dict[str, Any]:
    reply = requests.get(f"{cloud.url}/builds/{build_id}", auth=("demo", "demo"), timeout=30)
    build: dict[str, Any] = reply.json()
    return build


def answer_of(shop: Shop, path: str) -> dict[str, Any]:
    done = shop.wait(path, dispatched, 60)
    return answer_document(read_answers(shop.service.ledger, shop.settings, [done])[done.id])


def test_time_material_cost_queue_and_end_are_those_of_the_world(shop: Shop) -> None:
    before = shop.cloud.device("Mark Two - Bolt")
    assert before["queue_length"] == 2, "the simulator's own shop has work"
    asked_at = datetime.now(UTC)
    shop.drop("bolt/pin.stl", box(43))
    answer = answer_of(shop, "bolt/pin.stl")
    build = build_of(shop.cloud, shop.wait("bolt/pin.stl").build_id or "")
    assert answer["print_seconds"] == pytest.approx(build["estimated_print_seconds"])
    assert answer["materials"] == [{"name": "Onyx", "cm3": build["ccs_primary_required"]}]
    assert answer["cost"] == {
        "amount": pytest.approx(2 * build["standard_costs"]["total"], abs=0.01),
        "currency": "USD",
        "source": "Eiger's figure",
    }
    assert (answer["printer"], answer["copies"], answer["jobs_ahead"]) == ("Mark Two - Bolt", 2, 3)
    starts = timedelta(minutes=5) * 5
    prints = timedelta(seconds=2 * build["estimated_print_seconds"])
    wait = timedelta(seconds=before["queue_estimated_time_seconds"])
    ends = asked_at + wait + prints + starts
    assert abs(datetime.fromisoformat(answer["ready_from"]) - ends) < timedelta(seconds=90)


def test_the_note_has_the_line_and_the_fitting_printers(shop: Shop) -> None:
    shop.drop("fiber/lever.stl", box(44))
    answer = answer_of(shop, "fiber/lever.stl")
    build = build_of(shop.cloud, shop.wait("fiber/lever.stl").build_id or "")
    note = shop.note("done/fiber/lever.stl")
    line = note.split("\nPrint\n  ")[1].partition("\n")[0].split(" · ")
    assert (
        line[1]
        == f"{build['ccs_primary_required']:.1f} cm³ Onyx, {build['ccs_fiber_required']:.1f} cm³ Carbon Fiber"
    )
    assert line[2] == f"about {build['standard_costs']['total']:.2f} USD (Eiger's figure)"
    assert line[3] == "Mark Two - Anvil, no job ahead"
    assert line[4].startswith("ready about ")
    assert line[4].endswith(("CET", "CEST"))
    assert answer["jobs_ahead"] == 0
    assert "\nPrinters  fits " in note


def test_where_an_operator_picks_the_printer_the_note_says_so(shop: Shop) -> None:
    shop.drop("cap.stl", box(45))
    assert answer_of(shop, "cap.stl")["ready_from"] is None
    assert "ready when an operator has printed it" in shop.note("done/cap.stl")
