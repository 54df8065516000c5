"""Losses of processes and of links on one machine: `make machines` runs these, the ordinary suite skips them."""

import signal
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LONGEST = 300  # Seconds of one test, whatever happens in it: what it waits for has shorter times of its own.
sys.path.insert(0, str(HERE))  # For `elastic`.


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if item.nodeid.startswith("tests/machines/"):
            item.add_marker(pytest.mark.machines)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The run of two processes that nothing happens to."""
    from elastic import Job

    run = tmp_path_factory.mktemp("undisturbed") / "run"
    with Job(run) as job:
        job.require_finished()
    return run


@pytest.fixture(autouse=True)
def bounded():
    """A test that hangs where nobody thought of is ended, and with it its processes."""

    def ended(*_):
        raise TimeoutError(f"the test did not end within {LONGEST} s")

    before = signal.signal(signal.SIGALRM, ended)
    signal.alarm(LONGEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
