"""Settings: `STLFLOW_…` variables > `.env` > `stlflow.toml` > secret files > defaults.

Unknown names are refused with a suggestion, and a wrong value with one sentence that says where it stands
and what to write instead; no message repeats a key.
"""

from workflow.settings.given import ENV_FILE, SETTINGS_FILE, Given, Source, everything_given
from workflow.settings.loading import load_settings
from workflow.settings.model import EIGER_URL, LEDGER_FILE, PREFIX, Settings

__all__ = [
    "EIGER_URL",
    "ENV_FILE",
    "LEDGER_FILE",
    "PREFIX",
    "SETTINGS_FILE",
    "Given",
    "Settings",
    "Source",
    "everything_given",
    "load_settings",
]
