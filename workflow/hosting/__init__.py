"""How the system runs stlflow: units and instructions, made from the settings; nothing is started here."""

from workflow.hosting.plan import ServicePlan, make_service_plan
from workflow.hosting.systemd import UNIT_NAME, install_unit, render_unit, setup_commands, unit_path
from workflow.hosting.windows import windows_instructions
