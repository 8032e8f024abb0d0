"""Numbers in text are exactly what Python reads, or refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mesh.effort import IN_MEMORY
from workflow.mesh.decimals import PADDING, read_decimal, read_decimals

FORMS = ("%g", "%f", "%e", "%.9g", "%.17g", "%.3f", "%.0f", "%+.2f", "%.15e", "%r", "%012.4f")


def read(*words: str) -> list[float]:
    lengths = np.array([len(word) for word in words])
    ends = PADDING + np.cumsum(lengths + 1) - 1
    text = np.frombuffer(b" " * PADDING + " ".join(words).encode() + b" ", np.uint8)
    return [float(number) for number in read_decimals(text, ends - lengths, ends)]


@IN_MEMORY
@given(
    st.lists(st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(FORMS)), min_size=1)
)
def test_as_python_reads_them(numbers: list[tuple[float, str]]) -> None:
    words = [form % number for number, form in numbers]
    assert read(*words) == [float(word) for word in words]


@IN_MEMORY
@given(st.from_regex(r"[+-]?([0-9]{1,20}\.?[0-9]{0,20}|\.[0-9]{1,20})(e[+-]?[0-9]{1,3})?", fullmatch=True))
def test_every_spelling(word: str) -> None:
    assert read(word) == [float(word)]
    assert read_decimal(word.encode()) == float(word)


@pytest.mark.parametrize(
    "word", ["0", "-0", "5.", ".5", "-.5e-3", "9007199254740993", "1e22", "1e+23", "1e-400"]
)
def test_borders(word: str) -> None:
    assert read("7", word, "8") == [7, float(word), 8]


@pytest.mark.parametrize("word", ["nan", "-nan(ind)", "-1.#ind", "1.#qnan0"])
def test_not_a_number_is_read_as_such(word: str) -> None:
    assert math.isnan(read("1", word)[1])


@pytest.mark.parametrize(
    "word",
    [
        "-",
        ".",
        "-.",
        "1.2.3",
        "12345678.9.1",
        ".000000.0000",
        "0,5",
        "1_0",
        "1d+00",
        "0x10",
        "--1",
        "1-",
        "1e",
        "e5",
        "1e+",
        "x1",
    ],
)
def test_what_is_no_number_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        read("1", word)


@IN_MEMORY
@given(st.text("0123456789+-.e", min_size=1, max_size=24))
def test_accepts_nothing_that_python_refuses(word: str) -> None:
    try:
        expected = float(word)
    except ValueError:
        with pytest.raises(ValueError, match="not a number"):
            read(word)
    else:
        assert read(word) == [expected]
