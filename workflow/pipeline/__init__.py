"""The durable run: from a claimed file to its receipt."""
