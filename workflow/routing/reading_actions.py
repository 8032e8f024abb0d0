"""Reading what a rule does: upload, reject, hold, send, and which device; mistakes noted on the page."""

from collections.abc import Sequence

from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from workflow.model import Destination
from workflow.routing.due import Due, read_due
from workflow.routing.globs import Glob
from workflow.routing.intervals import read_number
from workflow.routing.page import Nodes, Page, is_text
from workflow.routing.rulebook import Choose, DeviceWish, HoldBack, Reject, Send, Subject, Upload

INTAKE_ACTIONS = ("preset", "reject", "hold")
ROUTING_ACTIONS = ("send_to", "hold")
DEVICE_KEYS = ("name", "series", "type", "state", "material", "spare_percent", "choose")
DESTINATIONS = tuple(map(str, Destination))
OTHERWISE = (str(Destination.JOB_REQUEST), str(Destination.BACKLOG), "hold")
CHOICES = tuple(map(str, Choose))
MOST_SPARE_PERCENT = 100
_ON_A_DEVICE = frozenset({Destination.DEVICE_QUEUE, Destination.PRINT_NOW})
_LOADED = "`material` can only be `loaded`: what the build needs must be in the printer"
_MATERIAL = "to ask for a certain material, write `build.material` under `when`"
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
    _refuse_without(
        page, rule, nodes, ("due", "device", "otherwise"), "send_to", "it is for a rule that sends"
    )
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


def _read_hold(page: Page, node: Node) -> HoldBack | None:
    reason = page.text(node, "`hold`", over_lines=True)
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
    if word is None:
        return None
    destination = Destination(word)
    if destination in _ON_A_DEVICE:
        _check_device_rule(page, nodes, destination, device, otherwise)
    else:
        for key in ("device", "otherwise"):
            if key in nodes:
                page.wrong(nodes[key], f"`{key}` is not for {word}", "it is for device_queue and print_now")
    return Send(destination, due, device, otherwise)


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


def read_device(page: Page, node: Node) -> DeviceWish:
    """Read which devices may take a build; what can't be read is left open, and noted."""
    by_name = f"write `device: {{name: {node.value}}}`" if isinstance(node, ScalarNode) else ""
    nodes = page.group(node, "`device`", DEVICE_KEYS, hint=by_name)
    chosen = page.choice(nodes["choose"], "`choose`", CHOICES) if "choose" in nodes else None
    if "spare_percent" in nodes and "material" not in nodes:
        page.wrong(nodes["spare_percent"], "`spare_percent` needs `material: loaded`")
    return DeviceWish(
        name=_read_globs(page, nodes, "name", Subject.DEVICE),
        series=_read_globs(page, nodes, "series", Subject.SERIES),
        type=_read_globs(page, nodes, "type"),
        state=_read_globs(page, nodes, "state"),
        loaded_material=_read_loaded(page, nodes),
        spare_percent=_read_spare(page, nodes),
        choose=Choose(chosen or Choose.SOONEST),
    )


def _read_globs(page: Page, nodes: Nodes, key: str, subject: Subject | None = None) -> tuple[Glob, ...]:
    if key not in nodes:
        return ()
    node = nodes[key]
    items = page.items(node, f"`{key}`") if isinstance(node, SequenceNode) else [node]
    patterns = [(item, page.text(item, f"`{key}`")) for item in items]
    for item, pattern in patterns:
        if subject is not None and pattern is not None:
            page.mention(item, subject, pattern)
    return tuple(Glob(pattern) for _, pattern in patterns if pattern is not None)


def _read_loaded(page: Page, nodes: Nodes) -> bool:
    if "material" not in nodes:
        return False
    node = nodes["material"]
    if isinstance(node, ScalarNode) and is_text(node) and str(node.value) == "loaded":
        return True
    page.wrong(node, _LOADED, _MATERIAL)
    return False


def _read_spare(page: Page, nodes: Nodes) -> float:
    if "spare_percent" not in nodes:
        return 0.0
    node = nodes["spare_percent"]
    number = read_number(str(node.value)) if isinstance(node, ScalarNode) else None
    if number is None or not 0 <= number <= MOST_SPARE_PERCENT:
        page.wrong(node, f"`spare_percent` is a number from 0 to {MOST_SPARE_PERCENT}", "10 means 10 % more")
        return 0.0
    return number
