"""How hard the property tests try; no deadline, because the machine may be busy."""

from hypothesis import HealthCheck, settings

ON_FILES = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""For tests that write their example over the last one in the same temporary folder."""

IN_MEMORY = settings(deadline=None, max_examples=60)

LONG = settings(ON_FILES, max_examples=10_000)
"""For campaigns of minutes."""
