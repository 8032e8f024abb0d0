"""The systemd unit: text from a plan, where it goes, and what to type next."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from workflow.errors import SettingsError
from workflow.hosting.plan import ServicePlan
from workflow.settings.secrets import SYSTEM_CREDENTIALS, own_credentials

UNIT_NAME = "stlflow.service"
SYSTEM_UNITS = Path("/etc/systemd/system")
_HOME_FOLDERS = (Path("/home"), Path("/root"), Path("/run/user"))
_TEMPORARY_FOLDERS = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108  # places that a unit may be given of its own
_READ_ONLY_FOLDERS = (Path("/usr"), Path("/boot"), Path("/efi"), Path("/etc"))
"""What ProtectSystem=full makes read-only (systemd.exec(5))."""
_HARDENING = """\
NoNewPrivileges=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM"""


def render_unit(plan: ServicePlan, user: str | None) -> str:
    """Return the unit; `user` runs it, None makes it a unit of one's own user manager."""
    lines = [*_unit_section(plan, user), "", *_service_section(plan, user), "", *_install_section(user)]
    return "\n".join(lines) + "\n"


def unit_path(user: str | None) -> Path:
    """Return where the unit goes."""
    own = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"
    return (own if user is None else SYSTEM_UNITS) / UNIT_NAME


def install_unit(text: str | bytes, place: Path, *, force: bool = False) -> bool:
    """Write the unit; False if the same unit is there. Raises SettingsError if another one is, OSError."""
    content = text.encode() if isinstance(text, str) else text
    if place.exists():
        if place.read_bytes() == content:
            return False
        if not force:
            raise SettingsError(
                f"{place} is there already, and is another one. Compare it with `stlflow service show`, or "
                f"replace it with --force."
            )
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_name(f".{place.name}.new")
    unfinished.write_bytes(content)
    unfinished.replace(place)
    return True


def setup_commands(plan: ServicePlan, user: str | None) -> tuple[str, ...]:
    """Return the commands that are left to a person, in order; they hold no key."""
    systemctl, root = ("systemctl --user", "") if user is None else ("sudo systemctl", "sudo ")
    secrets = credentials_folder(user)
    keys = [
        f"{root}install -m 600 /dev/stdin {secrets / name}    # paste it, Enter, Ctrl-D"
        for name in plan.credentials
    ]
    made = [f"{root}install -d -m 700 {secrets}"] if keys else []
    account = [] if user is None else _account_commands(plan, user)
    return (
        *account,
        *made,
        *keys,
        f"{'' if user is None else f'sudo -u {user} '}{shlex.join((*plan.command[:-1], 'doctor'))}",
        f"{systemctl} daemon-reload",
        f"{systemctl} enable --now {UNIT_NAME}",
        f"{systemctl} status {UNIT_NAME}",
        *(["loginctl enable-linger    # otherwise it ends when you log out"] if user is None else []),
    )


def _account_commands(plan: ServicePlan, user: str) -> list[str]:
    if user == "root":
        return [
            "# As root it could do anything: make an account, let it write in the share, and say --user NAME."
        ]
    state = shlex.quote(str(plan.state))
    return [
        f"id {user} || sudo useradd --system --home-dir {state} {user}",
        f"sudo mkdir -p {state} && sudo chown -R {user} {state}",
    ]


def credentials_folder(user: str | None) -> Path:
    """Return where the secret files are."""
    return own_credentials() if user is None else SYSTEM_CREDENTIALS


def mount_unit_name(mount_point: Path) -> str:
    """Return the name of a mount's unit, as `systemd-escape --path --suffix=mount` does."""
    name = "/".join(mount_point.parts[1:])
    escaped = "".join(_escape_byte(byte, first=at == 0) for at, byte in enumerate(os.fsencode(name)))
    return f"{escaped or '-'}.mount"


