"""What would happen to the files of a folder, for `rules explain FOLDER` and `batch --dry-run`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from workflow.assembly import make_inspector
from workflow.eiger import make_client
from workflow.model import DeviceFacts
from workflow.operations import open_ledger_if_any
from workflow.pipeline.check_rules import refuse_unknown_names
from workflow.pipeline.cloud_cache import CloudCache
from workflow.pipeline.facts import device_facts
from workflow.pipeline.folder_forecast import FileForecast, Forecaster, Given
from workflow.routing import Rulebook
from workflow.settings import Settings


def forecast_folder(
    settings: Settings,
    rulebook: Rulebook,
    folder: Path,
    devices: Sequence[DeviceFacts] | None = None,
    given: Given = (),
) -> Iterator[FileForecast]:
    """Yield what would become of each file, if the folder's content were dropped. Raises ShareError."""
    inbox, place = settings.inbox.absolute(), folder.absolute()
    below = place.relative_to(inbox).as_posix() if place.is_relative_to(inbox) else "."
    prefix = "" if below == "." else f"{below}/"
    with make_inspector(settings) as inspector, open_ledger_if_any(settings) as ledger:
        decides = Forecaster(rulebook, inspector, ledger, settings.zone, devices, given)
        yield from decides.forecast_folder(place, prefix)


def forecast_batch(settings: Settings, rulebook: Rulebook, folder: Path) -> Iterator[FileForecast]:
    """Yield what a batch would do with each file. Eiger is only read.

    Raises RulesError for names that Eiger lacks, ShareError, CloudError, SettingsError.
    """
    with make_client(settings, reads_only=True) as client:
        catalog = CloudCache(client)
        refuse_unknown_names(rulebook, catalog)
        devices = tuple(map(device_facts, catalog.devices()))
    with make_inspector(settings) as inspector, open_ledger_if_any(settings) as ledger:
        decides = Forecaster(rulebook, inspector, ledger, settings.zone, devices, as_batch=True)
        yield from decides.forecast_folder(folder)
