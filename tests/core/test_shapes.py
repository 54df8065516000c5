"""The test run checks types and shapes of every function; without its hook every shape would be a comment."""

import pytest
import torch
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import TypeCheckError

from ganvas.core.pixels import to_float
from ganvas.core.schedule import decay_of
from ganvas.losses.pixel_losses import mean_error
from ganvas.nn.layers.resample import enlarge

pytestmark = pytest.mark.slow  # `make fast` is quick because it leaves the hook out.


def test_a_shape_and_a_dtype_are_checked():
    with pytest.raises(BeartypeCallHintViolation):
        to_float(torch.zeros(3, 4, 4, dtype=torch.uint8))
    with pytest.raises(BeartypeCallHintViolation):
        to_float(torch.zeros(1, 3, 4, 4))


def test_dimensions_of_one_name_are_of_one_length_within_a_call_and_not_between_calls():
    for side in (4, 8):
        assert mean_error(torch.zeros(2, 3, side, side), torch.zeros(2, 3, side, side)).tolist() == [0, 0]
    with pytest.raises(BeartypeCallHintViolation):
        mean_error(torch.zeros(2, 3, 4, 4), torch.zeros(1, 3, 4, 4))


def test_a_dimension_may_be_the_value_of_an_argument():
    assert enlarge(torch.zeros(1, 1, 2, 2), 2).shape == (1, 1, 4, 4)
    with pytest.raises(TypeCheckError):
        enlarge(torch.zeros(1, 1, 2), 2)


def test_the_types_of_a_function_without_arrays_are_checked():
    with pytest.raises(BeartypeCallHintViolation):
        decay_of("half", 8)
