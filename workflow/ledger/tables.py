"""The ledger's tables, through SQLAlchemy Core: the same on SQLite and Postgres.

Times are seconds since 1970 (UTC). Column names of `submissions` are the fields of
`workflow.model.Submission`; the rest, below the line, is bookkeeping of the journey.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    literal_column,
)

metadata = MetaData()

submissions = Table(
    "submissions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("path", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("claimed_as", Text),
    Column("left_in_place", Boolean, nullable=False, default=False),
    Column("size", BigInteger),
    Column("sha256", Text),
    Column("reason", Text),
    Column("mesh", Text),
    Column("preset", Text),
    Column("intake_rule", Text),
    Column("part_version_id", Text),
    Column("slice_job_id", Text),
    Column("uploaded_at", Float),
    Column("build_id", Text),
    Column("routing_rule", Text),
    Column("destination", Text),
    Column("device", Text),
    Column("receipt_id", Text),
    Column("ended_at", Float),
    # -- bookkeeping --------------------------------------------------------------------------
    Column("preset_id", Text),
    Column("owner_id", Text),
    Column("folder_id", Text),
    Column("device_id", Text),
    Column("due_date", Text),
    Column("slice_status", Text),
    Column("hold", Text),
    Column("released", Boolean, nullable=False, default=False),  # of databases made before `passed`
    Column("passed", Text),
    Column("placed_as", Text),
    Column("step", Text),
    Column("due_at", Float),
    Column("turn", Integer, nullable=False, default=0),
    Column("tries", Integer, nullable=False, default=0),
    Column("waiting_since", Float),
    Column("reused", Integer),
    Column("home", Text),
    Column("dropped_by", Text),
    Column("copies", Integer),
    Column("approve_first", Boolean),
    Column("origin", Text),
    Column("taken_as", Text),
    Column("units_released", Boolean),
    Column("spread_ids", Text),
    Column("opened_by", Text),
    Column("followed", Boolean),
    Column("late_on", Text),
    Column("retried_hold", Text),
    sqlite_autoincrement=True,
)

Index("submissions_due", submissions.c.due_at)
Index("submissions_state", submissions.c.state)
Index("submissions_sha256", submissions.c.sha256)
Index("submissions_claimed_as", submissions.c.claimed_as)
Index("submissions_path", submissions.c.path).ddl_if(dialect="postgresql")  # an entry holds 2.7 kB at most
SEARCHED = ("path", "dropped_by", "device", "routing_rule", "intake_rule", "destination", "claimed_as")
"""What a search by words reads: on SQLite from an index, which is a tenth of the rows."""
Index("submissions_searched", *(submissions.c[name] for name in SEARCHED)).ddl_if(dialect="sqlite")
Index("submissions_origin", submissions.c.origin)
Index("submissions_part_version_id", submissions.c.part_version_id)
Index("submissions_build_id", submissions.c.build_id)
Index("submissions_dropped_by", submissions.c.dropped_by)

_has_step = submissions.c.step.is_not(None)
RESUMED_FROM_HELD = and_(_has_step, literal_column("substr(claimed_as, 1, 5) = 'held/'", Boolean))
"""Goes on, and has its file in held/ still: few at any time. Without parameters, as its index is."""
PARTIAL_INDEXES = (
    Index(
        "submissions_running", submissions.c.id, sqlite_where=and_(_has_step, submissions.c.due_at.is_(None))
    ),
    Index("submissions_steps", submissions.c.step, submissions.c.due_at, sqlite_where=_has_step),
    Index("submissions_unclaimed", submissions.c.id, sqlite_where=submissions.c.claimed_as.is_(None)),
    Index("submissions_followed", submissions.c.id, sqlite_where=submissions.c.followed.is_(True)),
    Index("submissions_resumed", submissions.c.id, sqlite_where=RESUMED_FROM_HELD),
)
"""Indexes of some rows only. Their condition for Postgres is set when tables are made there: naming
`postgresql_where` here would load that dialect of SQLAlchemy, 3 MB, into every service."""

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("submission", Integer, ForeignKey("submissions.id"), nullable=False, index=True),
    Column("at", Float, nullable=False),
    Column("event", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

sends = Table(
    "sends",
    metadata,
    Column("submission", Integer, ForeignKey("submissions.id"), primary_key=True),
    Column("copy", Integer, primary_key=True),
    Column("token", Text, nullable=False),
    Column("intent_at", Float, nullable=False),
    Column("deadline", Float, nullable=False),
    Column("times", Integer, nullable=False, default=1),
    Column("lost", Text),
    Column("receipt_id", Text),
    Column("settled_at", Float),
    Column("reconciled", Boolean, nullable=False, default=False),  # of older releases; the history tells
)

seen_before = Table(
    "seen_before",
    metadata,
    Column("submission", Integer, ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True),
    Column("build_id", Text, primary_key=True),
    Column("traces", Text, nullable=False),
)
"""What the cloud showed of a build that a person attached, before the first send: JSON list of ids."""

forgotten_sends = Table(
    "forgotten_sends",
    metadata,
    Column("build_id", Text, nullable=False, index=True),
    Column("receipt_id", Text, nullable=False),
)
"""What forgotten submissions sent of builds that others have too: else it would count as theirs."""

metadata_entries = Table("marks", metadata, Column("name", Text, primary_key=True), Column("value", Text))
"""What the ledger knows of itself: its own name, and the share that its submissions belong to."""

mass_arrival_paths = Table(
    "set_aside",
    metadata,
    Column("path", Text, primary_key=True),
    Column("accepted", Boolean, nullable=False, default=False),
    Column("accepted_by", Text),
)
"""Files of the inbox that came in a crowd, until they are taken or taken away. `accepted_by`: who and why."""

in_place_files = Table(
    "left_files",
    metadata,
    Column("path", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("ctime_ns", BigInteger, nullable=False),
    Column("submission", Integer, ForeignKey("submissions.id"), nullable=False),
    Column("gone_since", Float),
)
"""What was taken from a read-only inbox, and how it looked.

