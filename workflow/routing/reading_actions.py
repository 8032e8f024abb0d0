"""Reading what a rule does: upload, reject, hold, send; mistakes noted on the page."""

from collections.abc import Sequence

from ruamel.yaml.nodes import Node, ScalarNode

from workflow.model import Destination
from workflow.routing.due import Due, read_due
from workflow.routing.facts import TAG_PREFIX, Kind
from workflow.routing.intervals import read_number
from workflow.routing.page import Nodes, Page, is_text, suggestion
from workflow.routing.reading_device import read_device
from workflow.routing.rulebook import (
    MOST_COPIES,
    ONCE,
    Copies,
    DeviceWish,
    HoldBack,
    Reject,
    Send,
    Subject,
    Upload,
)

INTAKE_ACTIONS = ("preset", "reject", "hold")
ROUTING_ACTIONS = ("send_to", "hold")
SENDING_KEYS = ("due", "device", "otherwise", "copies", "hold_first", "approve_first")
DESTINATIONS = tuple(map(str, Destination))
OTHERWISE = (str(Destination.JOB_REQUEST), str(Destination.BACKLOG), "hold")
_ON_A_DEVICE = frozenset({Destination.DEVICE_QUEUE, Destination.PRINT_NOW})
_DUE_FOR = "a due date is for backlog and job_request"


def read_intake_action(page: Page, rule: Node, nodes: Nodes) -> Upload | Reject | HoldBack | None:
    """Read exactly one of `preset`, `reject` and `hold`."""
    _refuse_without(page, rule, nodes, ("owner", "folder"), "preset", "it is for a rule that uploads")
    match _only_one(page, rule, nodes, INTAKE_ACTIONS):
        case "preset":
            return _read_upload(page, nodes)
        case "reject":
            reason = page.text(nodes["reject"], "`reject`", over_lines=True)
            return None if reason is None else Reject(reason)
        case "hold":
            return _read_hold(page, nodes["hold"])
    return None


def read_routing_action(page: Page, rule: Node, nodes: Nodes) -> Send | HoldBack | None:
    """Read exactly one of `send_to`, with what goes with it, and `hold`."""
    _refuse_without(page, rule, nodes, SENDING_KEYS, "send_to", "it is for a rule that sends")
    match _only_one(page, rule, nodes, ROUTING_ACTIONS):
        case "send_to":
            return _read_send(page, nodes)
        case "hold":
            return _read_hold(page, nodes["hold"])
    return None


def _only_one(page: Page, rule: Node, nodes: Nodes, actions: Sequence[str]) -> str | None:
    """Give the one action that a rule has; none, or more than one, is a mistake."""
    given = [key for key in nodes if key in actions]
    options = ", ".join(f"`{action}`" for action in actions)
    if not given and _every_key_is_known(rule, nodes):
        page.wrong(rule, "this rule does nothing", f"give it one of {options}")
    for more in given[1:]:
        page.wrong(nodes[more], f"a rule does one thing: `{given[0]}` or `{more}`", "make two rules of it")
    return given[0] if len(given) == 1 else None


def _refuse_without(page: Page, rule: Node, nodes: Nodes, keys: Sequence[str], needed: str, why: str) -> None:
    if needed not in nodes and _every_key_is_known(rule, nodes):
        for key in keys:
            if key in nodes:
                page.wrong(nodes[key], f"`{key}` needs `{needed}`", why)


def _every_key_is_known(rule: Node, nodes: Nodes) -> bool:
    """A key that is not known is noted; what seems to be missing may be what it was meant to be."""
    return len(rule.value) == len(nodes)


def _read_hold(page: Page, node: Node, what: str = "`hold`") -> HoldBack | None:
    reason = page.text(node, what, over_lines=True)
    return None if reason is None else HoldBack(reason)


def _read_upload(page: Page, nodes: Nodes) -> Upload | None:
    preset = page.text(nodes["preset"], "`preset`")
    owner = page.text(nodes["owner"], "`owner`") if "owner" in nodes else None
    folder = page.text(nodes["folder"], "`folder`") if "folder" in nodes else None
    if preset is None:
        return None
    page.mention(nodes["preset"], Subject.PRESET, preset)
    if owner is not None:
        page.mention(nodes["owner"], Subject.USER, owner)
    return Upload(preset, owner, folder)


