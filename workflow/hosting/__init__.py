"""How the system runs stlflow: units and instructions, made from the settings; nothing is started here."""

from workflow.hosting.plan import Plan, make_plan
from workflow.hosting.systemd import UNIT, install_unit, steps, unit, unit_place
from workflow.hosting.windows import instructions

__all__ = [
    "UNIT",
    "Plan",
    "install_unit",
    "instructions",
    "make_plan",
    "steps",
    "unit",
    "unit_place",
]
