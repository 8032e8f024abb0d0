"""Read what a rule does (upload, reject, hold, send) and which devices it may use; note the mistakes."""

from collections.abc import Callable, Mapping, Sequence

from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from workflow.model import Destination
from workflow.routing.due import DueDate, parse_due
from workflow.routing.fact_values import parse_flag
from workflow.routing.facts import TAG_PREFIX, Fact, FactKind
from workflow.routing.filename_tags import DATE_SUFFIX, NUMBER_SUFFIX
from workflow.routing.globs import Glob
from workflow.routing.matchers import (
    NOT_NEGATIVE,
    Interval,
    TimeWindow,
    parse_interval,
    parse_number,
    parse_opening,
    parse_time_window,
)
from workflow.routing.parse_patterns import refuse_regular_expression
from workflow.routing.rulebook import (
    MAX_COPIES,
    ONE_COPY,
    Copies,
    DeviceRequirements,
    HoldAction,
    MentionKind,
    RejectAction,
    SelectionPolicy,
    SendAction,
    UploadAction,
)
from workflow.routing.yaml_reader import NodesByKey, YamlReader, is_text_node, suggest_option

DEVICE_KEYS = (
    "name",
    "series",
    "type",
    "state",
    "material",
    "spare_percent",
    "queue_hours",
    "queue_length",
    "choose",
)
CHOICES = tuple(map(str, SelectionPolicy))
MAX_SPARE_PERCENT = 100
_LOADED = "`material` can only be `loaded`: what the build needs must be in the printer"
_MATERIAL = "to ask for a certain material, write `build.material` under `when`"


def parse_device_requirements(page: YamlReader, node: Node) -> DeviceRequirements:
    """Read which devices may take a build; what can't be read is left open, and noted."""
    by_name = f"write `device: {{name: {node.value}}}`" if isinstance(node, ScalarNode) else ""
    nodes = page.group(node, "`device`", DEVICE_KEYS, hint=by_name)
    chosen = page.choice(nodes["choose"], "`choose`", CHOICES) if "choose" in nodes else None
    if "spare_percent" in nodes and "material" not in nodes:
        page.wrong(nodes["spare_percent"], "`spare_percent` needs `material: loaded`")
    return DeviceRequirements(
        name=_parse_globs(page, nodes, "name", MentionKind.DEVICE),
        series=_parse_globs(page, nodes, "series", MentionKind.SERIES),
        type=_parse_globs(page, nodes, "type", MentionKind.TYPE),
        state=_parse_globs(page, nodes, "state", MentionKind.STATE),
        loaded_material=_parse_loaded_material(page, nodes),
        spare_percent=_parse_spare_percent(page, nodes),
        choose=SelectionPolicy(chosen or SelectionPolicy.SOONEST),
        queue_hours=_parse_queue_limit(page, nodes, "queue_hours"),
        queue_length=_parse_queue_limit(page, nodes, "queue_length"),
    )


def _parse_globs(page: YamlReader, nodes: NodesByKey, key: str, subject: MentionKind) -> tuple[Glob, ...]:
    if key not in nodes:
        return ()
    node = nodes[key]
    items = page.items(node, f"`{key}`") if isinstance(node, SequenceNode) else [node]
    patterns = [(item, page.text(item, f"`{key}`")) for item in items]
    for item, pattern in patterns:
        if pattern is not None and not refuse_regular_expression(page, item, pattern):
            page.add_mention(item, subject, pattern)
    return tuple(Glob(pattern) for _, pattern in patterns if pattern is not None)


def parse_notify(page: YamlReader, nodes: NodesByKey) -> tuple[str, ...]:
    """Return the names under `notify`, one or a list."""
    if "notify" not in nodes:
        return ()
    node = nodes["notify"]
    items = page.items(node, "`notify`") if isinstance(node, SequenceNode) else [node]
    return tuple(name for item in items if (name := page.text(item, "`notify`")) is not None)


def _parse_loaded_material(page: YamlReader, nodes: NodesByKey) -> bool:
    if "material" not in nodes:
        return False
    node = nodes["material"]
    if isinstance(node, ScalarNode) and is_text_node(node) and str(node.value) == "loaded":
        return True
    page.wrong(node, _LOADED, _MATERIAL)
    return False


def _parse_spare_percent(page: YamlReader, nodes: NodesByKey) -> float:
    if "spare_percent" not in nodes:
        return 0.0
    node = nodes["spare_percent"]
    number = parse_number(str(node.value)) if isinstance(node, ScalarNode) else None
    if number is None or not 0 <= number <= MAX_SPARE_PERCENT:
        page.wrong(node, f"`spare_percent` is a number from 0 to {MAX_SPARE_PERCENT}", "10 means 10 % more")
        return 0.0
    return number


def _parse_queue_limit(page: YamlReader, nodes: NodesByKey, key: str) -> Interval | None:
    if key not in nodes:
        return None
    node = nodes[key]
    text = str(node.value).strip() if isinstance(node, ScalarNode) else ""
    try:
        interval = parse_interval(text)
    except ValueError:
        page.wrong(node, f"`{key}` is a number", 'write "< 12", "<= 3" or 0..2')
        return None
    if interval.intersect(NOT_NEGATIVE).is_empty:
        page.wrong(node, f"no queue is `{text}`", "a queue is never shorter than 0")
    return interval


