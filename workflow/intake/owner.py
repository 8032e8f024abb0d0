"""Whose a file is, where the system tells."""

import os


def owner_of(descriptor: int) -> str | None:
    """Give the name of an open file's owner; None where its account has no name, and on Windows.

    On a mounted share the server decides whom a file seems to belong to: often to whoever mounted it.
    """
    try:
        import pwd
    except ImportError:  # Windows
        return None
    try:
        return pwd.getpwuid(os.fstat(descriptor).st_uid).pw_name
    except KeyError:
        return None
