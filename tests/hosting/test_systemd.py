"""The systemd unit: what it says, that systemd takes it, and how it is written."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from workflow.errors import SettingsError
from workflow.hosting import ServicePlan, install_unit, render_unit, setup_commands
from workflow.hosting.systemd import mount_unit_name

PLAN = ServicePlan(
    command=("/opt/stlflow/bin/stlflow", "run"),
    folder=Path("/srv/stlflow"),
    share=Path("/mnt/nas/parts"),
    state=Path("/var/lib/stlflow"),
    others=(Path("/opt/stlflow"), Path("/usr")),
    variables={"STLFLOW_LOG_LEVEL": "DEBUG"},
    credentials=("STLFLOW_ACCESS_KEY",),
    mount_point=Path("/mnt/nas"),
)
AWKWARD = 'a "b" 100% $HOME c:\\d'


def lines(plan: ServicePlan = PLAN, user: str | None = "stlflow") -> list[str]:
    return render_unit(plan, user).splitlines()


def test_what_a_unit_for_all_says() -> None:
    said = lines()
    for line in (
        "Wants=network-online.target mnt-nas.mount",
        "After=network-online.target remote-fs.target mnt-nas.mount",
        "RequiresMountsFor=/var/lib/stlflow",
        "Type=notify",
        "ExecStart=/opt/stlflow/bin/stlflow run",
        "WorkingDirectory=/srv/stlflow",
        "User=stlflow",
        "Environment=STLFLOW_LOG_LEVEL=DEBUG",
        "LoadCredential=STLFLOW_ACCESS_KEY:/etc/stlflow/credentials/STLFLOW_ACCESS_KEY",
        "Restart=on-failure",
        "KillMode=mixed",
        "ProtectSystem=full",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "AmbientCapabilities=CAP_LEASE",
        "WantedBy=multi-user.target",
    ):
        assert said.count(line) == 1, line
    assert not any(line.startswith("ReadWritePaths") for line in said)


def test_one_of_ones_own_has_nothing_that_only_root_may_grant() -> None:
    said = lines(user=None)
    assert "WantedBy=default.target" in said
    assert "Type=notify" in said
    for forbidden in ("User=", "AmbientCapabilities=", "ProtectSystem=", "Wants=", "RequiresMountsFor="):
        assert not any(line.startswith(forbidden) for line in said)


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        ({"folder": Path("/home/shop/stlflow")}, "ProtectHome=yes"),
        ({"others": (Path("/root/.venv"),)}, "ProtectHome=yes"),
        ({"share": Path("/tmp/share")}, "PrivateTmp=yes"),
    ],
)
def test_what_would_hide_a_folder_that_is_needed_is_left_out(change: dict[str, Path], gone: str) -> None:
    assert gone not in lines(replace(PLAN, **change))  # type: ignore[arg-type]  # fields by name


def test_root_keeps_its_capabilities_for_it_needs_them_on_the_share() -> None:
    assert not any("Capabilit" in line for line in lines(user="root"))


def test_a_state_folder_in_a_protected_place_stays_writable() -> None:
    assert "ReadWritePaths=/etc/stlflow/state" in lines(replace(PLAN, state=Path("/etc/stlflow/state")))


def test_awkward_names_are_quoted() -> None:
    said = lines(replace(PLAN, command=(f"/opt/{AWKWARD}", "run"), variables={"STLFLOW_SHARE": AWKWARD}))
    assert 'ExecStart="/opt/a \\"b\\" 100%% $$HOME c:\\\\d" run' in said
    assert 'Environment="STLFLOW_SHARE=a \\"b\\" 100%% $HOME c:\\\\d"' in said


@pytest.mark.parametrize("place", ["/mnt/nas", "/srv/my parts/ü.x", "/.hidden/a-b", "/a_b:c"])
def test_the_unit_of_a_mount_is_named_as_systemd_does(place: str) -> None:
    tool = shutil.which("systemd-escape")
    if tool is None:
        pytest.skip("needs systemd-escape: install systemd")
    told = subprocess.run([tool, "--path", "--suffix=mount", place], capture_output=True, check=True)
    assert mount_unit_name(Path(place)) == told.stdout.decode().strip()


@pytest.mark.parametrize("user", ["root", None], ids=["for all", "one's own"])
def test_systemd_takes_the_unit(tmp_path: Path, user: str | None) -> None:
    """`systemd-analyze` reads it as the system manager does; it says every line that it does not know."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("needs systemd-analyze: install systemd")
    program = tmp_path / "a folder" / "stlflow"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    place = tmp_path / "stlflow.service"
    place.write_text(render_unit(replace(PLAN, command=(str(program), "run")), user), "utf-8")
    verified = subprocess.run([tool, "verify", "--man=no", str(place)], capture_output=True, check=False)
    assert (verified.returncode, verified.stderr.decode()) == (0, "")
    place.write_text(place.read_text("utf-8").replace("KillMode=mixed", "KilMode=mixed"), "utf-8")
    wrong = subprocess.run([tool, "verify", "--man=no", str(place)], capture_output=True, check=False)
    assert "'KilMode'" in wrong.stderr.decode()


def test_it_is_written_once_and_another_is_not_replaced(tmp_path: Path) -> None:
    place = tmp_path / "user" / "stlflow.service"
    assert install_unit("one\n", place)
    assert not install_unit("one\n", place)
    with pytest.raises(SettingsError, match="is there already, and is another one"):
        install_unit("two\n", place)
    assert place.read_text() == "one\n"
    assert install_unit("two\n", place, force=True)
    assert [(found.name, found.read_text()) for found in place.parent.iterdir()] == [
        ("stlflow.service", "two\n")
    ]


def test_what_is_left_to_a_person() -> None:
    assert setup_commands(PLAN, "stlflow") == (
        "id stlflow || sudo useradd --system --home-dir /var/lib/stlflow stlflow",
        "sudo mkdir -p /var/lib/stlflow && sudo chown -R stlflow /var/lib/stlflow",
        "sudo install -d -m 700 /etc/stlflow/credentials",
        "sudo install -m 600 /dev/stdin /etc/stlflow/credentials/STLFLOW_ACCESS_KEY"
        "    # paste it, Enter, Ctrl-D",
        "sudo -u stlflow /opt/stlflow/bin/stlflow doctor",
        "sudo systemctl daemon-reload",
        "sudo systemctl enable --now stlflow.service",
        "sudo systemctl status stlflow.service",
    )
    assert setup_commands(PLAN, "root")[0].startswith("# As root it could do anything")
    assert setup_commands(replace(PLAN, credentials=()), None) == (
        "/opt/stlflow/bin/stlflow doctor",
        "systemctl --user daemon-reload",
        "systemctl --user enable --now stlflow.service",
        "systemctl --user status stlflow.service",
        "loginctl enable-linger    # otherwise it ends when you log out",
    )
