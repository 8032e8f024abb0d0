"""The support bundle: what is planted as a secret, a person or a name of a file is nowhere in it."""

import base64
import io
import json
import time
import zipfile
from pathlib import Path

import pytest

from workflow.doctor.bundle import make_bundle, read_log_tail
from workflow.doctor.finding import fail
from workflow.doctor.scrub import Scrubber, list_secrets, make_scrubber
from workflow.ledger import Ledger
from workflow.model import DecisionRecord, EventKind, HoldReason, SubmissionState
from workflow.pipeline.context import now
from workflow.settings import Settings
from workflow.settings.notices import NoticeSettings

ACCESS, SECRET, DATABASE, HOOK = "AKplanted0001", "sk/planted+0002==", "pw-planted-3", "hook-planted-4"
PLANTED = (
    ACCESS, SECRET, DATABASE, HOOK, "proxy-planted-5", "signed-planted-6", "anna.berger", "Anna Berger",
    "Willi Token", "kim@planted.example", "jo@planted.example", "homeuser", "ACME", "secret impeller",
    base64.b64encode(f"{ACCESS}:{SECRET}".encode()).decode(), "sk%2Fplanted%2B0002%3D%3D", "Kim, workshop",
    "because the boss said", "johanna", "EXAMPLE", "for Jo Planter", "the nozzle of Pat", "wilhelmina",
)  # fmt: skip


NOTICES = NoticeSettings.model_validate(
    {
        "targets": {
            "shop": {"slack": f"https://hooks.example/{HOOK}"}, "johanna": {"mail": "jo@planted.example"},
        },
        "owners": {"EXAMPLE\\anna.berger": "johanna"}, "folders": {"wilhelmina": "johanna"},
    }
)  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    rules = tmp_path / "rules.yaml"
    rules.write_text("# by kim@planted.example, for Jo Planter\nversion: 1  # for Jo Planter\n")
    (tmp_path / "state" / "logs").mkdir(parents=True)
    return Settings.model_validate(
        {
            "share": tmp_path / "share", "state": tmp_path / "state", "rules": rules, "access_key": ACCESS,
            "secret_key": SECRET, "contact": "Kim, workshop", "proxy": "http://me:proxy-planted-5@proxy:3128",
            "database_url": f"postgresql://stlflow:{DATABASE}@db/stlflow",
        }
    ).with_notices(NOTICES)  # fmt: skip


LOG = f"""\
2026-11-27 Submission 1: processing/orders/ACME/secret impeller.stl
2026-11-27 retried with Basic {base64.b64encode(f"{ACCESS}:{SECRET}".encode()).decode()}
2026-11-27 GET https://files.example/x.stl?X-Signature=signed-planted-6 as {SECRET} sk%2Fplanted%2B0002%3D%3D
2026-11-27 database postgresql://stlflow:{DATABASE}@db/stlflow, hook https://hooks.example/{HOOK}
2026-11-27 mail to jo@planted.example in /home/homeuser/x and C:\\Users\\homeuser\\y: Anna Berger, Willi Token
2026-11-27 The folder orders/ACME can't be read; build 'secret impeller' found; other file ACME-7.stl
2026-11-27 Submission 1 canceled: Canceled by Anna Berger: for Jo Planter.
2026-11-27 Mark Two left is out of choice until Mon 30 Nov 08:00: the nozzle of Pat (Willi Token).
2026-11-27 DEBUG 429 too many requests
"""


def fill(ledger: Ledger) -> None:
    number = ledger.open("orders/ACME/secret impeller.stl")
    ledger.claimed(number, "held/orders/ACME/secret impeller.stl")
    ledger.update_submission(ledger.get(number), dropped_by="anna.berger")
    decided = DecisionRecord("intake", now(), "r", "metal", {"path": "orders/ACME/secret impeller.stl"})
    ledger.record_decision(
        ledger.get(number), decided, EventKind.HELD, "orders/ACME/secret impeller.stl: Hole 3 mm",
        state=SubmissionState.HELD, hold=HoldReason.MESH, reason="Hole 3 × 2 mm at x 1.0 y 2.0 z 3.0 mm.",
    )  # fmt: skip
    ledger.record_event(ledger.get(number), EventKind.RELEASED, "by Anna Berger, because the boss said")
    other = ledger.open("orders/ACME/other impeller.stl")
    ledger.claimed(other, "processing/other impeller.stl")
    reason = "Canceled by Anna Berger: for Jo Planter."
    ledger.update_submission(ledger.get(other), state=SubmissionState.CANCELED, reason=reason)
    ledger.record_event(ledger.get(other), EventKind.CANCELED, "by Anna Berger: for Jo Planter")
    ledger.console_tokens.make("Anna Berger", "work")
    ledger.console_tokens.make("Willi Token", "view")


