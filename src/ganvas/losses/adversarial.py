"""Losses of the two players of a generative adversarial network.

Most functions take logits (the discriminator's or critic's output, before any sigmoid) and return one value per
sample, to be minimised. ``<kind>_discriminator(real, fake)`` and ``<kind>_generator(fake)``; sigma is the logistic
function, and ``log sigma(a) = -softplus(-a)`` keeps the logarithms finite at any logit. A discriminator's loss pairs
the i-th real with the i-th fake sample, which changes nothing in the mean.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import Features, Labels, PerSample, Scalar


def non_saturating_discriminator(real: Float[Tensor, "n *patches"], fake: Float[Tensor, "n *patches"]) -> PerSample:
    """``-log sigma(D(x)) - log(1 - sigma(D(G(z))))`` (Goodfellow et al. 2014, eq. 1, negated), the mean over patches.

    Also the discriminator of the minimax game: the two games differ in the generator's loss alone.
    """
    return _over_patches(F.softplus(-real)) + _over_patches(F.softplus(fake))


def non_saturating_generator(fake: Float[Tensor, "n *patches"]) -> PerSample:
    """``-log sigma(D(G(z)))`` (Goodfellow et al. 2014, section 3), the mean over a map of patches.

    Its gradient stays where D rejects.
    """
    return _over_patches(F.softplus(-fake))


def minimax_generator(fake: PerSample) -> PerSample:
    """``log(1 - sigma(D(G(z))))`` (Goodfellow et al. 2014, eq. 1). Its gradient vanishes where D rejects."""
    return -F.softplus(fake)


def wasserstein_discriminator(real: PerSample, fake: PerSample) -> PerSample:
    """``D(G(z)) - D(x)`` (Arjovsky et al. 2017, eq. 2, negated); D, the critic, must be kept Lipschitz elsewhere."""
    return fake - real


def wasserstein_generator(fake: PerSample) -> PerSample:
    """``-D(G(z))`` (Arjovsky et al. 2017, algorithm 1)."""
    return -fake


def relativistic_discriminator(real: PerSample, fake: PerSample) -> PerSample:
    """``-log sigma(D(x) - D(G(z)))`` of the i-th real beside the i-th fake.

    Jolicoeur-Martineau 2018 (https://arxiv.org/abs/1807.00734), with the logistic function as in R3GAN.
    Each sample is judged against one of the other kind, so that reals on one side of a decision and fakes on the
    other are not enough: no group of reals may be left out.
    """
    return F.softplus(fake - real)


def relativistic_generator(real: PerSample, fake: PerSample) -> PerSample:
    """``-log sigma(D(G(z)) - D(x))``: the same pairs with the players' parts exchanged."""
    return F.softplus(real - fake)


def hinge_discriminator(real: PerSample, fake: PerSample) -> PerSample:
    """``max(0, 1 - D(x)) + max(0, 1 + D(G(z)))`` (Lim & Ye 2017; Miyato et al. 2018, eq. 16, negated)."""
    return F.relu(1 - real) + F.relu(1 + fake)


def hinge_generator(fake: PerSample) -> PerSample:
    """``-D(G(z))`` (Miyato et al. 2018, eq. 17)."""
    return -fake


def least_squares_discriminator(
    real: Float[Tensor, "n *patches"], fake: Float[Tensor, "n *patches"], *, a: float = 0.0, b: float = 1.0
) -> PerSample:
    """``((D(x) - b)^2 + (D(G(z)) - a)^2) / 2`` (Mao et al. 2017, eq. 2), the mean over a map of patches."""
    return 0.5 * (_over_patches((real - b).square()) + _over_patches((fake - a).square()))


def least_squares_generator(fake: Float[Tensor, "n *patches"], *, c: float = 1.0) -> PerSample:
    """``(D(G(z)) - c)^2`` (Mao et al. 2017, eq. 2 without its half), the mean over a map of patches."""
    return _over_patches((fake - c).square())


def _over_patches(values: Float[Tensor, "n *patches"]) -> PerSample:
    return values.reshape(len(values), -1).mean(1)


def feature_matching(real: Features, fake: Features) -> Scalar:
    """``||E f(x) - E f(G(z))||^2`` (Salimans et al. 2016, section 3.1), of the features of a batch each: one value."""
    return (real.mean(0) - fake.mean(0)).square().sum()


def class_cross_entropy(logits: Float[Tensor, "n classes"], labels: Labels) -> PerSample:
    """``-log softmax(logits)_label`` (Odena et al. 2017, ACGAN, eq. 3, negated), of real and of generated samples."""
    return F.cross_entropy(logits, labels, reduction="none")
