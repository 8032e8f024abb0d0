"""The console: what waits for a person, and why, with buttons."""

from workflow.console.server import (
    IfBusy,
    address_text,
    make_console,
    open_listener,
    running_console,
    serving_console,
)
