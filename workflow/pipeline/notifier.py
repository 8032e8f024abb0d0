"""Sends what the outbox holds, in a thread of its own: no submission ever waits for a receiver.

Each row is claimed, sent and settled. What was claimed and never settled (stlflow was killed, or the receiver
sent no reply) may have arrived: it is sent again under the same id, and says so.
"""

import secrets
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from loguru import logger

from workflow.errors import catch_faults
from workflow.ledger import DELIVERED, GIVEN_UP, OUTDATED, UNCONFIRMED, Ledger
from workflow.model import Notice
from workflow.notices import (
    GIVE_UP_AFTER,
    REPEATABLE_CHANNELS,
    NotDelivered,
    NoticePolicy,
    deliver,
    plan_messages,
    retry_seconds,
)
from workflow.pipeline.compose_notice import Composer, Submissions, is_untrue
from workflow.pipeline.context import Context, now
from workflow.pipeline.thumbnails import read_thumbnail
from workflow.pipeline.trouble_watch import hears_trouble, make_trouble_watch
from workflow.pipeline.work_queue import FailureLog
from workflow.settings import NoticeSettings, NoticeTarget, parse_hours

Run = Callable[[threading.Event], None]
POLL_SECONDS = 2.0
IDLE_POLL_SECONDS = 60.0
"""Without targets the outbox is only emptied."""
LEASE = timedelta(minutes=3)
"""Longer than any channel may take: what was begun before that belongs to a sender that is gone."""
PATIENCE_SECONDS = 5.0
"""So long a round waits for its messages; those that hang go on behind it."""
MAX_UNCONFIRMED = 2
"""So often a message without a reply is sent over a channel whose receiver knows no ids."""
ROUNDS_PER_CLEANING = 60
KEEP_SETTLED = timedelta(days=7)


def policy_of(composer: Composer) -> NoticePolicy:
    """Return when notices may be sent."""
    settings = composer.settings
    quiet = None if settings.quiet_hours is None else parse_hours(settings.quiet_hours)
    gather = timedelta(seconds=settings.gather_seconds)
    return NoticePolicy(gather, quiet, frozenset(settings.urgent), composer.zone)


