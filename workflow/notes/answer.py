"""The answer to "what will it take?": print time, material, cost, printer, queue, and when it is ready.

Everything is worked out from what the routing decision has stored: the facts of the build and of the
devices at that moment. Nothing is asked again, and what nobody has said stays unknown.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from urllib.parse import quote

from workflow.errors import SettingsError
from workflow.frozen import frozen
from workflow.model import DecisionRecord, Destination, DeviceFacts, Facts, Submission

EIGER_FIGURE, SHOP_FIGURE = "Eiger's figure", "the shop's prices"
_USD, _HOUR = "USD", "hour"
_PRICE = re.compile(r"(?P<name>[^=]+?)\s*=\s*(?P<price>\d+(?:\.\d+)?)")
_CURRENCY = re.compile(r"[A-Z]{3}")
_PRICES_FORM = "Write it like 'EUR, hour = 4.50, Onyx = 0.25, Carbon Fiber = 2.80', prices per cm³."
_SECONDS_PER_HOUR = 3600
_AMOUNTS = (
    ("build.material", "build.primary_cm3", "material"),
    ("build.fiber", "build.fiber_cm3", "fiber"),
    ("", "build.support_cm3", "support material"),
)
"""Names and amounts of what a build needs; Eiger does not name the support material."""


@frozen
class Prices:
    """What the shop asks: per cm³ of a material, by its name in small letters, and per printer hour."""

    currency: str = ""
    per_hour: float = 0.0
    per_cm3: Mapping[str, float] = field(default_factory=dict)


NO_PRICES = Prices()


@frozen
class Amount:
    """So much of a material; `cm3` None: Eiger names the material and no amount."""

    material: str
    cm3: float | None


@frozen
class Cost:
    """What all copies cost, and whose figure it is. `missing` names a material without a price."""

    amount: float | None
    currency: str
    source: str
    missing: str = ""


@frozen
class Answer:
    """What a person asks of a part; None where nobody has said it. Durations and amounts are of one copy.

    `ready_from` is when the last copy comes out of the printer if everything goes as estimated, `ready_to`
    if the printer's queue is longer than it may seem: later only where Eiger's figures can be read both ways.
    """

    at: datetime
    print_seconds: float | None
    materials: tuple[Amount, ...]
    copies: int = 1
    cost: Cost | None = None
    destination: Destination | None = None
    printer: str | None = None
    jobs_ahead: int | None = None
    ready_from: datetime | None = None
    ready_to: datetime | None = None
    eiger_link: str | None = None
    """The page of the build or part in Eiger, if the shop has set how its address is made."""


LINK_IDS = ("build_id", "part_version_id")
"""What the setting `eiger_link` may have in braces."""


def make_eiger_link(pattern: str, submission: Submission) -> str | None:
    """Return the address of a submission's page in Eiger; None if none can be made."""
    ids = {name: getattr(submission, name) for name in LINK_IDS if f"{{{name}}}" in pattern}
    if not ids or not all(ids.values()):
        return None
    for name, value in ids.items():
        pattern = pattern.replace(f"{{{name}}}", quote(value, safe=""))
    return pattern


def parse_prices(text: str) -> Prices:
    """Return the prices of the setting. Raises SettingsError with how to write them."""
    currency, per_cm3 = "", dict[str, float]()
    for entry in filter(None, (part.strip() for part in text.split(","))):
        found = _PRICE.fullmatch(entry)
        if found is not None:
            per_cm3[found["name"].casefold()] = float(found["price"])
        elif _CURRENCY.fullmatch(entry) and not currency:
            currency = entry
        else:
            raise SettingsError(f"Setting prices: {entry!r} is no price and no currency. {_PRICES_FORM}")
    if per_cm3 and not currency:
        raise SettingsError(f"Setting prices: it names no currency. {_PRICES_FORM}")
    return Prices(currency, per_cm3.pop(_HOUR, 0.0), per_cm3)


def make_answer(
    submission: Submission,
    decided: DecisionRecord,
    prices: Prices,
    changeover_seconds: float,
    eiger_link: str = "",
) -> Answer:
    """Return the answer for a sliced part, as of its routing decision.

    `changeover_seconds` is how long an operator takes to clear the bed and start a print. `eiger_link` is
    the setting of that name.
    """
    facts, copies = decided.facts, submission.copies or 1
    hours = _number(facts, "build.print_hours")
    seconds = None if hours is None else hours * _SECONDS_PER_HOUR
    materials = tuple(_amounts(facts))
    answer = Answer(
        decided.at, seconds, materials, copies,
        _cost(facts, materials, seconds, copies, prices), submission.destination, submission.device,
        eiger_link=make_eiger_link(eiger_link, submission),
    )  # fmt: skip
    counts = Counter(submission.spread_ids) or Counter({submission.device_id or "": copies})
    ready = [
        _with_queue(answer, device, decided.devices or (), changeover_seconds, counts[device.id])
        for device in decided.devices or ()
        if device.id in counts
    ]
    return max(ready, key=lambda each: (each.ready_from or each.at, each.jobs_ahead or 0), default=answer)


