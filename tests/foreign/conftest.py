"""Networks that others wrote, laid open: ``make foreign`` installs their packages and runs these tests."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # For `architectures` and `five_verbs`, which benchmarks/foreign.py reads too.


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all of this folder; warnings are the packages' own affair."""
    for item in items:
        if item.nodeid.startswith("tests/foreign/"):
            item.add_marker(pytest.mark.foreign)
            item.add_marker(pytest.mark.filterwarnings("ignore"))
