"""Any rules over any facts: one decision, always the same, by the first rule that takes the file."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from tests.routing.test_choose_device import READY
from tests.routing.test_conditions import CONDITIONS, FACT_VALUES
from workflow.model import Destination, Facts
from workflow.routing import IntakeRule, RoutingRule, Rulebook, decide_intake, decide_route, explain
from workflow.routing.rulebook import (
    Copies,
    DeviceRequirements,
    HoldAction,
    RejectAction,
    SendAction,
    UploadAction,
)

TODAY = date(2026, 12, 17)
SENDS = st.builds(
    SendAction,
    destination=st.sampled_from(Destination),
    device=st.none() | st.just(DeviceRequirements(loaded_material=True)) | st.just(DeviceRequirements()),
    otherwise=st.none() | st.sampled_from([Destination.BACKLOG, Destination.JOB_REQUEST]),
    copies=st.builds(Copies, st.integers(1, 5), st.none() | st.just("tag.qty")),
    hold_first=st.none() | st.just("Ask."),
    approve_first=st.booleans(),
)
INTAKE = st.one_of(
    st.just(UploadAction("Onyx")),
    st.just(UploadAction("Nylon White", "kim@example.com", "f-1")),
    st.just(RejectAction("No.")),
    st.just(HoldAction("Wait.")),
)


@st.composite
def rulebooks(draw: st.DrawFn) -> Rulebook:
    """Draw two lists of rules, each with a last word."""
    whens = draw(st.lists(CONDITIONS, max_size=5))
    intake = [IntakeRule(f"i{at}", at, when, draw(INTAKE)) for at, when in enumerate(whens)]
    actions = SENDS | st.just(HoldAction("Wait."))
    routing = [RoutingRule(f"r{at}", at, when, draw(actions)) for at, when in enumerate(whens)]
    last = len(whens)
    return Rulebook(
        "rules.yaml",
        "0" * 12,
        (*intake, IntakeRule("rest", last, None, draw(INTAKE))),
        (*routing, RoutingRule("rest", last, None, draw(SENDS))),
    )


NAMES = st.sets(st.sampled_from(["i0", "i1", "r0", "r1", "rest"]))


@given(book=rulebooks(), facts=FACT_VALUES, passed=NAMES)
def test_every_file_gets_one_decision_and_always_the_same(
    book: Rulebook, facts: Facts, passed: set[str]
) -> None:
    again = dict(sorted(facts.items(), reverse=True))
    intake = decide_intake(book, facts, passed=passed)
    assert intake == decide_intake(book, again, passed=passed)
    assert (intake.action == "upload") == (intake.preset is not None) == (intake.reason is None)
    route = decide_route(book, facts, (READY,), TODAY, passed=passed)
    assert route == decide_route(book, again, (READY,), TODAY, passed=passed)
    assert (route.destination is None) == (route.reason is not None)
    assert route.destination is not None or (route.device_id is None and route.due is None)
    assert 1 <= route.copies <= 100


@given(book=rulebooks(), facts=FACT_VALUES)
def test_the_first_rule_that_is_not_left_decides(book: Rulebook, facts: Facts) -> None:
    looks = [None if rule.when is None else rule.when.evaluate(facts).met for rule in book.intake[:-1]]
    first = next((at for at, met in enumerate(looks) if met is not False), len(looks))
    decision = decide_intake(book, facts)
    assert decision.rule == book.intake[first].name
    if first < len(looks) and looks[first] is None:
        assert decision.action == "hold"


@given(book=rulebooks(), facts=FACT_VALUES, data=st.data())
def test_order_matters_only_by_the_first_match(book: Rulebook, facts: Facts, data: st.DataObject) -> None:
    """Rules that do not take the file may stand anywhere, and what stands behind the deciding one too."""
    decision = decide_intake(book, facts)
    at = next(place for place, rule in enumerate(book.intake) if rule.name == decision.rule)
    before = data.draw(st.permutations(book.intake[:at]))
    behind = data.draw(st.permutations(book.intake[at + 1 :]))
    shuffled = Rulebook(book.source, book.revision, (*before, book.intake[at], *behind), book.routing)
    again = decide_intake(shuffled, facts)
    assert (again.rule, again.action, again.reason) == (decision.rule, decision.action, decision.reason)


@given(book=rulebooks(), facts=FACT_VALUES)
def test_explaining_says_what_deciding_does_and_names_every_rule(book: Rulebook, facts: Facts) -> None:
    explained = explain(book, facts, (READY,), today=TODAY)
    assert explained.intake == decide_intake(book, facts)
    assert [each.rule for each in explained.intake_rules] == [rule.name for rule in book.intake]
    assert sum(each.matched for each in explained.intake_rules) <= 1
    if explained.routing is not None:
        assert [each.rule for each in explained.routing_rules] == [rule.name for rule in book.routing]
