"""How hard the property tests of files try."""

from hypothesis import HealthCheck, settings

ON_FILES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
"""For tests that write their example over the last one in the same temporary folder."""

LONG = settings(ON_FILES, max_examples=10_000)
"""For campaigns of minutes."""
