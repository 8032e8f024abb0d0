"""A support bundle names no machine and no folder of the shop: people name them after themselves."""

import json
from pathlib import Path

import pytest

from tests.doctor.test_bundle import unpacked
from workflow.doctor.bundle import make_bundle
from workflow.doctor.finding import fail
from workflow.doctor.scrub import make_scrubber
from workflow.ledger import Ledger, register_worker
from workflow.settings import Settings
from workflow.settings.notices import NoticeSettings

NAME = "Wilhelmina"


@pytest.mark.parametrize("spelled", [NAME, NAME.lower(), f"{NAME.lower()}-hoffmann"])
def test_a_name_in_every_setting_is_nowhere_in_it(
    spelled: str, tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders, machines, mail, proxies and addresses with tokens, as a small shop calls them."""
    home, low = tmp_path / "Users" / spelled, spelled.lower()
    monkeypatch.setattr("socket.gethostname", lambda: f"{spelled}s-pc.{spelled}.example")
    monkeypatch.setattr("getpass.getuser", lambda: spelled)
    monkeypatch.setattr("pathlib.Path.home", lambda: home)
    share, state = home / "parts of the shop", tmp_path / f"{spelled} state"
    rules, logs = home / f"{spelled}.yaml", state / "logs"
    logs.mkdir(parents=True)
    (share / "inbox" / spelled).mkdir(parents=True)
    rules.write_text(f"version: 1  # {spelled}\n")
    address = f"https://{spelled}.example:8443/{spelled}?token={spelled}"
    settings = Settings.model_validate(
        {
            "share": share, "state": state, "rules": rules, "contact": spelled, "eiger_url": address,
            "ca_bundle": tmp_path / spelled / "company.pem", "decisions": tmp_path / f"{spelled}s decisions",
            "proxy": f"http://{spelled}:{spelled}-pw@proxy.{spelled}.example:3128",
            "database_url": f"postgresql://{spelled}@nas-{spelled}.local/{spelled}?sslkey=/x/{spelled}.key",
            "console_host": f"{spelled}s-pc", "console_names": f"stlflow.{spelled}.example, {spelled}",
            "console_proxies": f"192.0.2.7,{spelled}", "status_page": f"{spelled}.html",
            "eiger_link": f"https://{spelled}.example/{{build_id}}",
        }
    )  # fmt: skip
    target = {"mail": f"{spelled}@{spelled}.example"}
    hook = {"webhook": f"https://{spelled}.example/hooks/{spelled}/t0ken"}
    settings = settings.with_notices(
        NoticeSettings.model_validate(
            {
                "targets": {low: target, "shop": hook}, "folders": {f"orders/{spelled}": low},
                "owners": {f"{spelled}\\{spelled}": low}, "mail_from": f"{spelled}@{spelled}.example",
                "mail_server": f"smtps://{spelled}@smtp.{spelled}.example",
                "console_url": f"https://{spelled}s-pc.{spelled}.example/stlflow",
            }
        )
    )  # fmt: skip
    lines = [
        f"Watching {share}/inbox for {address}", f"{state}/stlflow.db is locked by {spelled}s-pc",
        f"{share}/inbox/{spelled}/x.stl: no right. Only {spelled} may write to {share}",
        f"{home}/bin/python: no route to nas-{spelled}.local, {spelled}.example, proxy.{spelled}.example",
        f"mail to {spelled}@localhost by smtp.{spelled}.example: refused", f"GET {address}",
        f"C:\\Users\\{spelled}\\x: 192.0.2.7 asks for stlflow.{spelled}.example; {rules.parent}: gone",
    ]  # fmt: skip
    (logs / "stlflow.log").write_text("\n".join(lines))
    register_worker(ledger, "home", f"{spelled}s-pc", 17, "0.1.0")
    content = make_bundle(settings, ledger, [fail(f"{share}: no such folder.", f"Ask {spelled}.")])
    texts = unpacked(content)
    found = [
        line for name, text in texts.items() for line in (name, *text.splitlines())
        if spelled.casefold() in line.casefold() or str(tmp_path) in line or "192.0.2.7" in line
    ]  # fmt: skip
    assert found == []
    assert "Watching <share>/inbox for https://<host of eiger_url>" in texts["log.txt"]
    assert "<state>/stlflow.db is locked by <" in texts["log.txt"]
    assert json.loads(texts["settings.json"])["share"] == "<share>"
    assert json.loads(texts["settings.json"])["largest_file_mb"] == settings.largest_file_mb
    assert json.loads(texts["doctor.json"])["checks"][0]["says"] == "<share>: no such folder."


def test_usual_places_and_words_of_a_log_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "localhost")
    scrub = make_scrubber(Settings.model_validate({"share": "/srv/share", "state": "/var/lib/stlflow"}), None)
    line = (
        "/srv/share/inbox: the share is there; the state of the database is in /var/lib/stlflow on 127.0.0.1"
    )
    assert scrub(line) == line
    assert scrub("https://www.eiger.io/api/v3 answers") == "https://www.eiger.io/api/v3 answers"
