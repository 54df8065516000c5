"""PatchGAN discriminators (Isola et al. 2017, pix2pix, section 3.2.2, https://arxiv.org/abs/1611.07004).

A map of scores, each of which sees a patch: 16, 34, 70, 142 or 286 pixels with n = 1 to 5 halvings. The paper's is
70. Layers as in the authors' code; with instance norm (CycleGAN) the convolutions have biases, which that norm removes.
"""

from collections.abc import Callable

from torch import nn

from ganvas.core.errors import UserError
from ganvas.nn.layers.plain_layers import Conv2d
from ganvas.nn.norms.batch_norm import BatchNorm2d

SIDES = {1: 16, 2: 34, 3: 70, 4: 142, 5: 286}  # What a score sees, by the number of halvings.
INPUT = {
    **{f"patchgan{side}": (3, 256, 256) for side in (16, 34, 70, 142)},
    "patchgan286": (3, 512, 512),
    "patchgan70_pairs": (6, 256, 256),
    "patchgan70_instance": (3, 256, 256),
}


def patchgan16() -> nn.Module:
    """n = 1."""
    return patchgan(1)


def patchgan34() -> nn.Module:
    """n = 2."""
    return patchgan(2)


def patchgan70() -> nn.Module:
    """n = 3, the paper's."""
    return patchgan(3)


def patchgan142() -> nn.Module:
    """n = 4."""
    return patchgan(4)


def patchgan286() -> nn.Module:
    """n = 5."""
    return patchgan(5)


def patchgan70_pairs() -> nn.Module:
    """n = 3 on a picture and its translation, six channels (pix2pix)."""
    return patchgan(3, channels=6)


def patchgan70_instance() -> nn.Module:
    """n = 3 with instance norm (CycleGAN, https://arxiv.org/abs/1703.10593)."""
    return patchgan(3, norm=instance_norm)


def patchgan(
    halvings: int, *, channels: int = 3, features: int = 64, norm: Callable[[int], nn.Module] = BatchNorm2d
) -> nn.Sequential:
    """``halvings`` convolutions of stride 2, one of stride 1, and one to the score, all 4 x 4."""
    bias = norm is not BatchNorm2d
    layers = [Conv2d(channels, features, 4, stride=2, padding=1, std=0.02), nn.LeakyReLU(0.2)]
    before = features
    for level in range(1, halvings + 1):
        width = features * min(2**level, 8)
        stride = 2 if level < halvings else 1
        convolution = Conv2d(before, width, 4, stride=stride, padding=1, bias=bias, std=0.02)
        layers += [convolution, norm(width), nn.LeakyReLU(0.2)]
        before = width
    return nn.Sequential(*layers, Conv2d(before, 1, 4, padding=1, std=0.02))


def require_scores(halvings: int, size: tuple[int, int]) -> None:
    """That a discriminator of so many halvings has a score left for pictures of a size (height, width).

    It halves a picture and then takes two pixels off.

    Raises:
        UserError: it has not, or the paper has no such discriminator.
    """
    if halvings not in SIDES:
        raise UserError(f"discriminator_halvings={halvings} must be 1 to 5.")
    least = 3 << halvings
    if min(size) < least:
        raise UserError(
            f"discriminator_halvings={halvings} needs pictures of at least {least}x{least} pixels, and these have "
            f"{size[0]}x{size[1]}. Give fewer halvings."
        )


def instance_norm(channels: int) -> nn.Module:
    """Without parameters, as in the authors' code."""
    return nn.InstanceNorm2d(channels)
