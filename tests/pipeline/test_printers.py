"""What routing asks of the printers is stored for those who only look."""

from pathlib import Path

from tests.pipeline.conftest import Open, dispatched, written
from tests.stl import box
from workflow.eiger import Device
from workflow.ledger import Ledger
from workflow.model import LoadedMaterial, PrinterSnapshot, RunningPrint
from workflow.pipeline.context import now
from workflow.pipeline.printers import printer_snapshot, record_printers

TO_A_QUEUE = """
version: 1
intake:
  - {name: all, preset: Onyx}
routing:
  - {name: queue, send_to: device_queue, device: {material: loaded, choose: soonest}}
"""


def test_a_route_to_a_printer_stores_the_state_of_all(open_shop: Open, tmp_path: Path) -> None:
    shop = open_shop(rules=written(tmp_path, TO_A_QUEUE))
    shop.drop("a.stl", box())
    sent = shop.wait("a.stl", dispatched)
    seen = {each.id: each for each in shop.service.ledger.printers.latest()}
    assert seen[str(sent.device_id)].name == sent.device
    assert {each.name for each in seen.values()} == {each["name"] for each in shop.cloud.world()["devices"]}


def test_absent_keys_are_unknown_and_not_zero() -> None:
    moment = now()
    offline = Device(
        id="d", name="Dowel", device_type="Onyx Pro", device_series="Desktop Series", state="Offline"
    )
    assert printer_snapshot(offline, moment) == PrinterSnapshot(
        "d", "Dowel", "Onyx Pro", "Desktop Series", moment, "Offline"
    )


def test_what_a_busy_printer_shows() -> None:
    build = {"id": "b", "title": "bracket", "part_count": 1, "sliced": True}
    device = Device.model_validate(
        {
            "id": "d", "name": "Anvil", "device_type": "Mark Two", "device_series": "Desktop Series",
            "state": "Printing", "queue_length": 12, "queue_estimated_time_seconds": 323757.1,
            "loaded_primary_material": "Onyx", "ccs_primary_remaining": 498.72,
            "loaded_secondary_material": "Carbon Fiber", "ccs_secondary_remaining": 0,
            "active_job": {
                "id": "j", "state": "Printing", "progress": 55,
                "estimated_seconds_remaining": 1500, "build": build,
            },
        }
    )  # fmt: skip
    seen = printer_snapshot(device, now())
    assert seen.running == RunningPrint("j", "bracket", "b", 55.0, 1500.0)
    assert (seen.queue_length, seen.queue_seconds) == (12, 323757.1)
    assert seen.loaded == (
        LoadedMaterial("material", "Onyx", 498.72),
        LoadedMaterial("fiber", "Carbon Fiber"),
    )


def test_a_ledger_that_refuses_stops_nobody(ledger: Ledger, tmp_path: Path) -> None:
    device = Device(id="d", name="Dowel", device_type="Onyx Pro", device_series="Desktop Series")
    record_printers(ledger, [device])
    (tmp_path / "ledger.db").unlink()
    record_printers(ledger, [device])
