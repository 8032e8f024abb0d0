"""The durable record: submissions and their events, append-only."""

from workflow.ledger.ledger import Ledger, Superseded
from workflow.ledger.sends import (
    Busy,
    Intent,
    Settled,
    begin_send,
    forgive_sends,
    open_intent,
    renew_send,
    reply_lost,
    settle_send,
    withdraw_send,
)

__all__ = [
    "Busy",
    "Intent",
    "Ledger",
    "Settled",
    "Superseded",
    "begin_send",
    "forgive_sends",
    "open_intent",
    "renew_send",
    "reply_lost",
    "settle_send",
    "withdraw_send",
]
