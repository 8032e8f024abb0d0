"""`@frozen` behaves as `@dataclass(frozen=True, slots=True)` does, and shares what does not differ."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any

import pytest

from workflow.frozen import frozen


@dataclass(frozen=True, slots=True)
class Written:
    """What the standard library makes."""

    name: str
    size: float = 0.0
    secret: str = field(default="s3cret", repr=False)
    seen: list[object] = field(default_factory=list, compare=False)


@frozen
class Made:
    """The same class, made by ours."""

    name: str
    size: float = 0.0
    secret: str = field(default="s3cret", repr=False)
    seen: list[object] = field(default_factory=list, compare=False)


@frozen
class One:
    """One field."""

    size: float


@frozen
class Nothing:
    """No field."""


@frozen
class Larger(One):
    """A field more than its base."""

    unit: str = "mm"


@frozen
class Named:
    """A class with its own text."""

    name: str

    def __repr__(self) -> str:
        """Return the name."""
        return self.name


def repeat(made: Callable[..., Any]) -> tuple[object, ...]:
    """Return what the instances of a class answer to everything that a dataclass has."""
    value, same, other = made("a", 1.5), made("a", 1.5, seen=[1]), made("b")
    return (
        value == same,
        value != same,
        value == other,
        value == ("a", 1.5),
        hash(value) == hash(same),
        len({value, same, other}),
        repr(value).partition("(")[2],
        asdict(value),
        repr(replace(value, size=2.0)).partition("(")[2],
        [each.name for each in fields(value)],
        value.__match_args__,
        hasattr(value, "__dict__"),
        copy.deepcopy(value) == value,
        pickle.loads(pickle.dumps(value)) == value,
    )


def test_it_does_what_a_frozen_dataclass_does() -> None:
    assert repeat(Made) == repeat(Written)


def test_a_value_can_not_be_changed() -> None:
    said = []
    for value in (Written("a"), Made("a")):
        with pytest.raises(FrozenInstanceError) as set_refused:
            setattr(value, "name", "b")  # noqa: B010  # mypy knows that it is frozen
        with pytest.raises(FrozenInstanceError) as removal_refused:
            delattr(value, "name")
        said.append((str(set_refused.value), str(removal_refused.value)))
    assert said[0] == said[1]


def test_a_value_gets_no_further_field() -> None:
    """A dataclass with slots refuses this with a TypeError about `super` (python/cpython#90562)."""
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'no_field'"):
        setattr(Made("a"), "no_field", 1)  # noqa: B010


def test_what_is_no_number_equals_itself() -> None:
    """As in a tuple, and in a dataclass of Python 3.11."""
    nan = float("nan")
    assert One(nan) == One(nan)
    assert One(nan) != One(float("nan"))


def test_classes_of_one_field_and_of_none() -> None:
    assert (One(1), One(1), hash(One(1))) == (One(1.0), One(1), hash(One(1.0)))
    assert One(1) != One(2)
    assert (Nothing(), repr(Nothing()), {Nothing(): 1}) == (Nothing(), "Nothing()", {Nothing(): 1})


def test_a_subclass_is_another_kind_of_value() -> None:
    assert One(1) != Larger(1)
    assert Larger(1) != Larger(1, "inch")
    assert repr(Larger(1)) == "Larger(size=1, unit='mm')"


def test_what_the_class_says_itself_stays() -> None:
    assert repr(Named("bracket")) == "bracket"


def test_a_value_that_holds_itself_can_be_shown() -> None:
    value = Made("a")
    value.seen.append(value)
    assert repr(value) == "Made(name='a', size=0.0, seen=[...])"


def test_the_methods_are_there_once() -> None:
    for name in ("__eq__", "__hash__", "__repr__", "__setattr__", "__delattr__"):
        assert getattr(Made, name) is getattr(Larger, name)