`path` is `/` and the file's origin, which is the same on every machine; an older release wrote the path below
the inbox alone. `gone_since`: the file was not to be found when it was looked for.
"""

Index("left_files_submission", in_place_files.c.submission)

peers = Table(
    "peers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("home", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("release", Text, nullable=False),
    Column("since", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("complaints", Integer),
    Column("paused_until", Float),
    Column("queue_workers", Text),
    Column("vitals", Text),
)
"""Every running stlflow. `queue_workers` are its ids in procrastinate's table of workers: a JSON list.
`vitals` is what it says of itself: a JSON object.

Older releases have a table `workers` and a column `submissions.worker` instead. SQLite keeps both for a way
back; on Postgres they are taken away, so that no older release works beside this one.
"""

decisions = Table(
    "decisions",
    metadata,
    Column("submission", Integer, ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("at", Float, nullable=False),
    Column("revision", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("passed", Text),
    Column("facts", Text, nullable=False),
    Column("devices", Text),
    Column("device_id", Text),
)
"""The latest decision of each stage, with the facts that decided."""

Index("decisions_device", decisions.c.device_id, decisions.c.at)
Index("decisions_rule", decisions.c.stage, decisions.c.rule, decisions.c.at)

earlier_decisions = Table(
    "earlier_decisions",
    metadata,
    Column("submission", Integer, ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("at", Float, nullable=False),
)
"""Other rules that decided about a submission before its latest decision, each when it did so last.

A few rows: most parts are decided once.
"""

rulebooks = Table(
    "rulebooks",
    metadata,
    Column("revision", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("first_used_at", Float, nullable=False),
)
"""Every text of rules that was in force, so that an old decision can be explained by its own rules."""

console_tokens = Table(
    "console_tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("made_at", Float, nullable=False),
    Column("shows_names", Boolean, nullable=False, default=True),
)
"""Who may use the console from other machines; of a token only its digest is stored."""

console_drops = Table(
    "console_drops",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("by_whom", Text, nullable=False),
    Column("at", Float, nullable=False),
)
"""Who dropped a file at the console: in the share it belongs to the account of stlflow."""

printer_outages = Table(
    "printer_outages",
    metadata,
    Column("device_id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("by_whom", Text, nullable=False),
    Column("since", Float, nullable=False),
    Column("until", Float),
)
"""Printers that a person took out of choice; one whose time is over stays until the next change."""

notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("event", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("target", Text, nullable=False, default=""),
    Column("submission", Integer, ForeignKey("submissions.id", ondelete="CASCADE"), index=True),
    Column("at", Float, nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("due_at", Float),
    Column("tries", Integer, nullable=False, default=0),
    Column("message", Text),
    Column("begun_at", Float),
    Column("unconfirmed", Integer, nullable=False, default=0),
    Column("problem", Text, nullable=False, default=""),
    Column("outcome", Text),
    Column("settled_at", Float),
)
"""The outbox: what people are to be told. `target` "" is not addressed yet; `outcome` null waits."""

Index("notices_once", notices.c.subject, notices.c.target, unique=True)
Index("notices_waiting", notices.c.outcome, notices.c.target)

troubles = Table(
    "troubles",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("since", Float),
    Column("fine_since", Float),
    Column("told_at", Float),
    Column("is_told", Boolean, nullable=False, default=False),
    Column("words", Text, nullable=False, default=""),
)
"""What is wrong with the cloud, the share and the like, and since when; `is_told`: people know of it."""
