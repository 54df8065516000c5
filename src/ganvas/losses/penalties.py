"""Penalties that keep a discriminator smooth, and its output from drifting away. One value per sample.

Gradients are taken of ``D(x).sum()``: exact per sample as long as no layer of D mixes the pictures of a batch.
Minibatch standard deviation does mix them, a little, and the papers that use both take the sum all the same.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import Images, PerSample


def gradient_penalty(
    critic: Callable[[Tensor], PerSample],
    real: Float[Tensor, "n *shape"],
    fake: Float[Tensor, "n *shape"],
    mix: PerSample,
    *,
    weight: float = 10.0,
    target: float = 1.0,
) -> PerSample:
    """``weight / target^2 (||grad_u D(u)||_2 - target)^2`` at ``u = x + mix (G(z) - x)``.

    Gulrajani et al. 2017, eq. 3 and algorithm 1, one ``mix`` ~ U[0, 1) per sample; with a target other than 1, Karras
    et al. 2018 (750 on CIFAR-10). The norm is taken in float32 at least. Where the gradient is exactly
    zero the norm has no derivative and 0, a subgradient, is used: D is not moved and nothing becomes nan.

    Args:
        critic: Called once, on the mixed samples; the graph it leaves reaches its parameters.
        real: Pictures or points x; no gradient flows to them, nor to ``fake``.
    """
    mixed = torch.lerp(watched(real), fake.detach().to(real.dtype), mix.to(real.dtype).view(-1, *[1] * (real.ndim - 1)))
    norm = torch.linalg.vector_norm(_gradient(critic(mixed), mixed).flatten(1), dim=1)
    return (weight / target**2) * (norm - target).square()


def watched(samples: Float[Tensor, "n *shape"]) -> Float[Tensor, "n *shape"]:
    """The same samples, without what made them, as a penalty differentiates by them.

    Not a leaf: torch's counter of operations, which forecasts the cost of a run, refuses one in ``autograd.grad``.
    """
    leaf = samples.detach().requires_grad_()
    return leaf.view_as(leaf)


def drift(real: PerSample, *, weight: float = 0.001) -> PerSample:
    """``weight D(x)^2`` of real samples only (Karras et al. 2018, appendix A.1): keeps D near zero.

    The Wasserstein loss and its penalty see differences of D only, so without this its level wanders.
    """
    return weight * real.square()


def r1_penalty(real_images: Images, real: PerSample) -> PerSample:
    """``||grad_x D(x)||^2`` of real pictures (Mescheder et al. 2018, section 4.1). Weigh it by gamma / 2.

    ``real`` must have been computed from ``real_images``, which :func:`watched` made, with no layer in D that mixes
    pictures (batch norm does: each picture's gradient would then depend on the others').
    """
    return _gradient(real, real_images).square().flatten(1).sum(1)


def r2_penalty(fake_images: Images, fake: PerSample) -> PerSample:
    """``||grad_x D(x)||^2`` of generated pictures (Mescheder et al. 2018, section 4.1). Weigh it by gamma / 2; as R1.

    ``fake_images`` are :func:`watched`, unless the generator is to feel the penalty.
    """
    return _gradient(fake, fake_images).square().flatten(1).sum(1)


def path_lengths(images: Images, styles: Float[Tensor, "n layers s"], noise: Float[Tensor, "n c h w"]) -> PerSample:
    """``|J_w^T y|_2`` with ``y = noise / sqrt(h w)``: how far a picture moves with w (Karras et al. 2020, eq. 4).

    With a style for every layer it is the root mean square over layers, as in the authors' code. Path length penalty is
    ``(|J_w^T y| - a)^2`` with the running mean a of these lengths.

    Args:
        images: Made from ``styles``, with a graph.
        noise: Standard normal.
    """
    y = noise / math.sqrt(images.shape[2] * images.shape[3])
    (gradient,) = torch.autograd.grad((images * y).sum(), styles, create_graph=True)
    gradient = gradient.to(torch.promote_types(gradient.dtype, torch.float32))
    return gradient.square().sum(2).mean(1).sqrt()


def _gradient(output: PerSample, samples: Tensor) -> Tensor:
    """Of the sum of the output by each sample, in float32 at least, itself differentiable."""
    (gradient,) = torch.autograd.grad(output.sum(), samples, create_graph=True)
    return gradient.to(torch.promote_types(gradient.dtype, torch.float32))
