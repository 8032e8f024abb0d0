"""The durable record: submissions and their events, append-only."""

from workflow.ledger.ledger import Ledger
from workflow.ledger.orders import Begun, Order, give_order
from workflow.ledger.sends import (
    Busy,
    Intent,
    Settled,
    begin_send,
    renew_send,
    reply_lost,
    settle_send,
    withdraw_send,
)
from workflow.ledger.statements import Superseded

__all__ = [
    "Begun",
    "Busy",
    "Intent",
    "Ledger",
    "Order",
    "Settled",
    "Superseded",
    "begin_send",
    "give_order",
    "renew_send",
    "reply_lost",
    "settle_send",
    "withdraw_send",
]
