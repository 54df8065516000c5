import pytest
import torch
from jaxtyping import TypeCheckError

from ganvas.core.pixels import to_float


def test_the_test_run_checks_shapes_at_public_borders():
    # Were the hook not installed (under xdist, say), every shape in the library would be a comment.
    with pytest.raises(TypeCheckError):
        to_float(torch.zeros(3, 4, 4, dtype=torch.uint8))
    with pytest.raises(TypeCheckError):
        to_float(torch.zeros(1, 3, 4, 4))
