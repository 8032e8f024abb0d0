"""The notes in the inbox itself: about files that are not taken, and about crowds that wait."""

from workflow.feedback.note import FIRST_WORDS

CROWD_NOTE = "FILES WAIT HERE.txt"


def stranger_text(name: str, why: str) -> str:
    """Write the note beside a file that is no STL by its name."""
    return (
        f"{FIRST_WORDS}: {name} is not taken\n\n"
        f"Why, and what to do next\n  {why}\n  The file is left as it is.\n"
    )


def crowd_text(count: int, limit: int) -> str:
    """Write the note for files that came in a crowd."""
    return (
        f"{FIRST_WORDS}: {count:,} files wait\n\n"
        f"Why\n  More than {limit} files came at once. That may be a folder that was put here by mistake,\n"
        f"  so none of these files is taken until somebody says that they are meant.\n\n"
        f"What to do next\n  They are meant: `stlflow intake accept` takes them, all together.\n"
        f"  Without that command: take them out, and put them back in portions of up to {limit},\n"
        f"  more than a minute apart.\n"
        f"  They are not meant: take them out of the inbox.\n"
    )