@dataclass
class Notifier:
    """The sender of notices; several processes may have one each on a shared ledger."""

    composer: Composer
    ca_bundle: str | None = None
    proxy_for: Callable[[str], str | None] = lambda _: None
    clock: Callable[[], datetime] = now
    _failures: FailureLog = field(
        default_factory=lambda: FailureLog("The sender of notices", "Notices wait until then.")
    )
    _sending: dict[str, threading.Thread] = field(default_factory=dict)
    """The last thread of each receiver."""

    def run(self, stop: threading.Event) -> None:
        """Send until told to stop."""
        with self._failures:
            if not self._ledger.is_shared:  # one process: whatever was being sent is not any more
                self._ledger.notices.free_interrupted(self.clock())
        rounds = 0
        while not stop.is_set():
            with self._failures:
                self.work(stop)
                if rounds % ROUNDS_PER_CLEANING == 0:
                    self.clean()
            rounds += 1
            stop.wait(POLL_SECONDS if _has_targets(self._settings) else IDLE_POLL_SECONDS)

    def work(self, stop: threading.Event) -> None:
        """Send once what is due. Raises StateFolderError."""
        outbox, present = self._ledger.notices, self.clock()
        self.address()
        waiting = outbox.list_waiting()
        plan = plan_messages(waiting, present, policy_of(self.composer))
        if plan.expired:
            logger.warning("{} notices not delivered within a day. Run `stlflow doctor`.", len(plan.expired))
            outbox.end([each.id for each in plan.expired], GIVEN_UP)
        outbox.end([each.id for each in plan.superseded], OUTDATED)
        by_receiver: dict[str, list[Sequence[Notice]]] = defaultdict(list)
        for batch in plan.batches:
            by_receiver[self._receiver_of(batch[0].target)].append(batch)
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        for thread in [self._start_sending(*each, stop) for each in by_receiver.items()]:
            thread.join(max(give_up_at - time.monotonic(), 0.0))

    def _receiver_of(self, target: str) -> str:
        """Return what hangs as one: a target by itself, but all mails, which one server takes."""
        known = self._settings.target(target)
        return target if known is None or known.channel != "mail" else "mail"

    def _start_sending(
        self, receiver: str, batches: Sequence[Sequence[Notice]], stop: threading.Event
    ) -> threading.Thread:
        """Send in a thread of its own, so that one that hangs delays no other; of each receiver one runs."""
        thread = self._sending.get(receiver)
        if thread is None or not thread.is_alive():
            run = partial(self._send_all, batches, stop)
            self._sending[receiver] = thread = threading.Thread(target=run, name="notices", daemon=True)
            thread.start()
        return thread

    def _send_all(self, batches: Sequence[Sequence[Notice]], stop: threading.Event) -> None:
        silent: set[str] = set()
        with self._failures:
            for batch in batches:
                if stop.is_set():
                    return
                if batch[0].target not in silent and not self.send(batch):
                    silent.add(batch[0].target)

    def clean(self) -> None:
        """Free what a dead sender left, and delete what was settled long ago. Raises StateFolderError."""
        self._ledger.notices.free_interrupted(self.clock() - LEASE)
        self._ledger.notices.delete_settled(self.clock() - KEEP_SETTLED)

    def address(self) -> None:
        """Find out who hears of what is new. Raises StateFolderError."""
        outbox = self._ledger.notices
        while found := outbox.list_unaddressed():
            known = self.composer.submissions(found)
            outbox.address({each.id: self.composer.recipients(each, known) for each in found})

    def send(self, batch: Sequence[Notice]) -> bool:
        """Send one message; False if its target did not take it. Raises StateFolderError."""
        outbox, first = self._ledger.notices, batch[0]
        known = self.composer.submissions(batch)
        told = [each for each in batch if not is_untrue(each, known)]
        outbox.end([each.id for each in batch if each not in told], OUTDATED)
        target = self._settings.target(first.target)
        if target is None:  # of another worker's settings, or of former ones
            outbox.end([each.id for each in told if self.clock() - each.at > GIVE_UP_AFTER], OUTDATED)
            return False
        if told and _is_exhausted(target, first.unconfirmed):
            outbox.end([each.id for each in told], UNCONFIRMED)
            return True
        message = first.message or secrets.token_hex(12)
        if not told or not outbox.begin([each.id for each in told], message):
            return True  # nothing is left to say, or another worker was quicker
        failed = catch_faults(
            lambda: self._deliver(target, told, known, message),
            lambda fault: NotDelivered(f"a fault of stlflow ({type(fault).__name__})"),
        )
        self._settle(target, first, message, failed)
        return failed is None

    def _settle(self, target: NoticeTarget, first: Notice, message: str, failed: NotDelivered | None) -> None:
        """Record how a message ended, or when it is tried again."""
        outbox = self._ledger.notices
        if failed is None:
            outbox.settle(message, DELIVERED)
            return
        logger.warning("Notice for {}: {}.", first.target, failed)
        due_at = self.clock() + timedelta(seconds=retry_seconds(first.tries + 1))
        if not failed.may_have_arrived:
            outbox.postpone(message, due_at, str(failed))
        elif _is_exhausted(target, first.unconfirmed + 1):
            outbox.settle(message, UNCONFIRMED, str(failed))
        else:
            outbox.repeat(message, due_at, str(failed))

    def _deliver(
        self, target: NoticeTarget, told: Sequence[Notice], known: Submissions, message: str
    ) -> NotDelivered | None:
        text, repeat = self.composer.compose(told, known), told[0].unconfirmed > 0
        try:
            deliver(
                target, text, message, self.clock(),
                settings=self._settings, ca_bundle=self.ca_bundle,
                proxy=self.proxy_for(target.address.get_secret_value()), repeat=repeat,
            )  # fmt: skip
        except NotDelivered as failed:
            return failed
        return None

    @property
    def _ledger(self) -> Ledger:
        return self.composer.ledger

    @property
    def _settings(self) -> NoticeSettings:
        return self.composer.settings


def make_notifier(context: Context) -> Notifier:
    """Return the sender of notices of a service."""
    folder = context.thumbnails
    composer = Composer(
        context.ledger,
        context.notices,
        zone=context.zone,
        ways=context.ways,
        prices=context.prices,
        changeover_seconds=context.changeover_seconds,
        rulebook=lambda: context.rulebook,
        picture=partial(read_thumbnail, folder) if folder else lambda _: None,
        link_key=context.link_key,
    )
    return Notifier(composer, context.ca_bundle, context.proxy_for)


def notice_threads(context: Context, leads: Callable[[], bool]) -> Mapping[str, Run]:
    """Return what a service runs in threads of its own for notices, by name.

    `leads` is true for the one worker that checks what all share.
    """
    threads = {"notices": make_notifier(context).run}
    if hears_trouble(context.notices):
        watch = make_trouble_watch(context, socket.gethostname(), leads)
        threads["trouble"] = watch.run
    return threads


def _has_targets(settings: NoticeSettings) -> bool:
    return bool(settings.targets or settings.folders or settings.owners)


def _is_exhausted(target: NoticeTarget, unconfirmed: int) -> bool:
    """True if a message without a reply was sent often enough: its receiver can't tell a repeat."""
    return target.channel not in REPEATABLE_CHANNELS and unconfirmed >= MAX_UNCONFIRMED
