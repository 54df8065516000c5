import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck
from torch.testing import assert_close

from ganvas.losses.penalties import drift, gradient_penalty, path_lengths, r1_penalty, r2_penalty

SHAPE = (5, 3, 4, 2)


def randn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def uniform(n, seed=9):
    return torch.rand(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=10, deadline=None)
@given(weight=st.floats(0.1, 100), target=st.floats(0.1, 1000), seed=st.integers(0, 99))
def test_the_penalty_of_a_linear_critic_is_that_of_the_norm_of_its_weights(weight, target, seed):
    w = randn(*SHAPE[1:], seed=seed)
    found = gradient_penalty(
        lambda x: (x * w).sum((1, 2, 3)), randn(*SHAPE), randn(*SHAPE, seed=1), uniform(5), weight=weight, target=target
    )
    expected = weight * (w.norm() / target - 1) ** 2
    assert_close(found, expected.expand(5), rtol=1e-9, atol=1e-12)


def test_the_penalty_of_a_quadratic_critic_is_taken_at_the_mixed_pictures():
    # D(u) = |u|^2 / 2 has gradient u, so the norm is that of x + mix (y - x), each sample with its own mix.
    x, y, mix = randn(*SHAPE), randn(*SHAPE, seed=1), uniform(5)
    norm = (x + mix.view(5, 1, 1, 1) * (y - x)).flatten(1).norm(dim=1)
    found = gradient_penalty(lambda u: u.square().sum((1, 2, 3)) / 2, x, y, mix, weight=10, target=3)
    assert_close(found, 10 / 9 * (norm - 3) ** 2)


def test_of_points_the_penalty_is_taken_at_the_mixed_points_too():
    x, y, mix = randn(5, 2), randn(5, 2, seed=1), uniform(5)
    norm = (x + mix.view(5, 1) * (y - x)).norm(dim=1)
    assert_close(gradient_penalty(lambda u: u.square().sum(1) / 2, x, y, mix), 10 * (norm - 1) ** 2)


def test_mix_zero_is_the_real_and_one_the_generated_picture():
    x, y, seen = randn(*SHAPE), randn(*SHAPE, seed=1), []

    def critic(u):
        seen.append(u.detach())
        return u.sum((1, 2, 3))

    for mix in (0.0, 1.0):
        gradient_penalty(critic, x, y, torch.full((5,), mix, dtype=torch.float64))
    assert_close(seen[0], x)
    assert_close(seen[1], y)


def test_the_critics_parameters_feel_the_penalty():
    w = torch.full(SHAPE[1:], 2.0, dtype=torch.float64, requires_grad=True)
    gradient_penalty(lambda u: (u * w).sum((1, 2, 3)), randn(*SHAPE), randn(*SHAPE), uniform(5)).mean().backward()
    norm = 2 * 24**0.5  # of 24 weights of 2
    assert_close(w.grad, torch.full_like(w, 2 * 10 * (norm - 1) * 2 / norm))  # 2 lambda (|w| - 1) w / |w|


def test_neither_real_pictures_nor_the_generator_feel_the_penalty():
    real, fake = randn(*SHAPE).requires_grad_(), randn(*SHAPE, seed=1).requires_grad_()
    gradient_penalty(lambda u: u.square().sum((1, 2, 3)), real, fake, uniform(5)).mean().backward()
    assert real.grad is None
    assert fake.grad is None


def test_a_gradient_of_zero_gives_the_full_penalty_and_moves_nothing():
    w = torch.zeros(SHAPE[1:], dtype=torch.float64, requires_grad=True)
    penalty = gradient_penalty(lambda u: (u * w).sum((1, 2, 3)), randn(*SHAPE), randn(*SHAPE), uniform(5))
    penalty.mean().backward()
    assert_close(penalty, torch.full_like(penalty, 10))
    assert w.grad.count_nonzero() == 0  # and so not nan


def test_the_norm_of_a_bfloat16_critic_is_summed_in_float32():
    # 16384 gradients of 1: their squares sum to 2^14, but in bfloat16 the sum would stop at 256.
    images = torch.zeros(1, 1, 128, 128, dtype=torch.bfloat16)
    found = gradient_penalty(lambda u: u.sum((1, 2, 3)), images, images, torch.zeros(1), target=128.0)
    assert found.dtype == torch.float32
    assert found.item() == 0


def test_the_penalty_has_the_gradient_of_its_formula():
    x, y, mix = randn(2, 1, 2, 2), randn(2, 1, 2, 2, seed=1), uniform(2)

    def penalty(w):
        return gradient_penalty(lambda u: torch.tanh((u * w).flatten(1)).sum(1), x, y, mix)

    w = randn(1, 2, 2, seed=3).requires_grad_()
    assert gradcheck(penalty, (w,))
    assert gradgradcheck(penalty, (w,))


def test_drift_is_the_weighted_square():
    assert_close(drift(torch.tensor([2.0, -3.0])), torch.tensor([0.004, 0.009]))


@pytest.mark.parametrize("penalty", [r1_penalty, r2_penalty])
def test_the_penalty_of_a_linear_critic_is_the_squared_norm_of_its_weights(penalty):
    w, x = randn(*SHAPE[1:], seed=1), randn(*SHAPE).requires_grad_()
    assert_close(penalty(x, (x * w).sum((1, 2, 3))), w.square().sum().expand(5))


@pytest.mark.parametrize("penalty", [r1_penalty, r2_penalty])
def test_the_penalty_of_a_quadratic_critic_differs_from_picture_to_picture_and_trains_it(penalty):
    # D(x) = a |x|^2 / 2 has gradient a x: the penalty is a^2 |x|^2 and its derivative by a is 2 a |x|^2.
    a, x = torch.tensor(1.5, dtype=torch.float64, requires_grad=True), randn(*SHAPE).requires_grad_()
    squares = x.detach().square().flatten(1).sum(1)
    found = penalty(x, a * x.square().sum((1, 2, 3)) / 2)
    assert_close(found.detach(), 2.25 * squares)
    found.sum().backward()
    assert_close(a.grad, 3 * squares.sum())


def test_the_path_lengths_of_a_linear_generator_are_those_of_its_transpose_times_the_noise():
    # x = sum_l A_l w_l over three layers: J^T y has the parts A_l^T y, with y = noise / sqrt(4 x 2 pixels).
    a, styles, noise = randn(3, 24, 7), randn(5, 3, 7, seed=1).requires_grad_(), randn(*SHAPE, seed=2)
    images = torch.einsum("lps,nls->np", a, styles).view(SHAPE)
    parts = torch.einsum("lps,np->nls", a, noise.flatten(1) / 8**0.5)
    assert_close(path_lengths(images, styles, noise), parts.square().sum(2).mean(1).sqrt())


def test_the_generator_feels_the_path_lengths():
    # x = a w with one style: the length is a |y|, and its derivative by a is |y|.
    a, styles = torch.tensor(1.5, dtype=torch.float64, requires_grad=True), randn(5, 1, 24, seed=1).requires_grad_()
    noise = randn(*SHAPE, seed=2)
    norms = noise.flatten(1).norm(dim=1) / 8**0.5
    found = path_lengths(a * styles.view(SHAPE), styles, noise)
    assert_close(found, 1.5 * norms)
    found.sum().backward()
    assert_close(a.grad, norms.sum())
