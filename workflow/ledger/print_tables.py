"""The tables of printers, and of the prints that are followed. Times are seconds since 1970 (UTC)."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text

from workflow.ledger.tables import metadata

printers = Table(
    "printers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("series", Text, nullable=False),
    Column("state", Text),
    Column("running", Text),
    Column("queue_length", Integer),
    Column("queue_seconds", Float),
    Column("loaded", Text, nullable=False),
    Column("seen_at", Float, nullable=False),
)
"""Each printer as Eiger listed it last; `running` and `loaded` are JSON."""

prints = Table(
    "prints",
    metadata,
    Column("submission", Integer, ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True),
    Column("copy", Integer, primary_key=True),
    Column("phase", Text, nullable=False),
    Column("since", Float, nullable=False),
    Column("device_id", Text),
    Column("device", Text),
    Column("job_id", Text),
    Column("percent", Float),
    Column("missing_since", Float),
    Column("online_since", Float),
    Column("waited_at", Float),
    Column("ahead_jobs", Integer),
    Column("ahead_seconds", Float),
    Column("reason", Text),
    Column("is_noted", Boolean, nullable=False, default=False),
)
"""The print of each copy that is followed. `is_noted`: the note beside the file says so, too."""

Index("prints_job", prints.c.job_id)
Index("prints_noted", prints.c.is_noted, prints.c.submission)
