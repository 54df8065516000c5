"""Tests of operators as a user has them: a fixture that turns the checks of shapes off."""

from collections.abc import Iterator

import jaxtyping
import pytest


@pytest.fixture
def unchecked() -> Iterator[None]:
    """As a user has it: shapes are not checked by jaxtyping, so what is refused is refused by the operator itself."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
