"""The tools that need no service: check, rules, init, simulator."""

import json
from pathlib import Path

import pytest
import requests

from tests.cli.command import Desk
from tests.cli.conftest import Say
from tests.stl import binary, box, box_facets, open_box

REPORT = (
    "path", "verdict", "reason", "warnings", "format", "triangles", "size_mm", "volume_cm3", "area_cm2",
    "watertight", "open_edges", "seconds", "sha256", "solids", "closes_at_mm", "open_places",
    "flipped_edges", "shared_edges", "repeated_facets", "degenerate_facets", "has_colour", "defects",
    "oddities", "flat_facets", "inside_out", "unit_guess", "unit_doubt", "unit_sizes",
    "shells", "cavities", "turned_shells", "bodies", "oriented_mm",
)  # fmt: skip
FORECAST = ("outcome", "outcome_reason", "assumed_path", "intake")


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    (tmp_path / "lid.stl").write_bytes(box(30, 20, 10))
    (tmp_path / "gap.stl").write_bytes(open_box())
    (tmp_path / "page.stl").write_text("<!DOCTYPE html><html><body>Sign in</body></html>")
    return tmp_path


def test_check_reports_every_file(say: Say, parts: Path) -> None:
    ended = say("check", "lid.stl", "gap.stl", "page.stl", "--json")
    good, gap, page = ended.document()
    assert ended.code == 1
    assert {tuple(report) for report in (good, gap, page)} == {(*REPORT, *FORECAST)}
    assert (good["verdict"], good["reason"], good["format"], good["triangles"]) == (
        "accept",
        None,
        "binary",
        12,
    )
    assert good["size_mm"] == [30, 20, 10]
    assert good["volume_cm3"] == pytest.approx(6)
    assert (gap["verdict"], gap["open_edges"], gap["watertight"]) == ("hold", 3, False)
    assert gap["reason"].startswith("A side is missing: 20 × 20 mm at ")
    assert (page["verdict"], page["triangles"]) == ("reject", 0)
    assert "HTML" in page["reason"]


