"""Losses of processes and of links on one machine: `make machines` runs these, the ordinary suite skips them."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # For `elastic`.


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.machines)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The run of two processes that nothing happens to."""
    from elastic import Job

    run = tmp_path_factory.mktemp("undisturbed") / "run"
    with Job(run) as job:
        job.require_finished()
    return run
