"""Where tables and progress are drawn."""

from rich.console import Console

PLAIN_OUTPUT_WIDTH = 180


def result_console() -> Console:
    """Return the console for results, on stdout; into a file or a pipe lines are long and plain."""
    console = Console()
    return console if console.is_terminal else Console(width=PLAIN_OUTPUT_WIDTH, no_color=True)


def progress_console() -> Console:
    """Return the console for progress, on stderr."""
    return Console(stderr=True)