def test_the_path_of_a_file_in_a_read_only_inbox_is_the_one_that_rules_see(
    say: Say, parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (parts / "exports" / "rush").mkdir(parents=True)
    (parts / "lid.stl").rename(parts / "exports" / "rush" / "lid.stl")
    monkeypatch.setenv("STLFLOW_READ_ONLY_INBOX", str(parts / "exports"))
    (report,) = say("check", "exports/rush/lid.stl", "--json").document()
    assert report["assumed_path"] == "rush/lid.stl"
    rows = say("rules", "explain", "exports/rush", "--json").document()
    assert "rush/lid.stl" in json.dumps(rows)


def test_check_of_good_files_is_all_well(say: Say, parts: Path) -> None:
    ended = say("check", "--mesh-only", "lid.stl")
    assert (ended.code, ended.out) == (0, "accept  lid.stl  30 × 20 × 10 mm, 12 facets\n")
    ended = say("check", "lid.stl")
    assert ended.code == 0
    assert ended.out.splitlines()[:2] == [
        "accept  lid.stl  30 × 20 × 10 mm, 12 facets",
        "        Upload with preset Onyx (rule 'everything else')",
    ]
    assert ended.out.splitlines()[2].startswith("Rules: ")


RULES = """
version: 1
intake:
  - {name: small, when: {longest_mm: "< 40", path: "shop/**"}, hold: "Ask Ann."}
  - {name: red, when: {path: "*red*"}, reject: "No red parts."}
  - {name: rest, preset: Onyx FR, owner: ann@example.com}
routing:
  - {name: all, send_to: backlog}
"""


def test_check_applies_the_intake_rules_and_settings_in_use(
    say: Say, parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (parts / "shop.yaml").write_text(RULES)
    monkeypatch.setenv("STLFLOW_RULES", "shop.yaml")
    monkeypatch.setenv("STLFLOW_LARGEST_HOLE_MM", "2.5")
    inbox = parts / "share" / "inbox" / "shop"
    inbox.mkdir(parents=True)
    (inbox / "lid.stl").write_bytes(box(30, 20, 10))
    (parts / "red.stl").write_bytes(box(30, 20, 10))
    (parts / "nut.stl").write_bytes(box(12, 10, 8))
    files = ("share/inbox/shop/lid.stl", "red.stl", "nut.stl", "gap.stl")
    told = say("check", *files)
    assert told.code == 1
    assert told.out.splitlines() == [
        "hold    share/inbox/shop/lid.stl  30 × 20 × 10 mm, 12 facets",
        "        Hold: Ask Ann. (rule 'small')",
        "reject  red.stl  30 × 20 × 10 mm, 12 facets",
        "        Reject: No red parts. (rule 'red')",
        "accept  nut.stl  12 × 10 × 8 mm (if it was drawn in inches: 305 × 254 × 203 mm), 12 facets",
        "        Upload with preset Onyx FR for ann@example.com (rule 'rest')",
        "hold    gap.stl  20 × 20 × 20 mm (if it was drawn in inches: 508 × 508 × 508 mm), 11 facets",
        "        A side is missing: 20 × 20 mm at x 0.0 y 10.0 z 10.0 mm. "
        "Close the part in CAD and export it again.",
        "        After a release: upload with preset Onyx FR for ann@example.com (rule 'rest')",
        "Rules: shop.yaml",
        "Setting: largest_hole_mm = 2.5",
    ]
    small, red, nut, gap = say("check", *files, "--json").document()
    assert [each["verdict"] for each in (small, red, nut, gap)] == ["accept", "accept", "accept", "hold"]
    assert [each["outcome"] for each in (small, red, nut, gap)] == ["hold", "reject", "accept", "hold"]
    assert (small["assumed_path"], small["outcome_reason"]) == ("shop/lid.stl", "Ask Ann.")
    assert (gap["intake"]["rule"], gap["intake"]["preset"]) == ("rest", "Onyx FR")
    assert gap["outcome_reason"] == gap["reason"]
    assert say("check", "--mesh-only", "red.stl").code == 0


def test_check_refuses_broken_rules_unless_the_mesh_alone_is_asked_for(
    say: Say, parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (parts / "shop.yaml").write_text("version: 1\nintake: []\n")
    monkeypatch.setenv("STLFLOW_RULES", "shop.yaml")
    refused = say("check", "lid.stl")
    assert (refused.code, refused.out, "shop.yaml" in refused.err) == (2, "", True)
    (report,) = say("check", "--mesh-only", "lid.stl", "--json").document()
    assert tuple(report) == REPORT


def test_a_file_that_takes_too_long_would_be_held(
    say: Say, parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (parts / "large.stl").write_bytes(binary(box_facets() * 20_000))  # a small one may be done in time
    monkeypatch.setenv("STLFLOW_INSPECTION_LIMIT_SECONDS", "0.000001")
    (slow,) = say("check", "large.stl", "--json").document()
    assert (slow["outcome"], slow["intake"]) == ("hold", None)
    assert "inspection_limit_seconds" in slow["outcome_reason"]


def test_check_draws_the_part(say: Say, parts: Path) -> None:
    Path("gap.png").write_text("of yesterday")
    ended = say("check", "gap.stl", "--picture", "gap.png", "--json")
    assert (ended.code, ended.err) == (1, "gap.png written.\n")
    assert [report["path"] for report in ended.document()] == ["gap.stl"]
    assert Path("gap.png").read_bytes().startswith(b"\x89PNG")
    undrawn = say("check", "page.stl", "--picture", "gap.png")
    assert undrawn.code == 1
    assert (
        undrawn.err
        == "No picture of page.stl: The file is no STL but an HTML page. Export the part as STL.\n"
    )
    assert Path("gap.png").read_bytes().startswith(b"\x89PNG"), "the picture of before stays"
    assert sorted(found.name for found in parts.iterdir()) == ["gap.png", "gap.stl", "lid.stl", "page.stl"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("lid.stl", "gap.stl", "--picture", "x.png"), "A picture is of one part: 2 files are named"),
        (("lid.stl", "--picture", "gap.stl"), "--picture takes the PNG to be written, such as part.png, not"),
        (("--picture", "gap.png"), "Missing argument 'FILES...'"),
        (("lid.stl", "--picture", "nowhere/x.png"), "stlflow: No such file or directory: nowhere/x.png"),
    ],
)
def test_a_picture_that_is_not_meant_is_refused(
    say: Say, parts: Path, words: tuple[str, ...], why: str
) -> None:
    before = {found: found.read_bytes() for found in parts.iterdir()}
    refused = say("check", *words)
    assert (refused.code, refused.out, why in refused.err) == (2, "", True)
    assert {found: found.read_bytes() for found in parts.iterdir()} == before


def test_check_needs_a_file_that_is_there(say: Say) -> None:
    refused = say("check", "nowhere.stl")
    assert refused.code == 2
    assert "File 'nowhere.stl' does not exist." in refused.err


def test_explain_names_both_rules_and_what_failed(say: Say, parts: Path) -> None:
    ended = say("rules", "explain", "lid.stl", "--as", "rush/lid.stl", "--build", "print_hours=2", "--json")
    assert ended.code == 0
    document = ended.document()
    assert {"intake", "routing", "considered"} <= set(document)
    assert document["intake"]["preset"] == "Onyx"
    assert {"rule", "preset"} <= set(document["intake"])
    assert {"rule", "send_to"} <= set(document["routing"])
    assert document["considered"]
    assert {tuple(each) for each in document["considered"]} == {("rule", "matched", "why_not")}
    assert all(each["matched"] is not bool(each["why_not"]) for each in document["considered"])


def test_explain_without_a_build_says_what_is_open(say: Say, parts: Path) -> None:
    still_open = say("rules", "explain", "lid.stl", "--json").document()["routing"]["open"]
    assert any("build.print_hours" in rule["needs"] for rule in still_open)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("print_hours", "'print_hours' is not KEY=VALUE with a KEY of"),
        ("print_hour=2", "'print_hour=2' is not KEY=VALUE with a KEY of"),
        ("print_hour=2", " Did you mean 'print_hours'?"),
        ("print_hours=soon", "'soon' is no number."),
    ],
)
def test_explain_refuses_a_fact_that_is_none(say: Say, parts: Path, given: str, why: str) -> None:
    refused = say("rules", "explain", "lid.stl", "--build", given)
    assert refused.code == 2
    assert why in refused.err


