"""Measurements for Prometheus: about fifteen series, all from the database, so any worker gives the same.

Labels have few values that the program knows beforehand: never a file, a person or a printer.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from workflow import __version__
from workflow.assembly import is_worker_alive
from workflow.doctor.readiness import Readiness, has_canary, read_readiness
from workflow.frozen import frozen
from workflow.ledger import CLOCK, RULES_ERROR_KEY, Ledger, VitalCounts, list_workers
from workflow.model import HoldReason, Step, SubmissionState, Worker
from workflow.settings import Settings

METRICS_KIND = CONTENT_TYPE_LATEST
QUANTILES = (0.5, 0.9)


@frozen
class Measurements:
    """What is measured at one moment."""

    now: float
    counts: VitalCounts
    workers: tuple[Worker, ...]
    readiness: Readiness
    rules_refused: bool
    printers_out: int
    mass_arrival_files: int
    free_bytes: Mapping[str, int]
    canary_passed_at: float | None


def read_measurements(ledger: Ledger, settings: Settings) -> Measurements:
    """Return the measurements of now. Raises StateFolderError."""
    now = CLOCK.seconds()
    free = {}
    with suppress(OSError):
        free["state"] = shutil.disk_usage(settings.state).free
    return Measurements(
        now,
        ledger.vital_counts.read(),
        tuple(each for each in list_workers(ledger) if is_worker_alive(each, settings, now)),
        read_readiness(ledger, settings),
        bool(ledger.metadata.read(RULES_ERROR_KEY)),
        ledger.outages.count_current(now),
        sum(not accepted for accepted in ledger.mass_arrival.read_paths().values()),
        free,
        (ledger.canary.read().passed_at or None) if has_canary(settings) else None,
    )


def encode_metrics(measured: Measurements) -> bytes:
    """Return the measurements in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Measured(measured))
    return generate_latest(registry)


class _Measured(Collector):
    def __init__(self, measured: Measurements) -> None:
        self._measured = measured

    def collect(self) -> Iterator[Metric]:
        """Yield every series."""
        yield from _work_series(self._measured)
        yield from _cloud_series(self._measured)
        yield from _condition_series(self._measured)


def _work_series(measured: Measurements) -> Iterator[Metric]:
    counts = measured.counts
    yield _by_word("submissions", "Submissions by state.", "state", SubmissionState, counts.by_state)
    yield _by_word("held", "Held submissions by reason.", "hold", HoldReason, counts.by_hold)
    yield _by_word(
        "steps_due", "Steps that could run now and wait for a thread.", "step", Step, counts.steps_due
    )
    yield _by_word("steps_running", "Steps that run now.", "step", Step, counts.steps_running)
    held, due = counts.oldest_held_seconds, counts.oldest_due_seconds
    yield _value("oldest_held_seconds", "Since the file that is held longest was held.", held or 0)
    yield _value("oldest_step_due_seconds", "How long the oldest step that is due waits.", due or 0)
    yield _value("bulk_arrival_files", "Files that wait to be accepted.", measured.mass_arrival_files)
    durations = GaugeMetricFamily(
        "stlflow_step_seconds", "How long steps took in the last 24 hours.", labels=("step", "quantile")
    )
    for step, times in sorted(counts.durations.items()):
        for quantile in QUANTILES:
            durations.add_metric((step, str(quantile)), quantile_of(times, quantile))
    yield durations


def _cloud_series(measured: Measurements) -> Iterator[Metric]:
    clouds = [worker.vitals.cloud for worker in measured.workers]
    yield _counter(
        "cloud_calls", "Calls to Eiger of the workers that run.", sum(each.calls for each in clouds)
    )
    yield _counter("cloud_failures", "Calls to Eiger that failed.", sum(each.failures for each in clouds))
    latency = max((each.last_seconds for each in clouds if each.last_seconds is not None), default=None)
    yield _value(
        "cloud_latency_seconds", "How long Eiger's last answer took; the slowest of all workers.", latency
    )
    answered = max((each.answered_at for each in clouds if each.answered_at is not None), default=None)
    yield _value("cloud_answer_age_seconds", "Since Eiger answered.", _since(answered, measured.now))


def _condition_series(measured: Measurements) -> Iterator[Metric]:
    yield _value("workers", "Workers with a heartbeat.", len(measured.workers))
    scans = (each.vitals.scanned_at for each in measured.workers)
    scanned = max((at for at in scans if at is not None), default=None)
    yield _value(
        "scan_age_seconds",
        "Since the inbox was last scanned without an error.",
        _since(scanned, measured.now),
    )
    ready = GaugeMetricFamily("stlflow_ready", "1 if this is ready: see /readyz.", labels=("check",))
    for check in measured.readiness.checks:
        ready.add_metric((check.name,), float(check.ready))
    yield ready
    age = _since(measured.canary_passed_at, measured.now)
    yield _value("canary_age_seconds", "Since a canary passed.", age)
    yield _value("rules_refused", "1 if a changed rules file is not loaded.", measured.rules_refused)
    yield _value("printers_out", "Printers that are out of choice.", measured.printers_out)
    free = GaugeMetricFamily("stlflow_free_bytes", "Free space beside a folder.", labels=("folder",))
    for folder, count in measured.free_bytes.items():
        free.add_metric((folder,), count)
    yield free
    release = GaugeMetricFamily("stlflow_release", "The release that answers.", labels=("release",))
    release.add_metric((__version__,), 1)
    yield release


def quantile_of(times: Sequence[float], quantile: float) -> float:
    """Return the smallest of sorted times that this share of them does not exceed."""
    return times[min(int(quantile * len(times)), len(times) - 1)]


def _by_word(
    name: str, text: str, label: str, words: Iterable[str], counts: Mapping[str, int]
) -> GaugeMetricFamily:
    """Return a count for each word, also for those that there is none of: an alert needs the 0."""
    family = GaugeMetricFamily(f"stlflow_{name}", text, labels=(label,))
    for word in words:
        family.add_metric((str(word),), counts.get(str(word), 0))
    return family


def _value(name: str, text: str, value: float | None) -> GaugeMetricFamily:
    """Return one value; none where nothing was measured yet, which an age of 0 would call fresh."""
    return GaugeMetricFamily(f"stlflow_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"stlflow_{name}", text, value=value)


def _since(then: float | None, now: float) -> float | None:
    return None if then is None else max(now - then, 0.0)
