"""Constraints are made from pyproject: every package has a lower bound that CI installs."""

import pytest

from tests.lowest_versions import lowest_versions, read_project

PROJECT = {
    "name": "shop",
    "dependencies": ["click>=8.2,<9", "psycopg[binary] >= 3.2.2"],
    "optional-dependencies": {
        "test": ["shop[more]", "pytest>=8.3; python_version>'3'"],
        "more": ["rich>=13"],
    },
}


def test_the_lowest_versions_of_a_project_and_its_extras() -> None:
    assert list(lowest_versions(PROJECT)) == ["click==8.2", "psycopg==3.2.2", "rich==13", "pytest==8.3"]


def test_a_package_without_a_lower_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="click<9: give it a lower bound"):
        list(lowest_versions({**PROJECT, "dependencies": ["click<9"]}))


def test_what_is_known_to_be_unsafe_or_broken_is_not_allowed() -> None:
    """urllib3 below 2.6 unpacks 3 KB into gigabytes; 2.1 has no `read1` that decodes."""
    lowest = dict(line.split("==") for line in lowest_versions(read_project()))
    assert tuple(map(int, lowest["urllib3"].split("."))) >= (2, 6)
    assert {"psycopg", "requests", "pytest"} <= lowest.keys()
