"""stlflow: from an engineer's folder to the right queue of a print cloud."""


def __getattr__(name: str) -> str:
    """Return `__version__` when someone asks: looking it up at import would slow every command."""
    if name != "__version__":
        raise AttributeError(name)
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("stlflow")
    except PackageNotFoundError:  # a source tree that nobody installed
        return "0+source"
