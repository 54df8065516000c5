import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.blocks.minibatch_discrimination_layer import MinibatchDiscrimination
from ganvas.nn.layers.initialise import initialise


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def started(features, **options):
    module = MinibatchDiscrimination(features, **options)
    initialise(module, torch.Generator().manual_seed(1))
    return module.double()


def test_closeness_is_the_sum_over_the_others_of_exp_of_minus_the_distance():
    module, x = started(6, kernels=4, dims=3), randn(5, 6)
    theta = module.theta.detach().numpy()
    m = np.einsum("nf,fbc->nbc", x.numpy(), theta / np.sqrt((theta**2).sum(0)))
    expected = np.array(
        [
            [sum(math.exp(-abs(m[i, b] - m[j, b]).sum()) for j in range(5) if j != i) - 1 for b in range(4)]
            for i in range(5)
        ]
    )
    found = module(x)
    assert torch.equal(found[:, :6], x)
    assert_close(found[:, 6:], torch.from_numpy(expected), rtol=1e-10, atol=1e-10)


def test_pictures_that_are_all_alike_are_as_close_as_can_be():
    found = started(3)(torch.ones(7, 3, dtype=torch.float64))
    assert_close(found[:, 3:], torch.full((7, 100), 5.0, dtype=torch.float64))  # 6 others, minus 1


def test_only_the_direction_of_theta_matters_and_the_scale_is_apart():
    module, x = started(3, kernels=2), randn(4, 3)
    before = module(x).detach()
    with torch.no_grad():
        module.theta *= 7
    assert_close(module(x), before)
    with torch.no_grad():
        module.log_scale += math.log(2)
    assert_close(module(x)[:, 3:], started(3, kernels=2)(2 * x)[:, 3:])


def test_calibration_brings_the_nearest_to_a_mean_distance_of_two_and_the_output_to_zero():
    module, x = started(5, kernels=3, dims=2), 9 * randn(8, 5)
    module.calibrate(x)
    assert_close(module(x)[:, 5:].mean(0), torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-12)
    directions = module.theta / module.theta.norm(dim=0) * module.log_scale.exp()
    m = torch.einsum("nf,fbc->bnc", x, directions).detach()
    distances = torch.cdist(m, m, p=1) + torch.diag(torch.full((8,), torch.inf, dtype=torch.float64))
    assert_close(distances.amin(2).mean(1), torch.full((3,), 2.0, dtype=torch.float64))


@pytest.mark.parametrize("n", [1, 4])
def test_a_batch_without_differences_cannot_calibrate(n):
    with pytest.raises(UserError, match=f"batch of {n}"):
        started(3).calibrate(torch.ones(n, 3, dtype=torch.float64))


def test_it_can_be_differentiated_twice():
    module, x = started(3, kernels=2, dims=2), randn(3, 3).requires_grad_()
    assert gradcheck(module, (x,))
    assert gradgradcheck(module, (x,))