INTAKE_ACTIONS = ("preset", "reject", "hold")
ROUTING_ACTIONS = ("send_to", "hold")
_WINDOWS: Mapping[str, tuple[Callable[[str], TimeWindow], str, str]] = {
    "not_before": (parse_opening, "a time of day", 'write "17:00"'),
    "send_between": (parse_time_window, "a window", "write 17:00..06:00"),
}
"""What reads each, what it is, and an example."""
SENDING_KEYS = (
    "due", "device", "otherwise", "copies", "spread", "hold_first", "approve_first", "follow",
    *_WINDOWS,
)  # fmt: skip
DESTINATIONS = tuple(map(str, Destination))
OTHERWISE = (str(Destination.JOB_REQUEST), str(Destination.BACKLOG), "hold")
_DEVICE_DESTINATIONS = frozenset({Destination.DEVICE_QUEUE, Destination.PRINT_NOW})


def parse_intake_action(
    page: YamlReader, rule: Node, nodes: NodesByKey
) -> UploadAction | RejectAction | HoldAction | None:
    """Read exactly one of `preset`, `reject` and `hold`."""
    _require_companion_key(page, rule, nodes, ("owner", "folder"), "preset", "it is for a rule that uploads")
    match _require_one_action(page, rule, nodes, INTAKE_ACTIONS):
        case "preset":
            return _parse_upload(page, nodes)
        case "reject":
            reason = page.text(nodes["reject"], "`reject`", over_lines=True)
            return None if reason is None else RejectAction(reason)
        case "hold":
            return _parse_hold(page, nodes["hold"])
    return None


def parse_routing_action(page: YamlReader, rule: Node, nodes: NodesByKey) -> SendAction | HoldAction | None:
    """Read exactly one of `send_to`, with what goes with it, and `hold`."""
    _require_companion_key(page, rule, nodes, SENDING_KEYS, "send_to", "it is for a rule that sends")
    match _require_one_action(page, rule, nodes, ROUTING_ACTIONS):
        case "send_to":
            return _parse_send(page, nodes)
        case "hold":
            return _parse_hold(page, nodes["hold"])
    return None


def _require_one_action(
    page: YamlReader, rule: Node, nodes: NodesByKey, actions: Sequence[str]
) -> str | None:
    """Return the one action of a rule; none, or more than one, is a mistake."""
    given = [key for key in nodes if key in actions]
    options = ", ".join(f"`{action}`" for action in actions)
    if not given and _every_key_is_known(rule, nodes):
        page.wrong(rule, "this rule does nothing", f"give it one of {options}")
    for more in given[1:]:
        page.wrong(nodes[more], f"a rule does one thing: `{given[0]}` or `{more}`", "make two rules of it")
    return given[0] if len(given) == 1 else None


def _require_companion_key(
    page: YamlReader, rule: Node, nodes: NodesByKey, keys: Sequence[str], needed: str, why: str
) -> None:
    if needed not in nodes and _every_key_is_known(rule, nodes):
        for key in keys:
            if key in nodes:
                page.wrong(nodes[key], f"`{key}` needs `{needed}`", why)


def _every_key_is_known(rule: Node, nodes: NodesByKey) -> bool:
    """True if no key is unknown: an unknown key may be a misspelling of the one that seems to be missing."""
    return len(rule.value) == len(nodes)


def _parse_hold(page: YamlReader, node: Node, what: str = "`hold`") -> HoldAction | None:
    reason = page.text(node, what, over_lines=True)
    return None if reason is None else HoldAction(reason)


def _parse_upload(page: YamlReader, nodes: NodesByKey) -> UploadAction | None:
    preset = page.text(nodes["preset"], "`preset`")
    owner = page.text(nodes["owner"], "`owner`") if "owner" in nodes else None
    folder = page.text(nodes["folder"], "`folder`") if "folder" in nodes else None
    if preset is None:
        return None
    page.add_mention(nodes["preset"], MentionKind.PRESET, preset)
    if owner is not None:
        page.add_mention(nodes["owner"], MentionKind.USER, owner)
    return UploadAction(preset, owner, folder)


def _parse_send(page: YamlReader, nodes: NodesByKey) -> SendAction | None:
    word = page.choice(nodes["send_to"], "`send_to`", DESTINATIONS)
    device = parse_device_requirements(page, nodes["device"]) if "device" in nodes else None
    otherwise = _parse_otherwise(page, nodes)
    due = _parse_due_node(page, nodes["due"]) if "due" in nodes else None
    copies = _parse_copies(page, nodes["copies"]) if "copies" in nodes else ONE_COPY
    hold_first = _parse_hold(page, nodes["hold_first"], "`hold_first`") if "hold_first" in nodes else None
    approve_first = _parse_sending_flag(page, nodes, "approve_first")
    spread = _parse_sending_flag(page, nodes, "spread")
    follow = _parse_sending_flag(page, nodes, "follow") if "follow" in nodes else None
    window = _parse_window(page, nodes)
    if word is None:
        return None
    destination = Destination(word)
    if destination in _DEVICE_DESTINATIONS:
        _check_device_rule(page, nodes, destination, device)
    else:
        for key in ("device", "otherwise", "spread"):
            if key in nodes:
                page.wrong(nodes[key], f"`{key}` is not for {word}", "it is for device_queue and print_now")
    why_first = hold_first.reason if hold_first else None
    return SendAction(
        destination, due, device, otherwise, copies, why_first, approve_first, window, spread, follow
    )  # fmt: skip


