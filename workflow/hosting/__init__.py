"""How the system runs stlflow: units and instructions, made from the settings; nothing is started here."""

from workflow.hosting.launchd import (
    LABEL,
    launchd_commands,
    launchd_domain,
    plist_path,
    render_plist,
)
from workflow.hosting.plan import ServicePlan, make_service_plan
from workflow.hosting.systemd import UNIT_NAME, install_unit, render_unit, setup_commands, unit_path
from workflow.hosting.windows import (
    DELETE_WORDS,
    STATUS_WORDS,
    windows_commands,
    windows_files,
    windows_instructions,
)