def test_rules_test_measures_the_stl_files_that_tests_name(say: Say, parts: Path, tmp_path: Path) -> None:
    rules = (
        "version: 1\nintake:\n  - {name: flat, when: {z_mm: '< 0.001'}, hold: Flat.}\n"
        "  - {name: all, preset: Onyx}\nrouting:\n  - {name: all, send_to: backlog}\n"
        "tests:\n  - {file: {stl: lid.stl, path: a/b.stl}, expect: {rule: all}}\n"
    )
    (parts / "rules.yaml").write_text(rules)
    assert say("rules", "test", str(parts / "rules.yaml")).code == 0
    (parts / "rules.yaml").write_text(rules.replace("lid.stl", "page.stl"))
    failed = say("rules", "test", str(parts / "rules.yaml"))
    assert failed.code == 1
    assert (
        "stl: page.stl can't be measured: inspection rejects it before any rule: The file is no" in failed.out
    )
    (parts / "rules.yaml").write_text(rules.replace("lid.stl", "nowhere.stl"))
    assert "stl: nowhere.stl can't be measured: " in say("rules", "test", str(parts / "rules.yaml")).out


def test_rules_check_and_test_have_their_exit_codes(say: Say, tmp_path: Path) -> None:
    good = "version: 1\nintake:\n  - {name: all, preset: Onyx}\nrouting:\n  - {name: all, send_to: backlog}\n"
    wrong = "tests:\n  - {file: {path: x.stl}, expect: {preset: Nylon}}\n"
    Path("good.yaml").write_text(good)
    Path("wrong.yaml").write_text(good + wrong)
    Path("broken.yaml").write_text(good.replace("preset", "presett"))
    assert (
        say("rules", "check", "good.yaml").out == "good.yaml: 1 intake rule, 1 routing rule, no mistakes.\n"
    )
    assert say("rules", "test", "good.yaml").code == 0
    assert say("rules", "test", "wrong.yaml").code == 1
    failed = say("rules", "test", "wrong.yaml").out
    assert "wrong  wrong.yaml:7  x.stl\n        preset: expected Nylon, got Onyx\n" in failed
    assert "intake: rule 'all' in line 3 decided, for it is the catch-all" in failed
    broken = say("rules", "check", "broken.yaml")
    assert broken.code == 2
    assert broken.err.startswith("stlflow: broken.yaml:3:17: ")
    assert "did you mean `preset`?" in broken.err


