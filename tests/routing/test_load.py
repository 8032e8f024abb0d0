"""Rules files: all mistakes of one reading, each at its place; and good files by their own tests."""

import os
import re
import string
import sys
import time
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workflow.errors import Mistake, RulesError
from workflow.resources import resource_folder
from workflow.routing import Rulebook, evaluate_rule_tests, load_rules, parse_rules
from workflow.routing.load import INTAKE_KEYS, ROUTING_KEYS
from workflow.routing.parse_actions import DEVICE_KEYS
from workflow.routing.parse_conditions import CONDITION_GROUPS
from workflow.routing.parse_tests import TEST_DEVICE_KEYS, TEST_KEYS

CASES = Path(__file__).parent / "cases"
BAD = sorted(CASES.glob("bad-*.yaml"))
GOOD = [*sorted(CASES.glob("good-*.yaml")), *sorted(resource_folder("rules").glob("*.yaml"))]
DEFAULT = (resource_folder("rules") / "default.yaml").read_text("utf-8")
EXPECTED = re.compile(r"# (\d+):(\d+) (.+)")


def mistakes_in(file: Path) -> tuple[Mistake, ...]:
    with pytest.raises(RulesError) as caught:
        load_rules(file)
    return caught.value.mistakes


def reading_of(text: str) -> Rulebook | tuple[Mistake, ...]:
    try:
        return parse_rules(text, "rules.yaml")
    except RulesError as error:
        return error.mistakes


def assert_total_or_told(reading: Rulebook | tuple[Mistake, ...]) -> None:
    """Rules whose lists end in a rule that takes everything, or mistakes that have a place."""
    if isinstance(reading, Rulebook):
        assert reading.intake[-1].when is None
        assert reading.routing[-1].when is None
    else:
        assert reading
        assert all(each.line >= 1 and each.column >= 1 and each.message for each in reading)


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_every_mistake_is_reported_at_its_place(file: Path) -> None:
    """The comments at the top of each file say which mistakes are in it."""
    expected = [
        found.groups() for found in map(EXPECTED.match, file.read_text("utf-8").splitlines()) if found
    ]
    told = [
        (str(each.line), str(each.column), f"{each.message} | {each.hint}" if each.hint else each.message)
        for each in mistakes_in(file)
    ]
    assert told == expected


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_good_files_pass_their_own_tests(file: Path) -> None:
    rulebook = load_rules(file)
    outcomes = evaluate_rule_tests(rulebook)
    assert outcomes
    assert [outcome for outcome in outcomes if not outcome.passed] == []
    assert rulebook.warnings == ()


def test_a_mistake_shows_the_line_with_a_caret() -> None:
    (mistake,) = mistakes_in(CASES / "bad-unknown-fact.yaml")
    assert str(mistake).splitlines()[1:] == [
        '    8 |     when: {build.print_time: "> 8"}',
        "                   ^ did you mean `build.print_hours`?",
    ]


def test_a_line_of_any_length_and_mistakes_in_any_number_stay_readable(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(f"version: 1\nintake: [{', '.join(['{nam: a}'] * 2000)}]\nrouting: []\n", "utf-8")
    with pytest.raises(RulesError) as caught:
        load_rules(file)
    said = str(caught.value)
    assert len(caught.value.mistakes) > 2000
    assert len(said) < 50_000
    assert said.splitlines()[-1].startswith("And ")
    assert said.splitlines()[-1].endswith(" more mistakes: correct these first.")
    fourth = str(caught.value.mistakes[40])
    line, caret = fourth.splitlines()[1:]
    assert line[caret.index("^") :].lstrip("{").startswith("nam: a")


def test_a_number_of_too_many_digits_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    device = f"{{name: A, queue_length: {'9' * 400}}}"
    file.write_text(
        "version: 1\nintake: [{name: a, preset: Onyx}]\nrouting: [{name: b, send_to: backlog}]\n"
        f"tests: [{{file: {{path: a.stl}}, build: {{}}, devices: [{device}], expect: {{rule: b}}}}]\n",
        "utf-8",
    )
    with pytest.raises(RulesError, match="`queue_length` is a number"):
        load_rules(file)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "the rules can't be read: No such file or directory (is the path right"),
        (b"", "there are no rules in this file"),
        ("version: 1 # groß".encode("latin-1"), "this is no UTF-8 text (save the file as UTF-8)"),
        (b"version: 1\n" + b"#" * 1_000_000, "more than 1,000,000 bytes are no rules file"),
        (b"version: 1\n#" + "ß".encode() * 500_000, "more than 1,000,000 bytes are no rules file"),
        (b"version: 1\nintake: \x07", "there is an invisible character here"),
        (b"[" * 900, "the rules are nested too deep to be read"),
        (b"a: " + b"[" * 60 + b"]" * 60, "the rules are nested too deep to be read"),
        (b"version: " + b"x" * 2000, "a value of 2,000 characters is too long"),
        (b"%YAML 9.1\n---\nversion: 1", "this is no YAML: found incompatible YAML document"),
    ],
)
def test_what_can_not_be_read_at_all_is_one_mistake(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    file = tmp_path / "rules.yaml"
    if content is not None:
        file.write_bytes(content)
    assert sentence in str(mistakes_in(file)[0])


def test_a_folder_is_no_rules_file(tmp_path: Path) -> None:
    (mistake,) = mistakes_in(tmp_path)
    assert mistake.message.startswith("the rules can't be read: ")


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + DEFAULT.replace("\n", "\r\n").encode())
    assert len(load_rules(file).routing) == 3


def test_the_revision_names_the_very_text() -> None:
    one, other = parse_rules(DEFAULT, "a"), parse_rules(DEFAULT + "\n", "a")
    assert re.fullmatch(r"[0-9a-f]{12}", one.revision)
    assert one.revision == parse_rules(DEFAULT, "b").revision != other.revision