def _unit_section(plan: ServicePlan, user: str | None) -> Iterator[str]:
    yield "[Unit]"
    yield "Description=stlflow: from a folder of STL files to the queues of Eiger"
    if user is not None:
        mount = [] if plan.mount_point is None else [mount_unit_name(plan.mount_point)]
        yield "# The share's mount is wanted, not required: stlflow waits for one that fails or comes late,"
        yield "# and a required one that fails at boot would keep the service down for good."
        yield " ".join(("Wants=network-online.target", *mount))
        yield " ".join(("After=network-online.target remote-fs.target", *mount))
        yield f"RequiresMountsFor={_quote_word(plan.state)}"
    yield "# Never give up: the reason why it does not start may be gone in a minute."
    yield "StartLimitIntervalSec=0"


def _service_section(plan: ServicePlan, user: str | None) -> Iterator[str]:
    yield "[Service]"
    yield "Type=notify"
    yield f"ExecStart={' '.join(_quote_word(word.replace('$', '$$')) for word in plan.command)}"
    yield f"WorkingDirectory={_escape_specifiers(str(plan.folder))}"
    if user is not None:
        yield f"User={user}"
    for name, value in plan.variables.items():
        yield f"Environment={_quote_word(f'{name}={value}')}"
    for name in plan.credentials:
        yield f"LoadCredential={name}:{_escape_specifiers(str(credentials_folder(user) / name))}"
    yield "# What is made in the share is for its group, too; the state folder is private by itself."
    yield "UMask=0002"
    yield "Restart=on-failure"
    yield "RestartSec=30"
    yield "# The start asks Eiger first and waits for it; a stop lets running steps reach a safe point."
    yield "TimeoutStartSec=300"
    yield "TimeoutStopSec=90"
    yield "WatchdogSec=300"
    yield "# Meshes are inspected in a process of its own, which may be killed and is replaced."
    yield "KillMode=mixed"
    yield "OOMPolicy=continue"
    yield ""
    yield from _hardening_lines(plan, user)


def _hardening_lines(plan: ServicePlan, user: str | None) -> Iterator[str]:
    if user is None:
        yield "NoNewPrivileges=yes"
        return
    yield "# Not `strict`: it needs ReadWritePaths=, which pins a share in a folder of a mount; when that"
    yield "# is mounted again, stlflow would go on in the old one."
    yield "ProtectSystem=full"
    written = [place for place in (plan.share, plan.state) if _is_below(place, _READ_ONLY_FOLDERS)]
    if written:
        yield f"ReadWritePaths={' '.join(map(_quote_word, written))}"
    if not any(_is_below(place, _HOME_FOLDERS) for place in plan.places):
        yield "ProtectHome=yes"
    if not any(_is_below(place, _TEMPORARY_FOLDERS) for place in plan.places):
        yield "PrivateTmp=yes"
    if user != "root":  # who needs its other capabilities for the files of everybody
        yield "# To see who still writes another user's file; otherwise files wait longer (leases, fcntl(2))."
        yield from ("AmbientCapabilities=CAP_LEASE", "CapabilityBoundingSet=CAP_LEASE")
    yield from _HARDENING.splitlines()


def _install_section(user: str | None) -> Iterator[str]:
    yield "[Install]"
    yield f"WantedBy={'default' if user is None else 'multi-user'}.target"


def _is_below(place: Path, tops: tuple[Path, ...]) -> bool:
    return any(place.is_relative_to(top) for top in tops)


def _escape_specifiers(text: str) -> str:
    return text.replace("%", "%%")


def _quote_word(word: object) -> str:
    """Quote a word where systemd would split or read it otherwise (systemd.syntax(7))."""
    text = _escape_specifiers(str(word))
    if re.fullmatch(r"[\w@%+=:,./~-]+", text, re.ASCII):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _escape_byte(byte: int, *, first: bool) -> str:
    letter = chr(byte)
    if letter == "/":
        return "-"
    plain = re.fullmatch(r"[0-9A-Za-z:_.]", letter) and not (first and letter == ".")
    return letter if plain else f"\\x{byte:02x}"
