"""Reading which devices may take a build; mistakes noted on the page."""

from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from workflow.routing.globs import Glob
from workflow.routing.intervals import NOT_NEGATIVE, Interval, read_interval, read_number
from workflow.routing.page import Nodes, Page, is_text
from workflow.routing.rulebook import Choose, DeviceWish, Subject

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
CHOICES = tuple(map(str, Choose))
MOST_SPARE_PERCENT = 100
_LOADED = "`material` can only be `loaded`: what the build needs must be in the printer"
_MATERIAL = "to ask for a certain material, write `build.material` under `when`"


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
        queue_hours=_read_limit(page, nodes, "queue_hours"),
        queue_length=_read_limit(page, nodes, "queue_length"),
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


def _read_limit(page: Page, nodes: Nodes, key: str) -> Interval | None:
    if key not in nodes:
        return None
    node = nodes[key]
    text = str(node.value).strip() if isinstance(node, ScalarNode) else ""
    try:
        interval = read_interval(text)
    except ValueError:
        page.wrong(node, f"`{key}` is a number", 'write "< 12", "<= 3" or 0..2')
        return None
    if interval.overlap(NOT_NEGATIVE).is_empty:
        page.wrong(node, f"no queue is `{text}`", "a queue is never shorter than 0")
    return interval
