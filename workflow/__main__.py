"""The command `stlflow`: every expected error becomes one line on stderr and its exit code."""

import os
import signal
import sys
from types import FrameType

from workflow.errors import EXIT_INTERRUPTED, EXIT_USAGE, StlflowError, error_reason


def main() -> None:
    """Run the command line and exit."""
    previous = signal.signal(signal.SIGINT, _end_quietly)
    import click

    from workflow.cli.app import stlflow

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console in a legacy code page must not end us
    try:
        signal.signal(signal.SIGINT, previous)
        code = stlflow.main(standalone_mode=False)
    except StlflowError as error:
        click.echo(f"stlflow: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:  # a full disk, a missing right: nothing that a traceback would help with
        place = f": {error.filename}" if error.filename else ""
        click.echo(f"stlflow: {error_reason(error)}{place}", err=True)
        sys.exit(EXIT_USAGE)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stlflow: stopped.", err=True)
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


def _end_quietly(_number: int, _frame: FrameType | None) -> None:
    """End without the traceback of whatever is being imported: nothing has begun yet."""
    os.write(2, b"stlflow: stopped.\n")
    os._exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