def _read_send(page: Page, nodes: Nodes) -> Send | None:
    word = page.choice(nodes["send_to"], "`send_to`", DESTINATIONS)
    device = read_device(page, nodes["device"]) if "device" in nodes else None
    otherwise = _read_otherwise(page, nodes)
    due = _read_due(page, nodes["due"]) if "due" in nodes else None
    copies = _read_copies(page, nodes["copies"]) if "copies" in nodes else ONCE
    hold_first = _read_hold(page, nodes["hold_first"], "`hold_first`") if "hold_first" in nodes else None
    approve_first = _read_flag(page, nodes["approve_first"]) if "approve_first" in nodes else False
    if word is None:
        return None
    destination = Destination(word)
    if destination in _ON_A_DEVICE:
        _check_device_rule(page, nodes, destination, device, otherwise)
    else:
        for key in ("device", "otherwise"):
            if key in nodes:
                page.wrong(nodes[key], f"`{key}` is not for {word}", "it is for device_queue and print_now")
    why_first = hold_first.reason if hold_first else None
    return Send(destination, due, device, otherwise, copies, why_first, approve_first)


def _check_device_rule(
    page: Page,
    nodes: Nodes,
    destination: Destination,
    device: DeviceWish | None,
    otherwise: Destination | None,
) -> None:
    if device is None:
        page.wrong(nodes["send_to"], f"{destination} needs a `device`", "add `device: {material: loaded}`")
    elif device.state and destination is Destination.PRINT_NOW:
        page.wrong(nodes["device"], "`state` is not for print_now", "only printers that are Ready are taken")
    elif destination is Destination.PRINT_NOW and not device.loaded_material:
        hint = "did you mean `material: loaded`?"
        page.doubtful(nodes["device"], "print_now starts whatever is loaded", hint)
    if "copies" in nodes and destination is Destination.PRINT_NOW:
        page.wrong(nodes["copies"], "`copies` is not for print_now", "a printer takes one build at a time")
    if "due" in nodes and otherwise is None:
        page.wrong(nodes["due"], f"`due` is not for {destination}", f"{_DUE_FOR}, as `otherwise` too")


def _read_otherwise(page: Page, nodes: Nodes) -> Destination | None:
    """`hold` is what happens anyway, and may be said."""
    if "otherwise" not in nodes:
        return None
    word = page.choice(nodes["otherwise"], "`otherwise`", OTHERWISE)
    return None if word in {None, "hold"} else Destination(str(word))


def _read_due(page: Page, node: Node) -> Due | None:
    if not isinstance(node, ScalarNode):
        page.text(node, "`due`")
        return None
    try:
        return read_due(str(node.value))
    except ValueError as error:
        page.wrong(node, str(error))
        return None


def _read_copies(page: Page, node: Node) -> Copies:
    """Read a number, or the name of a tag that is a number."""
    text = str(node.value) if isinstance(node, ScalarNode) else ""
    number = read_number(text)
    if number is not None and number.is_integer() and 1 <= number <= MOST_COPIES:
        return Copies(int(number))
    if text.startswith(TAG_PREFIX):
        return _read_copies_by_tag(page, node, text)
    page.wrong(node, f"`copies` is a whole number from 1 to {MOST_COPIES}, or a tag", "like `tag.qty`")
    return ONCE


def _read_copies_by_tag(page: Page, node: Node, name: str) -> Copies:
    tag = page.tags.get(name)
    if tag is None:
        page.wrong(
            node, f"there is no `{name}`", suggestion(name, page.tags) or "give a pattern under `names`"
        )
    elif tag.kind is not Kind.COUNT:
        page.wrong(node, f"`{name}` is text, and `copies` is a number", "write {…:number} in the pattern")
    return Copies(tag=name)


def _read_flag(page: Page, node: Node) -> bool:
    if isinstance(node, ScalarNode) and not is_text(node) and str(node.value) in {"true", "false"}:
        return str(node.value) == "true"
    page.wrong(node, "`approve_first` is true or false", "write true or false, unquoted")
    return False
