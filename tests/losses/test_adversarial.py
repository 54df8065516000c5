import math

import numpy as np
import pytest
import torch
from scipy.special import log_expit, log_softmax
from torch.testing import assert_close

from ganvas.losses import adversarial
from ganvas.losses.adversarial import (
    class_cross_entropy,
    hinge_discriminator,
    hinge_generator,
    least_squares_discriminator,
    least_squares_generator,
    minimax_generator,
    non_saturating_discriminator,
    non_saturating_generator,
    relativistic_discriminator,
    relativistic_generator,
    wasserstein_discriminator,
    wasserstein_generator,
)

REAL = torch.tensor([-2.0, 0.0, 0.5, 3.0], dtype=torch.float64)
FAKE = torch.tensor([1.5, 0.0, -0.25, -4.0], dtype=torch.float64)


def log_sigma(x):
    return torch.from_numpy(log_expit(x.numpy()))


def test_the_logistic_losses_are_the_logarithms_of_their_definition():
    assert_close(non_saturating_discriminator(REAL, FAKE), -log_sigma(REAL) - log_sigma(-FAKE))
    assert_close(non_saturating_generator(FAKE), -log_sigma(FAKE))
    assert_close(minimax_generator(FAKE), log_sigma(-FAKE))


def test_a_discriminator_that_knows_nothing_pays_log_four():
    nothing = torch.zeros(3, dtype=torch.float64)
    assert_close(non_saturating_discriminator(nothing, nothing), torch.full_like(nothing, math.log(4)))


def test_wasserstein_is_the_difference_of_the_means_with_the_critics_sign():
    assert_close(wasserstein_discriminator(REAL, FAKE), torch.tensor([3.5, 0, -0.75, -7], dtype=torch.float64))
    assert torch.equal(wasserstein_generator(FAKE), -FAKE)


def test_hinge_is_flat_beyond_the_margin():
    assert_close(hinge_discriminator(REAL, FAKE), torch.tensor([3 + 2.5, 1 + 1, 0.5 + 0.75, 0], dtype=torch.float64))
    assert torch.equal(hinge_generator(FAKE), -FAKE)


def test_cross_entropy_is_minus_the_log_softmax_of_the_label():
    logits = torch.tensor([[1.0, 2.0, -1.0], [0.0, 0.0, 800.0]], dtype=torch.float64)
    expected = -log_softmax(logits.numpy(), axis=1)[np.arange(2), [2, 0]]
    assert_close(class_cross_entropy(logits, torch.tensor([2, 0])), torch.from_numpy(expected))


@pytest.mark.parametrize("logit", [-1e4, 1e4])
@pytest.mark.parametrize("name", ["non_saturating_generator", "minimax_generator"])
def test_no_logit_is_too_large(name, logit):
    fake = torch.tensor([logit], requires_grad=True)
    value = getattr(adversarial, name)(fake)
    value.sum().backward()
    assert value.isfinite().all()
    assert fake.grad.isfinite().all()


@pytest.mark.parametrize("loss", [non_saturating_generator, minimax_generator, wasserstein_generator, hinge_generator])
def test_every_generator_wants_higher_logits(loss):
    fake = FAKE.clone().requires_grad_()
    loss(fake).sum().backward()
    assert (fake.grad < 0).all()


def test_where_rejected_with_certainty_the_minimax_gradient_vanishes_and_the_non_saturating_one_does_not():
    fake = torch.tensor([-20.0], dtype=torch.float64, requires_grad=True)
    (minimax,) = torch.autograd.grad(minimax_generator(fake).sum(), fake)
    (non_saturating,) = torch.autograd.grad(non_saturating_generator(fake).sum(), fake)
    assert minimax.item() == pytest.approx(-math.exp(-20), rel=1e-6)  # -sigma(-20)
    assert non_saturating.item() == pytest.approx(-1, rel=1e-6)  # sigma(-20) - 1


def test_least_squares_pay_the_square_of_the_distance_to_their_labels():
    # Mao et al. 2017, eq. 9, with 0 for generated and 1 for real: ((-2 - 1)^2 + 1.5^2) / 2, and so on.
    assert_close(least_squares_discriminator(REAL, FAKE), torch.tensor([5.625, 0.5, 0.15625, 10.0], dtype=REAL.dtype))
    assert_close(least_squares_generator(FAKE), torch.tensor([0.25, 1.0, 1.5625, 25.0], dtype=REAL.dtype))


def test_least_squares_take_other_targets():
    # Eq. 2 with a = -1, b = 1, c = 0 on the first two: ((-2 - 1)^2 + (1.5 + 1)^2) / 2 and (1 + 1) / 2; 1.5^2 and 0.
    judged = least_squares_discriminator(REAL[:2], FAKE[:2], a=-1, b=1)
    assert_close(judged, torch.tensor([7.625, 1.0], dtype=REAL.dtype))
    assert_close(least_squares_generator(FAKE[:2], c=0), torch.tensor([2.25, 0.0], dtype=REAL.dtype))


def test_least_squares_of_a_map_of_patches_are_the_mean_over_its_patches():
    maps = torch.arange(12.0).view(2, 1, 2, 3)  # 0..5 and 6..11
    assert_close(
        least_squares_generator(maps), torch.tensor([(1 + 0 + 1 + 4 + 9 + 16) / 6, (25 + 36 + 49 + 64 + 81 + 100) / 6])
    )
    both = least_squares_discriminator(maps, torch.zeros_like(maps))
    assert_close(both, 0.5 * least_squares_generator(maps))


def test_least_squares_are_smallest_where_the_discriminator_is_the_share_of_real_samples():
    # With densities p and q, minimising p (d - 1)^2 + q d^2 over d gives d = p / (p + q) (Mao et al. 2017, eq. 5).
    p, q = 0.3, 0.1
    d = torch.linspace(0, 1, 1001, dtype=torch.float64)
    nothing = torch.zeros_like(d)
    real, fake = (2 * least_squares_discriminator(*sides) for sides in ((d, nothing), (nothing + 1, d)))
    assert d[(p * real + q * fake).argmin()].item() == pytest.approx(0.75)


def test_the_relativistic_loss_of_two_pairs_is_worked_by_hand():
    # ln(1 + e^-d) of d = D(x) - D(G(z)): ln(1 + 1/3) for d = ln 3, and ln 2 for d = 0; the generator's has d negated.
    real, fake = torch.tensor([math.log(6.0), 5.0]), torch.tensor([math.log(2.0), 5.0])
    assert_close(relativistic_discriminator(real, fake), torch.tensor([4 / 3, 2.0]).log())
    assert_close(relativistic_generator(real, fake), torch.tensor([4.0, 2.0]).log())
