"""Notices: who hears of what, when, and over which channel."""

from workflow.notices.deliver import REPEATABLE_CHANNELS, deliver
from workflow.notices.http_post import NotDelivered
from workflow.notices.links import LinkGrant, make_grant, read_grant, sign_grant
from workflow.notices.plan import (
    ARRIVAL,
    CLOUD,
    GIVE_UP_AFTER,
    HANGING,
    MAX_SINGLE,
    RULES,
    SHARE,
    TROUBLES,
    NoticePolicy,
    Plan,
    advance_trouble,
    is_quiet,
    plan_messages,
    retry_seconds,
)
from workflow.notices.recipients import FileOrigin, find_people, find_recipients
