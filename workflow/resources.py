"""Where the samples and rules are that travel with stlflow: in the wheel, or in a source tree."""

from pathlib import Path

PACKAGE_FOLDER = Path(__file__).parent
SOURCE_TREE = PACKAGE_FOLDER.parent


def resource_folder(name: str) -> Path:
    """Return the folder `samples` or `rules`. Raises FileNotFoundError when the installation lacks it."""
    for place in (PACKAGE_FOLDER / "shipped" / name, SOURCE_TREE / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"This installation lacks its {name} folder. Install stlflow again.")
