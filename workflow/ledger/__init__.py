"""The durable record: submissions and their events, append-only."""

from workflow.ledger.alone import APPROVING, CHOOSING, alone
from workflow.ledger.claims import abandoned, due_for, in_hands_of, take_due, take_over
from workflow.ledger.clock import CLOCK
from workflow.ledger.condition import Condition, condition_of, prove_writable
from workflow.ledger.contents import earlier_from, record_content
from workflow.ledger.decisions import (
    Given,
    decided_since,
    decisions_of,
    given_since,
    keep_rules,
    last_sent,
    receipts_of,
    rules_text,
    sent_before,
)
from workflow.ledger.inplace import InPlace, take_in_place, taken_from
from workflow.ledger.ledger import Ledger
from workflow.ledger.left import (
    LeftBefore,
    forget_gone,
    left_before,
    read_left,
    still_left,
    take_left,
)
from workflow.ledger.marks import OWN_NAME, RULES_TROUBLE, SHARE, keep_mark, own_name, read_mark, replace_mark
from workflow.ledger.moving import copy_ledger
from workflow.ledger.orders import Begun, Order, give_order
from workflow.ledger.parked import Parked, go_on_with, parked, parked_among, parked_with
from workflow.ledger.past import forget_ended, stand_in_place
from workflow.ledger.reuse import receipts_of_others, reuse_build, sent_build
from workflow.ledger.seen import remember_seen, seen_before
from workflow.ledger.sends import (
    LOOKED,
    Busy,
    Intent,
    OnOneBed,
    Settled,
    begin_send,
    renew_send,
    reply_lost,
    settle_send,
    withdraw_send,
)
from workflow.ledger.statements import Superseded
from workflow.ledger.waitlist import accept_waitlist, add_to_waitlist, drop_from_waitlist, read_waitlist
from workflow.ledger.workers import Beats, crew, give_sign, join, leave, signs, strains, strike_off

__all__ = [
    "APPROVING",
    "CHOOSING",
    "CLOCK",
    "LOOKED",
    "OWN_NAME",
    "RULES_TROUBLE",
    "SHARE",
    "Beats",
    "Begun",
    "Busy",
    "Condition",
    "Given",
    "InPlace",
    "Intent",
    "Ledger",
    "LeftBefore",
    "OnOneBed",
    "Order",
    "Parked",
    "Settled",
    "Superseded",
    "abandoned",
    "accept_waitlist",
    "add_to_waitlist",
    "alone",
    "begin_send",
    "condition_of",
    "copy_ledger",
    "crew",
    "decided_since",
    "decisions_of",
    "drop_from_waitlist",
    "due_for",
    "earlier_from",
    "forget_ended",
    "forget_gone",
    "give_order",
    "give_sign",
    "given_since",
    "go_on_with",
    "in_hands_of",
    "join",
    "keep_mark",
    "keep_rules",
    "last_sent",
    "leave",
    "left_before",
    "own_name",
    "parked",
    "parked_among",
    "parked_with",
    "prove_writable",
    "read_left",
    "read_mark",
    "read_waitlist",
    "receipts_of",
    "receipts_of_others",
    "record_content",
    "remember_seen",
    "renew_send",
    "replace_mark",
    "reply_lost",
    "reuse_build",
    "rules_text",
    "seen_before",
    "sent_before",
    "sent_build",
    "settle_send",
    "signs",
    "stand_in_place",
    "still_left",
    "strains",
    "strike_off",
    "take_due",
    "take_in_place",
    "take_left",
    "take_over",
    "taken_from",
    "withdraw_send",
]