def test_init_writes_once_and_then_changes_nothing(say: Say, tmp_path: Path) -> None:
    def seen() -> dict[str, tuple[bytes, int]]:
        files = (found for found in tmp_path.rglob("*") if found.is_file())
        return {str(found): (found.read_bytes(), found.stat().st_mtime_ns) for found in files}

    assert say("init", "plant").code == 0
    settings = Path("plant", "stlflow.toml")
    settings.write_text(settings.read_text() + "\n# mine\n")
    before = seen()
    again = say("init", "plant")
    assert again.code == 0
    assert f"{settings} exists: left as it is." in again.out
    assert seen() == before
    assert {found.name for found in Path("plant", "share").iterdir()} == {
        ".stlflow-share", "inbox", "processing", "done", "rejected", "held", "approved",
        "HOW TO USE THIS FOLDER.txt",
    }  # fmt: skip


def test_what_init_wrote_can_be_used(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    say("init", "plant")
    monkeypatch.chdir("plant")
    assert say("rules", "check").code == 0
    assert say("list", "--json").document() == []


def test_the_simulator_says_first_where_it_is(desk: Desk) -> None:
    with desk.serving("simulator", "--port", "0") as simulator:
        first = json.loads(simulator.first_line())
        assert set(first) == {"url"}
        assert first["url"].startswith("http://127.0.0.1:")
        assert first["url"].endswith("/api/v3")
        assert requests.get(f"{first['url']}/users", auth=("demo", "demo"), timeout=60).ok
        assert requests.get(f"{first['url']}/users", auth=("demo", "wrong"), timeout=60).status_code == 401
        assert simulator.stop() == 0
        assert len(simulator.out_file.read_text("utf-8").splitlines()) == 1
    assert simulator.said() == ""


def test_the_simulator_reads_parts_in_the_unit_of_its_option(desk: Desk) -> None:
    options = (
        "--port",
        "0",
        "--units",
        "in",
        "--scale",
        "25.4",
        "--quirk",
        "other-titles",
        "--quirk",
        "one-part",
    )
    with desk.serving("simulator", *options) as simulator:
        url = json.loads(simulator.first_line())["url"]
        told = requests.get(f"{url.removesuffix('/api/v3')}/_sim/", timeout=60).json()
        assert (told["units"], told["scale"], told["quirks"]) == ("in", 25.4, ["one-part", "other-titles"])
        assert simulator.stop() == 0


@pytest.mark.parametrize("encoding", [pytest.param("ascii", marks=pytest.mark.long), "cp1252"])
def test_a_console_in_an_old_code_page_is_no_reason_to_end(desk: Desk, encoding: str) -> None:
    name = "größe ✓.stl"
    (desk.folder / name).write_bytes(box())
    shown = desk.run("rules", "explain", name, PYTHONIOENCODING=encoding)
    assert (shown.code, shown.err) == (0, "")
    assert "everything else" in shown.out
    reports = desk.run("check", name, "--json", PYTHONIOENCODING=encoding).document()
    assert [report["path"] for report in reports] == [name]


def test_a_taken_port_is_one_line(desk: Desk) -> None:
    port = desk.url.split(":")[2].split("/")[0]
    refused = desk.run("simulator", "--port", port)
    assert refused.code == 2
    assert refused.one_line().startswith(f"stlflow: Port {port} on 127.0.0.1 is not available: ")
