"""`stlflow eiger` for people: names, candidates, questions, filters, refusals."""

from pathlib import Path

import pytest

from tests.contract.spoken import Speak, speaker
from tests.simulator.caller import UNKNOWN_ID, Caller, calling, cube
from workflow.cli.eiger.devices import confirm_print_started
from workflow.eiger import Device
from workflow.errors import Unreachable
from workflow.simulator import SimulatorOptions

ANVIL = "Mark Two - Anvil"


def effects(context: Caller) -> list[str]:
    return [entry["operation"] for entry in context.control("GET", "journal") if entry["effect"]]


def test_names_work_as_ids_in_any_case(context: Caller, speak: Speak) -> None:
    build = context.build("lid.stl")
    assert speak("eiger", "queue", "add", "mark two - ANVIL", "lid").code == 0
    queued = speak("eiger", "queue", "list", ANVIL, "--json").document()["queue"]
    assert [entry["build"]["id"] for entry in queued] == [build]
    assert speak("eiger", "queue", "remove", ANVIL, "LID").code == 0
    assert speak("eiger", "queue", "list", ANVIL, "--json").document()["queue"] == []


def test_an_ambiguous_name_lists_the_candidates(context: Caller, speak: Speak) -> None:
    two = {context.build("lid.stl"), context.build("lid.stl", size_mm=12)}
    ended = speak("eiger", "backlog", "add", "lid")
    assert (ended.code, ended.out) == (2, "")
    first, *candidates = ended.err.splitlines()
    assert first == "stlflow: 2 have the name 'lid': use the id of the build."
    assert {line.split()[0] for line in candidates} == two
    assert all("Desktop Series" in line for line in candidates)
    assert effects(context) == ["uploadStl", "uploadStl"]


def test_an_unknown_name_lists_the_available_ones(speak: Speak) -> None:
    ended = speak("eiger", "devices", "show", "Anvill")
    assert ended.code == 2
    assert ended.err.startswith(
        f"stlflow: No device is called 'Anvill'. Did you mean '{ANVIL}'? Available:\n"
    )
    assert f"  {ANVIL}  Mark Two, Ready" in ended.err
    assert speak("eiger", "builds", "show", "x\x1b[2J").err == "stlflow: No build is called 'x [2J'.\n"
    assert speak("eiger", "parts", "upload", "no.stl").code == 2


def test_a_misspelled_name_suggests_the_nearest(context: Caller, speak: Speak) -> None:
    context.build("gearbox lid.stl")
    Path("part.stl").write_bytes(cube())
    asked = {
        ("builds", "show", "gearbx lid"): "No build is called 'gearbx lid'. Did you mean 'gearbox lid'?\n",
        ("builds", "show", "gearbox"): "No build is called 'gearbox'. Did you mean 'gearbox lid'?\n",
        ("queue", "list", "anvil"): f"No device is called 'anvil'. Did you mean '{ANVIL}'? Available:\n",
        (
            "parts",
            "upload",
            "part.stl",
            "--preset",
            "Onix",
        ): "No preset is called 'Onix'. Did you mean 'Onyx'?",
        ("devices", "list", "Anvil"): "A list takes no name such as 'Anvil': its options narrow it. "
        "`stlflow eiger devices show Anvil` shows one.\n",
        ("users", "list", "Ada"): "A list takes no name such as 'Ada': its options narrow it.\n",
        (
            "builds",
            "list",
            "--sort",
            "titel",
        ): "'titel' is none of created_at, title. Did you mean 'title'?\n",
        ("builds", "lst"): "No such command 'lst'. Did you mean 'list'?\n",
        ("device", "list"): "No such command 'device'. Did you mean 'devices'?\n",
    }
    for words, answer in asked.items():
        ended = speak("eiger", *words)
        assert (ended.code, ended.out) == (2, "")
        assert answer in ended.err