@pytest.mark.parametrize(
    ("pattern", "doubt", "hint"),
    [
        ("inbox/rush/**", "`path` begins below the inbox", "did you mean `rush/**`?"),
        ("{a,b}/**", "brackets in `{a,b}/**` have no special meaning", "for several patterns, list them"),
    ],
)
def test_what_is_hardly_meant_is_a_warning(pattern: str, doubt: str, hint: str) -> None:
    (warning,) = parse_rules(DEFAULT.replace("rush/**", pattern, 1), "rules.yaml").warnings
    assert (warning.message, warning.hint) == (doubt, hint)


def test_starting_a_machine_with_whatever_is_loaded_is_doubted() -> None:
    text = DEFAULT.replace("send_to: device_queue", "send_to: print_now", 1)
    assert parse_rules(text, "rules.yaml").warnings == ()
    (warning,) = parse_rules(text.replace("material: loaded, ", "", 1), "rules.yaml").warnings
    assert warning.message == "print_now starts whatever is loaded"


def test_two_numbers_in_a_list_were_perhaps_meant_as_a_range() -> None:
    text = DEFAULT.replace('path: "rush/**"', "longest_mm: [10, 5]", 1)
    (warning,) = parse_rules(text, "rules.yaml").warnings
    assert warning.message == "this takes a `longest_mm` of exactly 10 or 5"
    assert warning.hint == "did you mean `5..10`?"


@pytest.mark.parametrize(
    "pattern", ["bracket.*", "$part*.stl", "a (1).stl", "a+b.stl", "v1.[x]*", "*", "*.STL"]
)
def test_patterns_that_only_look_like_regular_expressions(pattern: str) -> None:
    text = DEFAULT.replace('path: "rush/**"', f'name: "{pattern}"', 1)
    assert parse_rules(text, "rules.yaml").warnings == ()


def cpu_seconds_to_read(text: str) -> float:
    began = time.process_time()
    parse_rules(text, "rules.yaml")
    return time.process_time() - began


CONDITIONS = ('path: "folder {n}/**", longest_mm: "> {n}"', "longest_mm: {n}..{n}.5", 'path: "**/lab {n}/*"')


@pytest.mark.parametrize(
    "conditions",
    [CONDITIONS, *(pytest.param((each,), marks=pytest.mark.long) for each in CONDITIONS)],
    ids=["mixed", *CONDITIONS],
)
def test_reading_takes_time_in_proportion_to_the_rules(conditions: tuple[str, ...]) -> None:
    """Four times the rules take about four times as long, not sixteen; the better of two counts."""

    def rules(count: int) -> str:
        listed = "".join(
            f"  - name: rule {n}\n    when: {{{when.format(n=n)}}}\n    preset: Onyx\n"
            for n, when in zip(range(count), cycle(conditions), strict=False)
        )
        return DEFAULT.replace("intake:\n", f"intake:\n{listed}", 1)

    few, many = (min(cpu_seconds_to_read(rules(count)) for _ in range(2)) for count in (60, 240))
    assert many < 8 * few


def change_somewhere(text: str, at: int, cut: int, insert: str) -> str:
    place = at % len(text)
    return text[:place] + insert + text[place + cut :]


@given(
    at=st.integers(0, 10_000),
    cut=st.integers(0, 40),
    insert=st.text(string.printable + "\0\x85\u2028é🙂", max_size=12),
)
@example(at=0, cut=0, insert="\ud800")
def test_no_file_crashes_the_reader(at: int, cut: int, insert: str) -> None:
    assert_total_or_told(reading_of(change_somewhere(DEFAULT, at, cut, insert)))


SCALARS = st.sampled_from(
    ["", "> 5", "5", "1..2", "rush/**", "true", "hold", "backlog", "Onyx", "+3 days", "loaded", "{}", "[]"]
)
KEYS = st.sampled_from(
    [
        *INTAKE_KEYS,
        *ROUTING_KEYS,
        *DEVICE_KEYS,
        *TEST_DEVICE_KEYS,
        *TEST_KEYS,
        *CONDITION_GROUPS,
        "path",
        "longest_mm",
        "build.approved",
    ]
)


def written(value: object) -> str:
    """Return nested groups and lists as YAML."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {written(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
    return f'"{value}"' if str(value) not in {"5", "true", "{}", "[]", ""} else str(value)


TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(intake=TREES, routing=TREES, tests=TREES)
def test_no_mixture_of_the_words_crashes_the_reader(intake: object, routing: object, tests: object) -> None:
    text = f"version: 1\nintake: {written(intake)}\nrouting: {written(routing)}\ntests: {written(tests)}\n"
    assert_total_or_told(reading_of(text))


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes")
def test_a_pipe_in_place_of_the_rules_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rules.yaml")
    with pytest.raises(RulesError, match="the rules can't be read: it is no plain file"):
        load_rules(tmp_path / "rules.yaml")


@pytest.mark.parametrize(
    ("sending", "mistake"),
    [
        ("{send_to: backlog, copies: 2, spread: true}", "`spread` is not for backlog"),
        ("{send_to: device_queue, device: {name: A}, spread: true}", "`spread` needs `copies`"),
        ("{send_to: device_queue, device: {name: A}, copies: 2, spread: 1}", "`spread` is true or false"),
    ],
)
def test_spreading_needs_copies_and_a_queue(sending: str, mistake: str) -> None:
    rule = f"  - {{name: all, {sending[1:-1]}}}\n"
    with pytest.raises(RulesError, match=re.escape(mistake)):
        parse_rules(f"version: 1\nintake:\n  - {{name: all, preset: Onyx}}\nrouting:\n{rule}", "r.yaml")
