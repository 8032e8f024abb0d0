"""The property list for launchd (macOS): text from a plan, where it goes, and what to type next."""

import plistlib
from pathlib import Path

from workflow.hosting.plan import ENV_FILE_HINT, ServicePlan

LABEL = "stlflow"
SYSTEM_FOLDER = Path("/Library/LaunchDaemons")
STOP_SECONDS = 90
THROTTLE_SECONDS = 30
GROUP_WRITES_MASK = 0o002


def render_plist(plan: ServicePlan, user: str | None) -> str:
    """Return the property list; `user` runs it from the start of the machine, None runs it for oneself."""
    service: dict[str, object] = {
        "Label": LABEL,
        "ProgramArguments": list(plan.command),
        "WorkingDirectory": str(plan.folder),
        "EnvironmentVariables": {**plan.variables, "PYTHONUNBUFFERED": "1"},
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": THROTTLE_SECONDS,
        "ExitTimeOut": STOP_SECONDS,
        "Umask": GROUP_WRITES_MASK,
        "ProcessType": "Background",
        "StandardErrorPath": str(plan.state / "logs" / "launchd.log"),
    }
    if user is not None:
        service["UserName"] = user
    return plistlib.dumps(service, sort_keys=False).decode()


def plist_path(user: str | None) -> Path:
    """Return where the property list goes: for the machine, or for oneself."""
    folder = Path.home() / "Library" / "LaunchAgents" if user is None else SYSTEM_FOLDER
    return folder / f"{LABEL}.plist"


def launchd_domain(user: str | None, uid: int) -> str:
    """Return the domain that launchctl loads it into."""
    return f"gui/{uid}" if user is None else "system"


def launchd_commands(plan: ServicePlan, user: str | None, uid: int) -> tuple[str, ...]:
    """Return the commands that are left to a person, in order; they hold no key."""
    domain, root = launchd_domain(user, uid), "" if user is None else "sudo "
    return (
        f"# {ENV_FILE_HINT.format(folder=plan.folder)}",
        f"{root}launchctl bootstrap {domain} {plist_path(user)}",
        f"{root}launchctl print {domain}/{LABEL}",
    )
