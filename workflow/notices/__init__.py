"""Notices: who hears of what, when, and over which channel."""

from workflow.notices.deliver import REPEATABLE_CHANNELS, deliver
from workflow.notices.http_post import NotDelivered
from workflow.notices.links import LinkGrant, make_grant, read_grant, sign_grant
from workflow.notices.plan import (
    ARRIVAL,
    CLOUD,
    GIVE_UP_AFTER,
    HANGING,
    RULES,
    SHARE,
    TROUBLES,
    NoticePolicy,
    advance_trouble,
    plan_messages,
    retry_seconds,
)
from workflow.notices.recipients import FileOrigin, find_recipients
