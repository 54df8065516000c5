import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.nn.blocks.minibatch_stddev import MinibatchStdDev


def randn(*shape, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(dtype)


def test_the_whole_batch_gets_the_mean_standard_deviation_as_a_channel():
    x = randn(6, 3, 4, 5)
    y = MinibatchStdDev(None)(x)
    expected = x.numpy().std(axis=0).mean()  # numpy's is the population's; eps moves it by about 1e-8
    assert torch.equal(y[:, :3], x)
    assert_close(y[:, 3:], torch.full((6, 1, 4, 5), float(expected), dtype=torch.float64), rtol=0, atol=1e-7)


def test_groups_are_strided():
    # Rows 0, 2, 4, 6 are alike and 1, 3, 5, 7 are +-1: strided groups of 4 see a deviation of 0 and of 1.
    rows = torch.tensor([5, 1, 5, -1, 5, 1, 5, -1], dtype=torch.float64)
    y = MinibatchStdDev(4)(rows.view(8, 1, 1, 1).expand(8, 2, 3, 3))
    expected = torch.tensor([1e-4, (1 + 1e-8) ** 0.5] * 4, dtype=torch.float64)  # sqrt(0 + eps), sqrt(1 + eps)
    assert_close(y[:, 2, 0, 0], expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("count", [2, 4])
def test_strided_groups_within_a_rank_are_groups_of_the_whole_batch(count):
    x = randn(16, 2, 3, 3)
    whole = MinibatchStdDev(4)(x)
    for rank in range(count):
        ranks = Ranks(rank=rank, count=count)
        assert_close(MinibatchStdDev(4)(ranks.share(x)), ranks.share(whole), rtol=1e-13, atol=0)


def test_a_batch_smaller_than_the_group_is_one_group():
    x = randn(3, 2, 2, 2)
    assert torch.equal(MinibatchStdDev(4)(x), MinibatchStdDev(None)(x))


def test_one_picture_has_the_deviation_of_eps():
    assert MinibatchStdDev(None)(randn(1, 2, 3, 3))[0, 2, 0, 0].item() == pytest.approx(1e-4, rel=1e-12)


def test_a_batch_that_does_not_fall_into_groups_is_refused():
    with pytest.raises(UserError, match=r"A batch of 6 .* groups of 4"):
        MinibatchStdDev(4)(randn(6, 1, 2, 2))
    with pytest.raises(UserError, match="group_size=0"):
        MinibatchStdDev(0)


def test_bfloat16_statistics_are_those_of_float32():
    x = randn(8, 16, 4, 4, dtype=torch.bfloat16)
    y = MinibatchStdDev(4)(x)
    assert y.dtype == torch.bfloat16
    assert torch.equal(y[:, 16], MinibatchStdDev(4)(x.float())[:, 16].bfloat16())


@pytest.mark.parametrize("group_size", [None, 2])
def test_it_can_be_differentiated_twice(group_size):
    x = randn(4, 2, 2, 1).requires_grad_()
    assert gradcheck(MinibatchStdDev(group_size), (x,))
    assert gradgradcheck(MinibatchStdDev(group_size), (x,))


def test_the_gradient_where_all_pictures_are_alike_is_zero_and_not_nan():
    x = torch.ones(4, 1, 2, 2, dtype=torch.float64, requires_grad=True)
    MinibatchStdDev(None)(x)[:, 1].sum().backward()
    assert x.grad.count_nonzero() == 0
