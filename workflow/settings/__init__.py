"""Settings: `STLFLOW_…` variables > `.env` > `stlflow.toml` > secret files > defaults.

Unknown names are refused with a suggestion, and a wrong value with one sentence that says where it is
and what to write instead; no message repeats a key.
"""

from workflow.settings.load import load_settings, read_effective_values, stlflow_command
from workflow.settings.model import ENV_PREFIX, LEDGER_FILE, Settings, outdated_settings
from workflow.settings.notices import (
    ADMINISTRATOR,
    CHANNELS,
    NOTICES,
    SHOP,
    NoticeSettings,
    NoticeTarget,
    default_events,
    parse_hours,
    split_addresses,
)
from workflow.settings.parts import DEFAULT_STATUS_PAGE
from workflow.settings.shadow import shadow_settings
from workflow.settings.sources import (
    ENV_FILE,
    SETTINGS_FILE,
    SETTINGS_FILE_VARIABLE,
    Source,
    SourceValue,
    read_all_sources,
    settings_file,
)