def test_a_unique_beginning_of_an_id_is_enough(context: Caller, speak: Speak) -> None:
    build = context.build("lid.stl")
    job = context.made(f"/backlog/{build}")
    assert speak("eiger", "builds", "show", build[:8].upper(), "--json").document()["id"] == build
    assert speak("eiger", "print-jobs", "show", job["id"][:8], "--json").document()["id"] == job["id"]
    device = speak("eiger", "devices", "show", ANVIL, "--json").document()["id"]
    assert speak("eiger", "devices", "show", device[:8], "--json").document()["id"] == device
    assert speak("eiger", "builds", "show", "abcdef").err == "stlflow: No build is called 'abcdef'.\n"
    assert speak("eiger", "print-jobs", "show", "abcdef").err == "stlflow: No print job is called 'abcdef'.\n"


def test_a_user_is_found_by_email_and_others_are_not_named(context: Caller, speak: Speak) -> None:
    Path("part.stl").write_bytes(cube())
    assert speak("eiger", "parts", "upload", "part.stl", "--user", "ADA.anvil@example.com").code == 0
    ended = speak("eiger", "parts", "upload", "part.stl", "--user", "nobody@example.com")
    assert (ended.code, ended.err) == (2, "stlflow: No user is called 'nobody@example.com'.\n")
    assert effects(context) == ["uploadStl"]


def test_an_unknown_id_is_refused_by_the_cloud(speak: Speak) -> None:
    ended = speak("eiger", "builds", "show", UNKNOWN_ID)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("stlflow: 404: ")
    assert speak("eiger", "print-jobs", "show", "../users").code == 1


def test_filters_are_options(context: Caller, speak: Speak) -> None:
    build = context.build("lid.stl")
    context.made(f"/backlog/{build}")
    by_name = speak("eiger", "print-jobs", "list", "--build", "lid", "--json").document()
    assert [(job["build"]["title"], job["state"]) for job in by_name] == [("lid", "Backlogged")]
    words = ("eiger", "builds", "list", "--json")
    assert speak(*words, "--created-from", "2026-01-01").document()[0]["title"] == "lid"
    assert speak(*words, "--created-after", "2999-01-01T00:00Z").document() == []
    assert speak(*words, "--title", "lid", "--sliced", "no").document() == []
    assert len(speak(*words, "--limit", "2").document()) == 2
    titles = [each["title"] for each in speak(*words, "--sort", "title", "--order", "asc").document()]
    assert titles == sorted(titles)


def test_an_invalid_time(speak: Speak) -> None:
    ended = speak("eiger", "builds", "list", "--created-from", "yesterday")
    assert ended.code == 2
    assert "'yesterday' is not a time such as 2026-11-23, 2026-11-23T18:30" in ended.err


def test_signed_links_are_left_out(context: Caller, speak: Speak) -> None:
    context.build("lid.stl")
    shown = speak("eiger", "builds", "show", "lid", "--json")
    assert "preview" not in shown.out
    assert "***" not in shown.out
    assert shown.document()["part_versions"][0]["title"] == "lid"


def test_a_printer_is_started_only_after_a_yes(context: Caller, speak: Speak) -> None:
    context.build("lid.stl")
    refused = speak("eiger", "devices", "print", ANVIL, "lid", typed="n\n")
    assert refused.code == 1
    assert refused.err.startswith(f"{ANVIL} (now: Ready) will move and print 'lid'. Is its bed clear?\n")
    assert refused.err.endswith("Nothing was sent.\n")
    assert speak("eiger", "devices", "print", ANVIL, "lid").code == 130
    assert effects(context) == ["uploadStl"]
    context.control("POST", "clock", {"rate": 60})
    started = speak("eiger", "devices", "print", ANVIL, "lid", "--look-seconds", "0.1", typed="y\n")
    assert started.code == 0
    assert started.out.startswith(f"{ANVIL} prints: print job ")
    assert effects(context) == ["uploadStl", "printToPrinter"]


def test_a_printer_that_is_not_ready_is_exit_code_1(context: Caller, speak: Speak) -> None:
    context.build("lid.stl")
    ended = speak("eiger", "devices", "print", "Onyx Pro - Dowel", "lid", "--yes")
    assert (ended.code, ended.out) == (1, "")
    assert "(now: Offline) will move" in ended.err
    assert "stlflow: 409: " in ended.err


