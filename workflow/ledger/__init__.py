"""The durable record: submissions and their events, append-only."""