def unpacked(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


def test_nothing_that_was_planted_is_in_it(settings: Settings, ledger: Ledger) -> None:
    (settings.state / "logs" / "stlflow.log").write_text(LOG)
    fill(ledger)
    findings = [
        fail(f"The keys {ACCESS} / {SECRET} are refused for kim@planted.example.", "Ask Anna Berger.")
    ]
    with zipfile.ZipFile(io.BytesIO(make_bundle(settings, ledger, findings))) as bundle:
        texts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert set(texts) == {
        "README.txt", "doctor.json", "settings.json", "state.json", "submissions.json", "rules.yaml",
        "log.txt",
    }  # fmt: skip
    found = {(name, planted) for name, text in texts.items() for planted in PLANTED if planted in text}
    assert found == set()


def test_what_helps_is_still_there(settings: Settings, ledger: Ledger) -> None:
    (settings.state / "logs" / "stlflow.log").write_text(LOG)
    fill(ledger)
    with zipfile.ZipFile(
        io.BytesIO(make_bundle(settings, ledger, [fail("No share.", "Mount it.")]))
    ) as bundle:
        texts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert "429 too many requests" in texts["log.txt"]
    assert (
        "Submission 1: processing/<part 1>" in texts["log.txt"]
        or "Submission 1: <part 1>" in texts["log.txt"]
    )
    canceled, submission = json.loads(texts["submissions.json"])
    assert canceled["reason"] == "Canceled (cut: a person's words)."
    assert (submission["id"], submission["hold"]) == (1, "mesh")
    assert submission["reason"] == "Hole 3 × 2 mm at x 1.0 y 2.0 z 3.0 mm."
    assert [each["event"] for each in submission["history"]][-2:] == ["held", "released"]
    shown = json.loads(texts["settings.json"])
    assert (shown["access_key"], shown["settle_seconds"]) == ("(set)", 1.0)
    assert shown["database_url"] == "postgresql://***@db/stlflow"
    assert json.loads(texts["doctor.json"])["checks"][0]["says"] == "No share."
    assert json.loads(texts["state.json"])["counts"]["by_state"] == {"held": 1, "canceled": 1}
    assert "version: 1" in texts["rules.yaml"]


def test_without_a_database_and_a_log_there_is_still_a_bundle(settings: Settings) -> None:
    texts = unpacked(make_bundle(settings, None, []))
    assert texts["log.txt"] == ""
    assert "submissions.json" not in texts


def test_a_short_name_does_not_garble_the_log(settings: Settings, ledger: Ledger) -> None:
    """The stem `part` and the user `me` are words of any log."""
    number = ledger.open("part.stl")
    ledger.claimed(number, "done/part.stl")
    ledger.update_submission(ledger.get(number), dropped_by="me")
    scrub = make_scrubber(settings, ledger)
    assert scrub("the part is for me: part.stl") == "the part is for me: <part 1>"


def test_thousands_of_names_take_no_minutes() -> None:
    """The names of a shop's last parts, in each line of its log: the longest that is a word is replaced."""
    names = {f"cust{n % 50}/bracket-{n}.stl": f"<part {n}>" for n in range(2000)}
    names |= {f"bracket-{n}": f"<part {n}>" for n in range(2000)} | {"cust7": "<folder>"}
    scrub, began = Scrubber(files=names), time.process_time()
    text = "\n".join(f"Submission {n}: cust{n % 50}/bracket-{n % 2000}.stl held" for n in range(6000))
    shown = scrub(text).splitlines()
    assert shown[:2] == ["Submission 0: <part 0> held", "Submission 1: <part 1> held"]
    assert shown[5999] == "Submission 5999: <part 1999> held"
    assert scrub("cust7 and cust77, bracket-19 and bracket-19999") == (
        "<folder> and cust77, <part 19> and bracket-19999"
    )
    assert time.process_time() - began < 20, "one search for all of them; one for each took minutes"


def test_the_secrets_of_all_settings_are_known(settings: Settings) -> None:
    assert {ACCESS, SECRET, DATABASE, "proxy-planted-5", f"https://hooks.example/{HOOK}"} <= list_secrets(
        settings
    )
    (settings.state / "logs" / "stlflow.log").write_text("one\ntwo\nthree\n")
    assert read_log_tail(settings, 2, Scrubber()) == ["two", "three"]
