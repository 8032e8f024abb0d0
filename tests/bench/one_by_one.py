"""stlflow without its look at new builds: each slice job is asked for by itself, as often as it may be.

python -m tests.bench.one_by_one run
"""

from workflow.__main__ import main
from workflow.pipeline import retry, slice_listing

if __name__ == "__main__":
    slice_listing.MAX_SINGLE_POLLS = 10**9  # type: ignore[attr-defined]  # what it looks at
    retry.LONGEST_POLL_SECONDS = 0.0
    main()
