"""Adam with a changing beta2 against torch's own, and against the algorithm by hand."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.losses.scheduled_adam import ScheduledAdam


def parameters():
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=generator, dtype=torch.float64)) for shape in ((3, 4), (5,), ())]


def descend(found, optimizer, step):
    for at, parameter in enumerate(found):
        generator = torch.Generator().manual_seed(10 * step + at)
        parameter.grad = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    optimizer.step()


@pytest.mark.parametrize("beta1", [0.0, 0.5])
def test_with_a_beta2_that_stays_it_is_torch_s_adam(beta1):
    mine, theirs = parameters(), parameters()
    ours = ScheduledAdam(mine, lr=0.01, beta1=beta1, beta2=0.9, eps=1e-8)
    peer = torch.optim.Adam(theirs, lr=0.01, betas=(beta1, 0.9), eps=1e-8)
    for step in range(5):
        descend(mine, ours, step)
        descend(theirs, peer, step)
    for one, other in zip(mine, theirs, strict=True):
        assert_close(one, other, rtol=1e-12, atol=1e-14)


def test_with_a_beta2_that_changes_it_is_torch_s_adam_whose_betas_are_set_before_every_step():
    mine, theirs = parameters(), parameters()
    ours = ScheduledAdam(mine, lr=0.01, beta1=0.0, beta2=0.5, eps=1e-8)
    peer = torch.optim.Adam(theirs, lr=0.01, betas=(0.0, 0.5), eps=1e-8)
    for step, beta2 in enumerate((0.5, 0.7, 0.95, 0.99)):
        ours.beta2.fill_(beta2)
        peer.param_groups[0]["betas"] = (0.0, beta2)
        descend(mine, ours, step)
        descend(theirs, peer, step)
    for one, other in zip(mine, theirs, strict=True):
        assert_close(one, other, rtol=1e-12, atol=1e-14)


def test_a_parameter_without_a_gradient_stands_still_and_counts_no_step():
    moved, still = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = ScheduledAdam([moved, still], lr=0.1, beta1=0.0, beta2=0.9, eps=1e-8)
    moved.grad = torch.ones(2)
    optimizer.step()
    assert_close(moved.detach(), torch.full((2,), 0.9))  # The first step is of the size of the rate.
    assert torch.equal(still, torch.ones(2))
    assert still not in optimizer.state