def _check_device_rule(
    page: YamlReader,
    nodes: NodesByKey,
    destination: Destination,
    device: DeviceRequirements | None,
) -> None:
    if device is None:
        page.wrong(nodes["send_to"], f"{destination} needs a `device`", "add `device: {material: loaded}`")
    elif device.state and destination is Destination.PRINT_NOW:
        page.wrong(nodes["device"], "`state` is not for print_now", "only printers that are Ready are taken")
    elif destination is Destination.PRINT_NOW and not device.loaded_material:
        hint = "did you mean `material: loaded`?"
        page.add_warning(nodes["device"], "print_now starts whatever is loaded", hint)
    if "copies" in nodes and destination is Destination.PRINT_NOW:
        page.wrong(nodes["copies"], "`copies` is not for print_now", "a printer takes one build at a time")


def _parse_otherwise(page: YamlReader, nodes: NodesByKey) -> Destination | None:
    """Return None for `hold`: it is the default, and may be written."""
    if "otherwise" not in nodes:
        return None
    word = page.choice(nodes["otherwise"], "`otherwise`", OTHERWISE)
    return None if word in {None, "hold"} else Destination(str(word))


def _parse_due_node(page: YamlReader, node: Node) -> DueDate | None:
    if not isinstance(node, ScalarNode):
        page.text(node, "`due`")
        return None
    try:
        due = parse_due(str(node.value))
    except ValueError as error:
        page.wrong(node, str(error))
        return None
    if due.tag is not None:
        _require_tag(page, node, due.tag, FactKind.DATE, f"`due` is a date: write {{…{DATE_SUFFIX}}}")
    return due


def _parse_window(page: YamlReader, nodes: NodesByKey) -> TimeWindow | None:
    """Return the time of day in which builds are sent; None for always."""
    given = [key for key in _WINDOWS if key in nodes]
    if len(given) > 1:
        page.wrong(nodes[given[1]], "`not_before` and `send_between` exclude each other", "keep one of them")
    for key in given:
        node = nodes[key]
        text = str(node.value) if isinstance(node, ScalarNode) else ""
        read, what, hint = _WINDOWS[key]
        try:
            return read(text)
        except ValueError as error:
            page.wrong(node, f"`{key}` is {what}, and {error}", hint)
    return None


def _parse_copies(page: YamlReader, node: Node) -> Copies:
    """Read a number, or the name of a tag that is a number."""
    text = str(node.value) if isinstance(node, ScalarNode) else ""
    number = parse_number(text)
    if number is not None and number.is_integer() and 1 <= number <= MAX_COPIES:
        return Copies(int(number))
    if text.startswith(TAG_PREFIX):
        _require_tag(page, node, text, FactKind.COUNT, f"`copies` is a number: write {{…{NUMBER_SUFFIX}}}")
        return Copies(tag=text)
    page.wrong(node, f"`copies` is a whole number from 1 to {MAX_COPIES}, or a tag", "like `tag.qty`")
    return ONE_COPY


def describe_tag_kind(tag: Fact) -> str:
    """Return what a tag is, in words."""
    return {FactKind.COUNT: "a number", FactKind.DATE: "a date"}.get(tag.kind, "text")


def _require_tag(page: YamlReader, node: Node, name: str, kind: FactKind, needs: str) -> None:
    """Note a tag that no pattern has, or that is of another kind."""
    tag = page.tags.get(name)
    if tag is None:
        hint = suggest_option(name, page.tags) or "write a pattern with it under `names`"
        page.wrong(node, f"there is no `{name}`", hint)
    elif tag.kind is not kind:
        page.wrong(
            node,
            f"`{name}` is {describe_tag_kind(tag)}, and {needs.partition(':')[0]}",
            f"{needs.partition(': ')[2]} in the pattern",
        )


def _parse_sending_flag(page: YamlReader, nodes: NodesByKey, key: str) -> bool:
    """Return what a flag says; false where it is not given."""
    if key not in nodes:
        return False
    node = nodes[key]
    flag = parse_flag(str(node.value)) if isinstance(node, ScalarNode) and not is_text_node(node) else None
    if flag is None:
        page.wrong(node, f"`{key}` is true or false", "write true or false, unquoted")
    elif key == "spread" and flag and "copies" not in nodes:
        page.wrong(node, "`spread` needs `copies`", "it deals several copies over the printers that qualify")
    return bool(flag)
