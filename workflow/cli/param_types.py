"""Types of command-line values: choices, numbers, points in time, submissions, with did-you-mean."""

import math
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import MAXYEAR, UTC, datetime, time, timedelta, tzinfo
from typing import Any

import click

from workflow.errors import StlflowError
from workflow.suggest import nearest_name, nearest_options

MAX_NUMBER = 2**63 - 1
"""What a database counts up to."""


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """Return the question, with a space before it; nothing when no option is near.

    A part of an option's name is enough: "anvil" for "Mark Two - Anvil".
    """
    meant = nearest_name(word, options)
    return f" Did you mean '{meant}'?" if meant else ""


class OneOf(click.Choice[str]):
    """A choice of words; a wrong word is refused with the nearest one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word. Raises BadParameter."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            meant = did_you_mean(str(value), self.choices)
            self.fail(f"'{value}' is none of {', '.join(self.choices)}.{meant}", param, ctx)


class WholeNumber(click.IntRange):
    """A whole number within bounds; a wrong one is refused in words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or the most that there can be of anything. Raises BadParameter."""
        try:
            return min(super().convert(value, param, ctx), MAX_NUMBER)
        except click.BadParameter:
            self.fail(f"'{value}' is not {_bounds_text('a whole number', self.min, self.max)}.", param, ctx)


class AnyNumber(click.FloatRange):
    """A number within bounds; a wrong one is refused in words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number. Raises BadParameter."""
        number = math.nan
        with suppress(click.BadParameter):
            number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"'{value}' is not {_bounds_text('a number', self.min, self.max)}.", param, ctx)
        return number


def _bounds_text(noun: str, least: float | None, most: float | None) -> str:
    return f"{noun} of {least:g} or more" if most is None else f"{noun} from {least:g} to {most:g}"


_AGO = re.compile(r"(\d{1,6}) ?(min|h|d|w)")
_SECONDS = {"min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DAYS_BACK = {"today": 0, "yesterday": 1}
_FIRST_YEAR = 1971
"""Windows knows no local time before 1970, in any zone; and no submission is older."""
FORMS = "2026-11-28, 2026-11-28T14:30, today, yesterday, 90min, 12h, 3d or 2w"


def parse_moment(text: str, now: datetime, zone: tzinfo | None) -> datetime:
    """Return the moment that a text means, aware; a day is its beginning in the shop. Raises ValueError."""
    word = text.strip().lower()
    if word in _DAYS_BACK:
        day = now.astimezone(zone).date() - timedelta(days=_DAYS_BACK[word])
        return _in_zone(datetime.combine(day, time.min), zone)
    if (ago := _AGO.fullmatch(word)) is not None:
        moment = now - timedelta(seconds=int(ago[1]) * _SECONDS[ago[2]])
    else:
        moment = datetime.fromisoformat(text.strip())
    if not _FIRST_YEAR <= moment.year < MAXYEAR:
        raise ValueError("a year that no clock shows")
    return moment if moment.tzinfo is not None else _in_zone(moment, zone)


def _in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    return moment.replace(tzinfo=zone) if zone is not None else moment.astimezone()


class MomentText(click.ParamType[str]):
    """A point in time; a wrong one is refused with the forms that there are."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text as it was given, once it is known to be a time. Raises BadParameter."""
        try:
            parse_moment(str(value), datetime.now(UTC), UTC)
        except (ValueError, OverflowError):
            self.fail(f"'{value}' is no time. Write {FORMS}.", param, ctx)
        return str(value)


def parse_submission_number(text: str) -> int:
    """Return 17 for 17 or #17; for a file name the error has its number. Raises BadParameter."""
    number = find_submission_number(text)
    if number is not None:
        return number
    raise click.BadParameter(f"'{text}' is no number of a submission.{_submissions_of_file(text)}")


def find_submission_number(text: str) -> int | None:
    """Return 17 for 17 or #17; None for a text that is no number of a submission."""
    digits = text.removeprefix("#")
    is_short = len(digits) <= len(str(MAX_NUMBER))
    if is_short and digits.isascii() and digits.isdigit() and int(digits) <= MAX_NUMBER:
        return int(digits)
    return None


def _submissions_of_file(word: str) -> str:
    """Return a sentence with the submissions of a file of that name, or of the nearest name."""
    from workflow.eiger.response import strip_control_characters

    numbers = _numbers_by_path()
    meant = [path for path in numbers if word in {path, path.rpartition("/")[2]}]
    meant = meant or nearest_options(word, numbers)
    if not meant:
        return " `stlflow list` shows all."
    path = meant[0]
    which = " and ".join(filter(None, [", ".join(numbers[path][:-1]), numbers[path][-1]]))
    return f" {strip_control_characters(path)} is submission {which}."


def _numbers_by_path() -> Mapping[str, Sequence[str]]:
    """Return the submissions of each path, oldest first; none where the ledger can't be asked now."""
    from workflow.assembly import open_ledger
    from workflow.settings import load_settings

    numbers: dict[str, list[str]] = {}
    try:
        with closing(open_ledger(load_settings())) as ledger:
            for submission in reversed(ledger.all()):
                numbers.setdefault(submission.path, []).append(str(submission.id))
    except StlflowError:
        return {}
    return numbers


class ListCommand(click.Command):
    """A list command, which takes no name: the error for a name shows the command that does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options. Raises UsageError."""
        ctx.allow_extra_args = True
        names = super().parse_args(ctx, args)
        if names:
            ctx.fail(
                f"A list takes no name such as '{names[0]}': its options narrow it."
                f"{_show_command_hint(ctx, names[0])}"
            )
        return names


def _show_command_hint(ctx: click.Context, name: str) -> str:
    group = ctx.parent
    if group is None or group.parent is None:
        return _submissions_of_file(name)
    shows = isinstance(group.command, click.Group) and "show" in group.command.commands
    return f" `{group.command_path} show {shlex.quote(name)}` shows one." if shows else ""


submission_argument: Callable[..., Any] = click.argument("number", type=parse_submission_number)
