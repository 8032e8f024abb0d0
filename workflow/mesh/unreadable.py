"""The one way in which reading an STL ends early."""


class Unreadable(Exception):
    """The content can't be read as STL; the message says where and why, in shop words. Caught in the room."""