def test_a_printer_that_does_not_show_the_job(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with calling(SimulatorOptions(slice_seconds=0, quirks=frozenset({"deaf-printer"}))) as deaf:
        speak, _ = speaker(deaf.url, monkeypatch, capsys), deaf.build("lid.stl")
        words = ("eiger", "devices", "print", ANVIL, "lid", "--yes", "--look-seconds", "0")
        ended = speak(*words)
        assert ended.code == 1
        assert f"but {ANVIL} was not seen to take it. Look at the printer before" in ended.out
        document = speak(*words, "--json").document()
    assert (document["confirmed"], document["print_job"]["state"]) == (False, "Printing")


def test_a_check_that_fails_is_followed_by_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    answers = iter([None, {"id": "other", "state": "Printing"}, {"id": "ours", "state": "Printing"}])
    waits: list[float] = []

    def look() -> Device:
        if (active := next(answers)) is None:
            raise Unreachable("No connection to Eiger.", operation="readDevice")
        shown = {"id": "d", "name": "D", "device_type": "X7", "device_series": "X7", "active_job": active}
        return Device.model_validate(shown)

    assert confirm_print_started(look, "ours", 2.0, waits.append)
    assert waits == [2.0, 2.0, 2.0]
    assert capsys.readouterr().err == "stlflow: No connection to Eiger.\n"


def test_a_download_returns_the_upload_and_replaces_nothing(speak: Speak) -> None:
    Path("part.stl").write_bytes(cube())
    made = speak("eiger", "parts", "upload", "part.stl", "--json").document()
    words = ("eiger", "part-versions", "download", made["part_version_id"], "back.stl")
    assert speak(*words, "--json").document() == {"path": "back.stl", "bytes": len(cube())}
    assert Path("back.stl").read_bytes() == cube()
    again = speak(*words)
    assert (again.code, again.out) == (2, "")
    assert "back.stl exists already: nothing is replaced. Choose another name." in again.err


def test_scan_reports_are_made_after_the_request(context: Caller, speak: Speak) -> None:
    part = context.get("/printed_parts")["items"][0]["id"]
    words = ("eiger", "printed-parts", "scan-report", part)
    assert speak(*words).out == "Not made yet, and requested now. Ask again in a minute.\n"
    context.advance(120)
    assert speak(*words).out.startswith("http")
    assert speak(*words, "--json").document()["scan_report_url"].startswith("http")


def test_approvals_are_added_never_replaced(context: Caller, speak: Speak) -> None:
    first, second = context.build("lid.stl"), context.build("pin.stl")
    assert speak("eiger", "builds", "approved").out.startswith("Approvals are not in use: every build may")
    refused = speak("eiger", "builds", "approve", "lid")
    assert refused.code == 2
    assert "Approving one would forbid all others; say --switch-on if that is meant." in refused.err
    assert speak("eiger", "builds", "approve", "lid", "--switch-on").out == "Approved now: 1 build.\n"
    added = speak("eiger", "builds", "approve", "pin", "--json").document()
    assert set(added["approved"]) == {first, second}
    listed = speak("eiger", "builds", "approved", "--json").document()
    assert (listed["in_use"], {each["id"] for each in listed["builds"]}) == (True, {first, second})
    assert speak("eiger", "builds", "disable-approvals", typed="n\n").code == 1
    assert speak("eiger", "builds", "disable-approvals", "--yes").code == 0
    assert speak("eiger", "builds", "approved", "--json").document() == {"in_use": False, "builds": []}


def test_wrong_keys_are_exit_code_3_and_stay_secret(speak: Speak, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STLFLOW_SECRET_KEY", "a-key-of-somebody-else")
    ended = speak("eiger", "devices", "list")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("stlflow: 401: Eiger refuses the access keys.")
    assert "a-key-of" not in ended.err
