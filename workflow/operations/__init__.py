"""What commands do once, beside a running service or without one; each takes the settings."""
