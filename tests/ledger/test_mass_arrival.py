"""Who accepted a mass arrival is in the history of each file that it let in, and of no other."""

from workflow.ledger import InPlaceFile, Ledger
from workflow.model import EventKind

BY = "2 files at once, by Anna: meant"


def accepted_by(ledger: Ledger, number: int) -> list[str]:
    return [each.detail for each in ledger.events(number) if each.event == EventKind.ACCEPTED]


def test_it_is_in_the_history_of_each_file(ledger: Ledger) -> None:
    ledger.mass_arrival.add(["a.stl", "b.stl", "late.stl"])
    assert ledger.mass_arrival.accept(["a.stl", "b.stl", "gone.stl"], BY) == 2
    assert ledger.mass_arrival.list_waiting() == ("late.stl",)
    assert ledger.mass_arrival.accept(["a.stl"], "by somebody later") == 0
    histories = {}
    for path in ("a.stl", "late.stl", "other.stl"):
        number = ledger.open(path)
        ledger.claimed(number, f"processing/{path}", path=path, arrived_as=path)
        histories[path] = accepted_by(ledger, number)
    assert histories == {"a.stl": [BY], "late.stl": [], "other.stl": []}
    file = InPlaceFile("//server/inbox", "b.stl", "/mnt/b.stl", "home")
    in_place = ledger.in_place.begin_read_only(file, (1, 2, 3), None, "b.stl")
    assert in_place is not None
    assert accepted_by(ledger, in_place) == [BY]


def test_a_worker_that_finds_it_gone_leaves_it_to_the_one_that_claims_it(ledger: Ledger) -> None:
    ledger.mass_arrival.add(["a.stl", "b.stl"])
    ledger.mass_arrival.accept(["a.stl", "b.stl"], BY)
    number = ledger.open("a.stl")
    ledger.mass_arrival.remove(["a.stl", "b.stl"])
    ledger.claimed(number, "processing/a.stl", arrived_as="a.stl")
    assert accepted_by(ledger, number) == [BY]
    ledger.mass_arrival.remove(["a.stl"])
    assert ledger.mass_arrival.read_paths() == {}
