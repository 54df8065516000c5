import itertools

import torch
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.nn.transposed.subpixel import (
    conv_transpose_by_kernel,
    depth_to_space,
    simplified,
    subpixel_bias,
    subpixel_kernel,
)
from ganvas.nn.transposed.transposed_geometry import geometry


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_each_phase_has_every_sth_tap_turned_round():
    weight = torch.arange(5.0).view(1, 1, 5)  # Phases of stride 2: taps 0 2 4 and 1 3 (and one that is zero).
    kernel = subpixel_kernel(weight, geometry(weight, stride=2))
    assert kernel.flatten(1).tolist() == [[4, 2, 0], [0, 3, 1]]


def test_the_phases_of_a_channel_are_neighbours_rows_before_columns():
    weight = torch.arange(16.0).view(1, 2, 2, 4)  # Channel 0: rows 0-3 and 4-7; a stride of 2 x 4 leaves a tap each.
    found = geometry(weight, stride=(2, 4))
    assert subpixel_kernel(weight, found).flatten().tolist() == list(range(16))
    assert subpixel_bias(torch.tensor([5.0, 6.0]), found).tolist() == [5.0] * 8 + [6.0] * 8


def test_depth_to_space_is_a_pixel_shuffle_and_more():
    x = torch.randn(2, 18, 3, 4, generator=rng())
    assert torch.equal(depth_to_space(x, (3, 3)), F.pixel_shuffle(x, 3))
    y = depth_to_space(x, (3, 2))
    for c, a, b, h, w in itertools.product(range(3), range(3), range(2), range(3), range(4)):
        assert torch.equal(y[:, c, 3 * h + a, 2 * w + b], x[:, 6 * c + 2 * a + b, h, w])
    assert depth_to_space(torch.arange(6.0).view(1, 3, 2), (3,)).flatten().tolist() == [0, 2, 4, 1, 3, 5]
    cube = depth_to_space(torch.arange(8.0).view(1, 8, 1, 1, 1), (2, 2, 2))
    assert cube.flatten().tolist() == list(range(8))


def test_an_axis_of_one_input_needs_no_zeros():
    """The first layer of a DCGAN generator: 1x1 to 4x4 by one multiplication per weight, as the dense layer it is."""
    weight = torch.randn(6, 5, 4, 4, generator=rng(), dtype=torch.float64)
    found = simplified(geometry(weight), (1, 1))
    kernel = subpixel_kernel(weight, found)
    assert kernel.shape == (5 * 16, 6, 1, 1)
    x = torch.randn(3, 6, 1, 1, generator=rng(1), dtype=torch.float64)
    dense = torch.einsum("ni,iohw->nohw", x[:, :, 0, 0], weight)
    assert_close(conv_transpose_by_kernel(x, kernel, None, found), dense, rtol=0, atol=1e-13)


def test_the_convolution_sees_no_more_rows_than_the_output_needs():
    """k4 s2 p1: 9 rows of phases for 8 inputs, as the form with a cut on both sides has it, and two taps a phase."""
    weight = torch.randn(2, 3, 4, 4, generator=rng())
    found = geometry(weight, stride=2, padding=1)
    with torch.profiler.profile(record_shapes=True) as profile:
        conv_transpose_by_kernel(torch.zeros(1, 2, 8, 8), subpixel_kernel(weight, found), None, found)
    seen = [event.input_shapes for event in profile.events() if event.name == "aten::conv2d"]
    assert seen[0][:2] == [[1, 2, 8, 8], [12, 2, 2, 2]]