def _amounts(facts: Facts) -> Iterator[Amount]:
    for name, amount, otherwise in _AMOUNTS:
        material, cm3 = facts.get(name), _number(facts, amount)
        if material is not None or cm3:
            yield Amount(str(material or otherwise), cm3)


def _cost(
    facts: Facts, materials: Sequence[Amount], seconds: float | None, copies: int, prices: Prices
) -> Cost | None:
    """Return the cost by the shop's prices if it has set any, otherwise Eiger's; None without a source."""
    if not prices.currency:
        usd = _number(facts, "build.cost_usd")
        return None if usd is None else Cost(usd * copies, _USD, EIGER_FIGURE)
    total = 0.0
    for each in materials:
        price = prices.per_cm3.get(each.material.casefold())
        if price is None or each.cm3 is None:
            return Cost(None, prices.currency, SHOP_FIGURE, each.material)
        total += price * each.cm3
    if prices.per_hour and seconds is None:
        return Cost(None, prices.currency, SHOP_FIGURE, "the print time")
    total += prices.per_hour * (seconds or 0.0) / _SECONDS_PER_HOUR
    return Cost(total * copies, prices.currency, SHOP_FIGURE)


def _with_queue(
    answer: Answer,
    device: DeviceFacts,
    devices: Sequence[DeviceFacts],
    changeover_seconds: float,
    copies: int,
) -> Answer:
    """Return the answer with a printer's queue, and when its copies are ready if all times are known."""
    ahead = None if device.queue_length is None else device.queue_length + device.is_busy
    wait = (0.0, 0.0) if answer.destination is Destination.PRINT_NOW else queue_wait(device, devices)
    ready: list[datetime] = []
    starts = (ahead or 0) + copies
    if wait is not None and answer.print_seconds is not None:
        changes = 0.0 if answer.destination is Destination.PRINT_NOW else changeover_seconds * starts
        prints = copies * answer.print_seconds
        ready = [answer.at + timedelta(seconds=each + prints + changes) for each in wait]
    first, last = (ready[0], ready[-1]) if ready else (None, None)
    return replace(answer, jobs_ahead=ahead, ready_from=first, ready_to=last)


def queue_wait(device: DeviceFacts, devices: Sequence[DeviceFacts]) -> tuple[float, float] | None:
    """Return how many seconds of printing are before a new entry of a queue: at least, and at most.

    Eiger does not say whether the time of a queue includes the running print. A printer that prints and has
    nothing queued tells it. Without such a one it may be either way. None where a time is not known.
    """
    queued, running = device.queue_seconds, device.active_seconds
    if queued is None or (device.is_busy and running is None):
        return None
    if not device.is_busy or running is None:
        return queued, queued
    included, added = max(queued, running), queued + running
    match _queue_includes_running(devices):
        case True:
            return included, included
        case False:
            return added, added
    return included, added


def _queue_includes_running(devices: Sequence[DeviceFacts]) -> bool | None:
    for device in devices:
        if device.is_busy and device.active_seconds and device.queue_length == 0:
            return bool(device.queue_seconds)
    return None


def _number(facts: Facts, name: str) -> float | None:
    value = facts.get(name)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


@frozen
class PastPrints:
    """How long earlier parts of about this volume, with the same preset, were estimated to print."""

    count: int
    shortest_seconds: float
    longest_seconds: float


FEWEST_PAST_PRINTS = 3
_VOLUME_FACTOR = 2.0


def find_similar_prints(
    volume_cm3: float | None, past: Sequence[tuple[float | None, float]]
) -> PastPrints | None:
    """Return how long similar parts took. `past` has the volume in cm³ and the print seconds of each.

    None if fewer than three are within half and double the volume: too few to say anything.
    """
    if not volume_cm3:
        return None
    near = sorted(
        seconds
        for volume, seconds in past
        if volume and 1 / _VOLUME_FACTOR <= volume / volume_cm3 <= _VOLUME_FACTOR
    )
    return PastPrints(len(near), near[0], near[-1]) if len(near) >= FEWEST_PAST_PRINTS else None
