"""Names in the rules against what the cloud has."""

import pytest

from tests.contract.amended import amended_contract
from workflow.model import DeviceFacts
from workflow.routing import check_cloud_names, doubt_unknown_names, names_by_kind, parse_rules
from workflow.routing.cloud_names import KNOWN_NAMES
from workflow.routing.rulebook import MentionKind

RULES = """\
version: 1
intake:
  - {name: all, preset: PRESET, owner: OWNER}
routing:
  - name: some
    when: {preset: "CONDITION"}
    send_to: device_queue
    device: {name: [DEVICE, M2-1], series: SERIES}
  - {name: all, send_to: backlog}
"""
GOOD = {
    "PRESET": "onyx",
    "OWNER": "kim@example.com",
    "CONDITION": "Ony*",
    "DEVICE": "m2-*",
    "SERIES": "Desktop*",
}


def faults(**changed: str) -> list[tuple[int, str, str]]:
    text = RULES
    for word, value in {**GOOD, **changed}.items():
        text = text.replace(word, value)
    mistakes = check_cloud_names(
        parse_rules(text, "rules.yaml"),
        presets=[("Onyx", "p-1"), ("Nylon White", "p-2"), ("Twin", "p-3"), ("Twin", "p-4")],
        device_names=["M2-1", "X7-1", "Spare", "spare"],
        series=["Desktop Series"],
        users=[
            ("u-1", ["kim@example.com", "Kim"]),
            ("u-2", ["lee@example.com", "Lee"]),
            ("u-3", ["lee.b@example.com", "Lee"]),
        ],
    )
    return [(each.line, each.message, each.hint) for each in mistakes]


def test_known_names_are_fine_by_title_id_and_pattern() -> None:
    assert faults() == faults(PRESET="p-3", OWNER="kim") == faults(OWNER="u-3", DEVICE="sp*") == []


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"PRESET": "Onxy"}, (3, "Eiger has no preset `Onxy`", "did you mean `Onyx`?")),
        ({"PRESET": "twin"}, (3, "2 presets in Eiger are titled `twin`", "name the one you mean by its id")),
        ({"OWNER": "lee"}, (3, "2 users in Eiger are called `lee`", "name the one you mean by its id")),
        (
            {"DEVICE": "spare"},
            (8, "2 devices in Eiger are called `spare`", "give them different names in Eiger"),
        ),
        ({"OWNER": "bob"}, (3, "Eiger has no user `bob`", "")),
        (
            {"OWNER": "kim@exmaple.com"},
            (3, "Eiger has no user `kim@exmaple.com`", "did you mean `kim@example.com`?"),
        ),
        ({"CONDITION": "Nylo"}, (6, "Eiger has no preset `Nylo`", "it can be `Onyx`, `Nylon White`, `Twin`")),
        ({"DEVICE": "X7-2"}, (8, "Eiger has no device `X7-2`", "did you mean `X7-1`?")),
        (
            {"SERIES": "Desktop"},
            (8, "Eiger has no device of series `Desktop`", "did you mean `Desktop Series`?"),
        ),
    ],
)
def test_unknown_names_are_told_with_the_nearest(
    changed: dict[str, str], fault: tuple[int, str, str]
) -> None:
    assert faults(**changed) == [fault]


def test_all_are_told_at_once_at_their_places() -> None:
    told = faults(PRESET="Gold", OWNER="bob", DEVICE="X9")
    assert [(line, message.rpartition(" ")[2]) for line, message, _ in told] == [
        (3, "`Gold`"),
        (3, "`bob`"),
        (8, "`X9`"),
    ]


DOUBTED = """\
version: 1
intake: [{name: all, preset: Onyx}]
routing:
  - name: some
    when: {build.material: MATERIAL, build.fiber: "*", build.series: Desktop*}
    send_to: device_queue
    device: {state: STATE, type: Mark Two}
  - {name: all, send_to: backlog}
"""


def doubts(material: str, state: str, *devices: DeviceFacts) -> list[tuple[int, str, str]]:
    rulebook = parse_rules(DOUBTED.replace("MATERIAL", material).replace("STATE", state), "rules.yaml")
    found = doubt_unknown_names(rulebook, names_by_kind(devices))
    return [(each.line, each.message, each.hint) for each in found]


def test_states_and_materials_that_nobody_knows_are_doubted() -> None:
    assert doubts("Nylon*", "print finished") == []
    (material, state) = doubts("Onix", "Idle")
    assert material == (
        5,
        "Eiger knows no material `Onix`: nothing may ever match",
        "did you mean `Onyx`?",
    )
    assert state[:2] == (7, "Eiger knows no printer state `Idle`: nothing may ever match")
    assert state[2].startswith("Eiger writes for example `Offline`, ")


def test_what_a_printer_shows_is_not_doubted() -> None:
    device = DeviceFacts("d-1", "M2", "Mark Two", "Desktop Series", "Idle", "Onix")
    assert doubts("Onix", "Idle", device) == []


def test_the_contract_has_every_state_type_and_series_that_is_not_doubted() -> None:
    """FX10 is in no published list, and was seen on the real service."""
    schemas = amended_contract()["components"]["schemas"]
    for kind, enum in (
        (MentionKind.STATE, "PrinterStateEnum"),
        (MentionKind.TYPE, "PrinterTypeEnum"),
        (MentionKind.BUILD_SERIES, "PrinterSeriesEnum"),
    ):
        assert set(KNOWN_NAMES[kind]) - {"FX10", "Unknown"} == set(schemas[enum]["enum"]) - {"Unknown"}
