"""Reading the devices of an owner's own test; mistakes noted on the page."""

from ruamel.yaml.nodes import Node, ScalarNode

from workflow.model import DeviceFacts
from workflow.routing.intervals import read_number
from workflow.routing.page import Nodes, Page

TEXTS = ("name", "type", "series", "state", "material", "fiber")
AMOUNTS = ("primary_cm3", "fiber_cm3", "queue_hours", "queue_length")
FLEET_KEYS = (*TEXTS, *AMOUNTS)
_SECONDS_PER_HOUR = 3600
_STATE = "Ready"


def read_devices(page: Page, node: Node) -> tuple[DeviceFacts, ...]:
    """Read the entries under `devices`; a device is Ready unless it says otherwise."""
    return tuple(_read_device(page, item) for item in page.items(node, "`devices`"))


def _read_device(page: Page, node: Node) -> DeviceFacts:
    nodes = page.group(node, "a device", FLEET_KEYS)
    texts = {key: page.text(nodes[key], f"`{key}`") for key in TEXTS if key in nodes}
    amounts = {key: _read_amount(page, nodes, key) for key in AMOUNTS}
    if nodes and "name" not in nodes:
        page.wrong(node, "this device has no `name`", "add `name: …`")
    name, hours, length = texts.get("name") or "", amounts["queue_hours"], amounts["queue_length"]
    return DeviceFacts(
        id=name,
        name=name,
        type=texts.get("type") or "Unknown",
        series=texts.get("series") or "Unknown",
        state=texts.get("state") or _STATE,
        material=texts.get("material"),
        fiber=texts.get("fiber"),
        primary_remaining_cm3=amounts["primary_cm3"],
        fiber_remaining_cm3=amounts["fiber_cm3"],
        queue_seconds=None if hours is None else hours * _SECONDS_PER_HOUR,
        queue_length=None if length is None else int(length),
    )


def _read_amount(page: Page, nodes: Nodes, key: str) -> float | None:
    if key not in nodes:
        return None
    node = nodes[key]
    number = read_number(str(node.value)) if isinstance(node, ScalarNode) else None
    if number is None or number < 0:
        page.wrong(node, f"`{key}` is a number, not below 0", "like 2.5")
    return number
