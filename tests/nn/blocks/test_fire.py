import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.blocks.fire import Fire
from ganvas.nn.layers.initialise import initialise


def started(*channels):
    module = Fire(*channels)
    initialise(module, torch.Generator().manual_seed(0))
    return module.double()


@pytest.mark.parametrize(("i", "s", "e1", "e3"), [(96, 16, 64, 64), (5, 2, 3, 4)])
def test_it_has_the_parameters_of_its_formula(i, s, e1, e3):
    count = sum(parameter.numel() for parameter in Fire(i, s, e1, e3).parameters())
    assert count == i * s + s + s * e1 + e1 + 9 * s * e3 + e3


def test_it_squeezes_by_a_matrix_and_expands_in_two_ways():
    module = started(5, 2, 3, 4)
    x = torch.randn(2, 5, 6, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    s = torch.einsum("nchw,sc->nshw", x, module.squeeze.weight[:, :, 0, 0]).relu()
    narrow = torch.einsum("nshw,es->nehw", s, module.expand1.weight[:, :, 0, 0]).relu()
    wide = F.conv2d(s, module.expand3.weight, padding=1).relu()
    assert_close(module(x), torch.cat([narrow, wide], 1), rtol=1e-12, atol=1e-12)


def test_channels_last_stays_so():
    x = torch.ones(2, 5, 6, 7, dtype=torch.float64).to(memory_format=torch.channels_last)
    assert started(5, 2, 3, 4)(x).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("squeeze", [0, 7, 9])
def test_what_does_not_squeeze_is_refused(squeeze):
    with pytest.raises(UserError, match=f"squeeze to {squeeze} channels and expand to 3 [+] 4"):
        Fire(5, squeeze, 3, 4)
