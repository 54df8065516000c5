"""What tests of tasks share."""

from collections.abc import Iterator

import pytest

from ganvas.train.sheets import point_sheets


@pytest.fixture(scope="session", autouse=True)
def small_sheets_of_points() -> Iterator[None]:
    """Drawing sheets takes longer than the runs that are tested here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(point_sheets, "SHOWN", 200)
        patch.setattr(point_sheets, "SHEET_DPI", 36.0)
        yield
