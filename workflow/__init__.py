"""stlflow: from an engineer's folder to the right queue of a print cloud."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("stlflow")
except PackageNotFoundError:  # a source tree that nobody installed
    __version__ = "0+source"

__all__ = ["__version__"]
