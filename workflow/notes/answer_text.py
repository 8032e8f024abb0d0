"""The answer in words: one line for notes and tables, a document for scripts."""

from datetime import timedelta, tzinfo

from workflow.errors import format_count
from workflow.model import Destination
from workflow.notes.answer import Answer, Cost, PastPrints

_SECONDS_PER_MINUTE = 60


def answer_line(answer: Answer, zone: tzinfo | None) -> str:
    """Return the answer as one line: `1 h 45 min · 12.4 cm³ Onyx · … · ready about Fri 27 Nov 16:40 CET`."""
    return " · ".join(filter(None, (
        print_time_text(answer), materials_text(answer), _cost_text(answer.cost), _printer_text(answer),
        ready_text(answer, zone),
    )))  # fmt: skip


def print_time_text(answer: Answer) -> str:
    """Return the print time of all copies: `3 × 1 h 45 min`."""
    if answer.print_seconds is None:
        return "print time unknown"
    one = duration_text(answer.print_seconds)
    return one if answer.copies == 1 else f"{answer.copies} × {one}"


def duration_text(seconds: float) -> str:
    """Return a duration in days, hours and minutes: `1 h 45 min`."""
    minutes = max(round(seconds / _SECONDS_PER_MINUTE), 1)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def materials_text(answer: Answer) -> str:
    """Return what one copy needs: `12.4 cm³ Onyx, 3.1 cm³ Carbon Fiber`."""
    needed = ", ".join(
        f"{each.material}, amount unknown" if each.cm3 is None else f"{_cm3(each.cm3)} {each.material}"
        for each in answer.materials
    )
    if not needed:
        return "material unknown"
    return needed if answer.copies == 1 else f"{needed} each"


def _cm3(volume: float) -> str:
    return f"{volume:.{1 if volume >= 1 else 2}f} cm³"


def _cost_text(cost: Cost | None) -> str:
    if cost is None:
        return ""
    if cost.amount is None:
        return f"cost unknown: no price or amount of {cost.missing}"
    return f"about {cost.amount:,.2f} {cost.currency} ({cost.source})"


def _printer_text(answer: Answer) -> str:
    if answer.printer is None:
        return ""
    if answer.destination is Destination.PRINT_NOW:
        return answer.printer
    if answer.jobs_ahead is None:
        return f"{answer.printer}, its queue is not known"
    ahead = format_count(answer.jobs_ahead, "job") if answer.jobs_ahead else "no job"
    return f"{answer.printer}, {ahead} ahead"


def ready_text(answer: Answer, zone: tzinfo | None) -> str:
    """Return when the part is ready, in the shop's time; a range where Eiger's figures leave one."""
    if answer.destination in {Destination.BACKLOG, Destination.JOB_REQUEST}:
        return "ready when an operator has printed it"
    if answer.ready_from is None or answer.ready_to is None:
        return "ready: unknown" if answer.destination is not None else ""
    first, last = (moment.astimezone(zone) for moment in (answer.ready_from, answer.ready_to))
    if last - first < timedelta(minutes=1):
        return f"ready about {first:%a %d %b %H:%M %Z}"
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%a %d %b %H:%M}"
    return f"ready about {first:%a %d %b %H:%M} to {end} {last:%Z}"


def answer_document(answer: Answer) -> dict[str, object]:
    """Return the answer for scripts: numbers with their units, times in UTC, null for what is unknown."""
    cost = answer.cost
    return {
        "estimated_at": answer.at.isoformat(),
        "print_seconds": answer.print_seconds,
        "copies": answer.copies,
        "materials": [{"name": each.material, "cm3": each.cm3} for each in answer.materials],
        "cost": None if cost is None else {
            "amount": None if cost.amount is None else round(cost.amount, 2),
            "currency": cost.currency, "source": cost.source,
        },
        "printer": answer.printer,
        "jobs_ahead": answer.jobs_ahead,
        "ready_from": answer.ready_from and answer.ready_from.isoformat(),
        "ready_to": answer.ready_to and answer.ready_to.isoformat(),
        "eiger_link": answer.eiger_link,
    }  # fmt: skip


def past_prints_text(past: PastPrints | None) -> str:
    """Return what earlier parts say of this one's print time; empty if nothing."""
    if past is None:
        return ""
    shortest, longest = duration_text(past.shortest_seconds), duration_text(past.longest_seconds)
    took = shortest if shortest == longest else f"{shortest} to {longest}"
    return f"{past.count} earlier parts of about this size with this preset take {took}"
